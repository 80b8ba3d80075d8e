"""The command line, under Celery's path."""

from celeriac.cli.main import celeriac as celery
from celeriac.cli.main import main
from celeriac.cli.report import command as report
