"""Ways to look at settings: as a table without secrets, by parts of their names, the first of several that is set.

In a program's life: ``app.conf.humanize()`` in a report, ``app.conf.first(...)`` in programs written for Celery. Names and
meanings: Celery's reference of ``celery.app.utils.Settings``. Does not know: where values come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from celeriac.config.catalog import NAMES, Option, default_of, option
from celeriac.core.masking import censored


class _Values(Protocol):
    """What a view looks at."""

    def without_defaults(self) -> dict[str, Any]: ...
    def explicit(self, name: str) -> bool: ...
    def settings(self) -> object: ...
    def table(self, with_defaults: bool, censored: bool) -> dict[str, Any]: ...
    def __getitem__(self, name: str) -> Any: ...


class Views:
    """The part of ``Conf`` that only looks."""

    _old_names: set[str]

    def table(self: _Values, with_defaults: bool = False, censored: bool = True) -> dict[str, Any]:
        """Return the settings by their names: those that were set, or, ``with_defaults``, all.

        Passwords, keys, tokens, and passwords in URLs are masked unless ``censored`` is off.
        """
        names = NAMES if with_defaults else self.without_defaults()
        return {name: _shown(name, self[name], censored=censored) for name in sorted(names)}

    def humanize(self: _Values, with_defaults: bool = False, censored: bool = True) -> str:
        """Return what ``table`` returns as text, a line or more for each setting."""
        from pprint import pformat  # late: few programs show their settings

        return "\n".join(f"{name}: {pformat(value, width=50)}" for name, value in self.table(with_defaults, censored).items())

    def value_set_for(self: _Values, key: str) -> bool:
        """Say whether the setting was set, whatever to."""
        return self.explicit(key)

    def first(self: _Values, *names: str) -> Any:
        """Return the first of these settings that has a value. ``None``: none has."""
        for name in names:
            try:
                value = self[name]
            except KeyError:
                continue
            if value is not None:
                return value
        return None

    def get_by_parts(self: _Values, *parts: str | None) -> Any:
        """Return the setting whose name is made of ``parts``, such as ``"task", "serializer"``; empty ones do not count.

        Raises:
            KeyError: there is none.
        """
        return self["_".join(part for part in parts if part)]

    def find_option(self, name: str, namespace: str = "") -> Option:
        """Return what there is to know about a setting; ``name`` may lack the prefix, which ``namespace`` then gives.

        Raises:
            KeyError: there is none of this name, or there are several.
        """
        wanted = name.lower()
        for candidate in (wanted, f"{namespace.lower()}_{wanted}"):
            if candidate in NAMES:
                return option(candidate)
        ends = sorted(known for known in NAMES if known.endswith(f"_{wanted}"))
        if len(ends) == 1:
            return option(ends[0])
        raise KeyError(f"{name!r} may be {', '.join(ends)}" if ends else f"there is no setting {name!r}")

    def find_value_for_key(self: Any, name: str, namespace: str = "celery") -> Any:
        """Return the value of the setting that ``find_option`` finds."""
        return self[self.find_option(name, namespace).name]

    def finalize(self: _Values) -> None:
        """Read and check everything now.

        Raises:
            ImproperlyConfigured: something is wrong.
        """
        self.settings()

    @property
    def defaults(self) -> Mapping[str, Any]:
        """What holds when nothing is set."""
        return {name: default_of(name) for name in NAMES}

    @property
    def deprecated_settings(self) -> set[str]:
        """Old names under which settings were set."""
        return set(self._old_names)

    def maybe_warn_deprecated_settings(self) -> bool:
        """Say whether settings were set under old names; each was told when it was."""
        return bool(self._old_names)


def _shown(name: str, value: Any, *, censored: bool) -> Any:
    return _censored(name, value) if censored else value


_censored = censored
"""The parameter of Celery's ``table`` has the function's name."""
