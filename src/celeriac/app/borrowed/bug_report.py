"""``app.bugreport()``: what somebody who is to help needs to know about an app, as text. Secrets are masked.

In a program's life: when something went wrong. Does not know: whether the store answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from celeriac.core.masking import censored, mask

PACKAGES: Final = ("celeriac", "msgspec", "click", "redis", "hiredis", "pydantic", "celery", "kombu")


def bug_report(app: Any) -> str:
    """Return versions, platform, places and the settings that were changed, a line each."""
    return "\n".join(_lines(app))


def _lines(app: Any) -> Iterator[str]:
    import platform  # late: few programs report, all would wait for it

    versions = (f"{name}:{found}" for name in PACKAGES if (found := _installed(name)) is not None)
    yield f"software -> {' '.join(versions)} python:{sys.version.split()[0]}"
    yield f"platform -> {platform.platform()} ({platform.python_implementation()})"
    places = app.places
    yield f"transport -> {mask(places.broker)} results:{'disabled' if places.results is None else mask(places.results)}"
    yield f"app -> {app.main or '__main__'} tasks:{len(app.tasks)}"
    for name in app.conf:
        if app.conf.explicit(name):
            yield f"{name}: {censored(name, app.conf[name])!r}"


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # late: costs every program 15 ms

    try:
        return version(package)
    except PackageNotFoundError:
        return None
