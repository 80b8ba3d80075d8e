"""What a signature says: one call, as the mapping that Celery writes.

In a job's life: ``Signature`` is this, and can be stamped, frozen and sent. Keys: ``task``, ``args``, ``kwargs``, ``options``,
``subtask_type``, ``immutable``. Does not know: how a call is sent, how copies are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from celeriac.app.current import get_current_app
from celeriac.app.flows.vetting import is_too_deep, vet
from celeriac.app.home import Home
from celeriac.core.errors import WorkflowTooDeep
from celeriac.core.representation import safe_repr

_STAYING: Final = ("group_id", "stamped_headers")
_FAR: Final = 100_000
"""Levels."""


class Recorded(dict[str, Any]):
    """A call as a mapping, with its parts by name."""

    __slots__ = ("_app", "_type")

    _app: Home | None
    _type: Any
    """The task, where one was handed in that the app may not know; ``None``: the app's."""

    @property
    def app(self) -> Home:
        """Who sends it: its app, or that of what it begins with."""
        found: Recorded = self
        for _ in range(_FAR):  # a loop: it may be nested more deeply than Python can call; with an end: or hold itself
            if found._app is not None or (first := found._led_by()) is None:
                break
            found = first
        return found._app if found._app is not None else get_current_app()

    def _led_by(self) -> Recorded | None:
        """Return what is called first of a workflow; ``None``: this is one call, or there is nothing in it."""
        return None

    @property
    def task(self) -> str:
        """Name of the task."""
        name: str = self["task"]
        return name

    @task.setter
    def task(self, name: str) -> None:
        self["task"] = name

    @property
    def name(self) -> str:
        """Name of the task."""
        return self.task

    @property
    def args(self) -> tuple[Any, ...]:
        """Positional arguments."""
        return tuple(self.get("args") or ())

    @args.setter
    def args(self, args: Sequence[Any]) -> None:
        self["args"] = tuple(args)

    @property
    def kwargs(self) -> dict[str, Any]:
        """Keyword arguments."""
        kwargs: dict[str, Any] = self["kwargs"]
        return kwargs

    @kwargs.setter
    def kwargs(self, kwargs: Mapping[str, Any]) -> None:
        self["kwargs"] = dict(kwargs)

    @property
    def options(self) -> dict[str, Any]:
        """Options of ``apply_async``."""
        options: dict[str, Any] = self["options"]
        return options

    @options.setter
    def options(self, options: Mapping[str, Any]) -> None:
        self["options"] = dict(options)

    @property
    def subtask_type(self) -> str | None:
        """``group`` and the like; ``None``: one call."""
        return self.get("subtask_type")

    @subtask_type.setter
    def subtask_type(self, kind: str | None) -> None:
        self["subtask_type"] = kind

    @property
    def immutable(self) -> bool:
        """Nothing is added to its arguments."""
        return bool(self.get("immutable"))

    @immutable.setter
    def immutable(self, immutable: bool) -> None:
        self["immutable"] = immutable

    @property
    def id(self) -> str | None:
        """Id that the call will have; ``None``: a fresh one each time."""
        return self.options.get("task_id")

    @id.setter
    def id(self, id: str) -> None:
        self["options"]["task_id"] = id

    @property
    def root_id(self) -> str | None:
        """First task of the workflow, if that is fixed."""
        return self.options.get("root_id")

    @root_id.setter
    def root_id(self, id: str) -> None:
        self["options"]["root_id"] = id

    @property
    def parent_id(self) -> str | None:
        """The task that is to be its parent, if that is fixed."""
        return self.options.get("parent_id")

    @parent_id.setter
    def parent_id(self, id: str) -> None:
        self["options"]["parent_id"] = id

    def _merge(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: Any = None,
        force: bool = False,
    ) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
        """Return arguments and options with these added; ``force``: to an immutable one, too.

        Of the options these win, but for the group and the stamps, which stay what they are once they are said.
        """
        own: dict[str, Any] = self["options"]
        chosen = {**own, **options, **_staying(own)} if options else own
        own_args, own_kwargs = self.args, self["kwargs"]
        if force or not self.immutable:
            own_args = (*args, *own_args) if args else own_args
            own_kwargs = {**own_kwargs, **kwargs} if kwargs else own_kwargs
        return own_args, own_kwargs, chosen

    def append_to_list_option(self, key: str, value: Any) -> Any:
        """Add ``value`` to an option that is a list, unless it is in it; returns ``value``."""
        several = self._several(key)
        try:
            known = value in several
        except RecursionError:  # two that are equal as far as Python can look
            raise WorkflowTooDeep from None
        if not known:
            several.append(value)
        return value

    def extend_list_option(self, key: str, value: Any) -> None:
        """Add several, or one."""
        self._several(key).extend([value] if isinstance(value, Mapping) else value or ())

    def link(self, callback: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send ``callback`` with the result after success; returns ``callback``."""
        self.append_to_list_option("link", callback)
        return callback

    def link_error(self, errback: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send, or call, ``errback`` after failure; returns ``errback``."""
        self.append_to_list_option("link_error", errback)
        return errback

    def on_error(self, errback: Mapping[str, Any]) -> Self:
        """Do what ``link_error`` does, and return itself."""
        self.link_error(errback)
        return self

    def flatten_links(self) -> list[Any]:
        """Return itself and everything that is linked to it for success, with what is linked to that."""
        vet(self)
        found: list[Any] = [self]
        link = self.options.get("link") or []
        for each in [link] if isinstance(link, Mapping) else link:
            found.extend(self._as_signature(each).flatten_links())
        return found

    def _as_signature(self, stored: Any) -> Any:
        """Return a stored signature as an object."""
        raise NotImplementedError

    def _several(self, option: str) -> list[Any]:
        known = self["options"].get(option) or []
        several = [known] if isinstance(known, Mapping) else list(known)
        self["options"][option] = several
        return several

    def reprcall(self, *args: Any, **kwargs: Any) -> str:
        """Return the call as text, with these arguments added: ``add(4, 2)``."""
        all_args, all_kwargs, _ = self._merge(args, kwargs, force=True)
        try:
            shown = [*map(repr, all_args), *(f"{name}={value!r}" for name, value in all_kwargs.items())]
        except RecursionError:  # a list, or a call as an argument, that holds itself
            shown = [safe_repr(all_args), safe_repr(all_kwargs)]
        return f"{self['task']}({', '.join(shown)})"

    def __repr__(self) -> str:
        return f"<{self['task']}: nested too deep, or leads back to itself>" if is_too_deep(self) else self._shown()

    def _shown(self) -> str:
        """Return its repr; it is known to be flat enough for that."""
        return self.reprcall()

    def __json__(self) -> dict[str, Any]:
        """Return itself as a plain mapping, for writers of JSON that ask."""
        return dict(self)


def _staying(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are not changed by those of one call."""
    return {name: own[name] for name in (*_STAYING, *(own.get("stamped_headers") or ())) if name in own}


def without_repeats(name: str, shown: str) -> str:
    """Return a repr of several calls with the module of the task ``name`` shown once: ``proj.add(1) | double()``."""
    module = name.rpartition(".")[0]
    if not module:
        return shown
    before, first, rest = shown.partition(f"{module}.")
    return f"{before}{first}{rest.replace(first, '')}" if first else shown
