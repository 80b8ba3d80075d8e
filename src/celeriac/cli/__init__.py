"""The command line: ``main.py`` and one file for each command. A command's file is imported when it is used."""
