"""``celeriac report``: what a bug report needs. Secrets are masked; values that may hide one inside are not shown.

Does not know: whether the store answers.
"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import click

from celeriac.app.app import Celery
from celeriac.cli.output import as_json, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.shim import active_celery
from celeriac.cli.store_urls import store_urls
from celeriac.cli.user_options import OpenCommand

PACKAGES: Final = ("celeriac", "msgspec", "click", "rich", "redis", "hiredis", "PyYAML", "zstandard", "brotli")


@click.command("report", cls=OpenCommand)
@as_json
@pass_program
def command(program: Program, as_json: bool) -> None:
    """Print versions, platform and the settings that were changed; passwords are masked."""
    told = facts(program.reach())
    if as_json:
        print_json(told)
        return
    for heading, lines in told.items():
        click.echo(f"{heading}:")
        for name, value in lines.items():
            click.echo(f"  {name}: {printable(str(value))}")


def facts(app: Celery) -> dict[str, dict[str, Any]]:
    """Return what is known, in sections."""
    broker, results = store_urls(app)
    return {
        "packages": {name: installed(name) for name in PACKAGES} | {"celery": active_celery()},
        "platform": {"python": sys.version.split()[0], "system": platform.platform()},
        "app": {"name": app.main, "transport": broker, "results": results, "tasks": len(app.tasks)},
        "settings": app.conf.table(),
    }


def installed(package: str) -> str:
    """Return the version of a package, or say that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
