"""The embedded default: broker and results in one file, for many processes of one machine, without a server."""
