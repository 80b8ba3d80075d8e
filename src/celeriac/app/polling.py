"""Options by which Celery's chords say how often to look whether all members have ended. Here the store counts.

In a job's life: when a chord is sent; they are taken, since programs give them, and have no effect. Does not know: chords.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from celeriac.app.home import Home

_OWN: Final = {"interval": None, "max_retries": None}
"""Those that are nothing but that, and what they are where nobody says anything."""
_WITHOUT_EFFECT: Final = "{} has no effect on a chord: its store counts the members, and nothing is polled"


def without_polling(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options but for these."""
    return {name: value for name, value in options.items() if name not in _OWN}


def told_of_polling(app: Home, options: Mapping[str, Any], defaults: Mapping[str, Any] = _OWN) -> dict[str, Any]:
    """Return the options but for these, of which the log says once that they have no effect.

    ``defaults``: of the options that are meant. What is given as it is there, is not told of.
    """
    for name, value in defaults.items():
        if options.get(name, value) != value:
            app.once.warn(_WITHOUT_EFFECT.format(name))
    return without_polling(options)
