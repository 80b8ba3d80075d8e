"""The command line, under Celery's path."""
