"""Schedulers that a program starts by itself, under Celery's path."""

from celeriac.beat.classic.service import Service
from celeriac.cli.programs import Beat
