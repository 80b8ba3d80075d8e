"""Settings of an app and how an app is found, under Celery's path."""

from __future__ import annotations

from typing import Any

from celeriac.app.app import Celery
from celeriac.app.standing import bugreport
from celeriac.config.settings import Conf as Settings


def appstr(app: Celery) -> str:
    """Return the app as ``-A`` would name it."""
    return f"{app.main or '__main__'} at {id(app):#x}"


def find_app(app: Any, symbol_by_name: Any = None, imp: Any = None) -> Celery:
    """Return the app that a name as after ``-A`` names; an app as it is."""
    from celeriac.cli.find_app import find_app  # late: the command line is not part of every program

    del symbol_by_name, imp
    return app if isinstance(app, Celery) else find_app(str(app))
