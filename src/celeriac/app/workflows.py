"""What chains and chords have in common: signatures of signatures that follow each other.

In a job's life: ``(add.s(1, 2) | double.s()).delay()``. What a workflow amounts to is decided in ``flows``, what is sent
first by ``launching.py``, and what follows by a worker (``following.py``). Names and meanings: Celery's guide, "Canvas".
Does not know: messages; which of them is a chain and which a chord.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, Self, TypeVar, Unpack

from celeriac.app.applying import Applying, aapplied
from celeriac.app.arguments import arguments_from
from celeriac.app.canvas import has_members, member_from
from celeriac.app.flows.stored import Stored, is_empty, kind_of, members_of
from celeriac.app.flows.unrolling import attach
from celeriac.app.flows.vetting import vet
from celeriac.app.freezing import fixed
from celeriac.app.home import Home
from celeriac.app.launching import alaunch, launch
from celeriac.app.options import OptionKeywords, options_from
from celeriac.app.signature import Signature

R = TypeVar("R")
Launch = tuple[Stored, Sequence[Any], Mapping[str, Any], Mapping[str, Any]]
"""What is begun: the frozen workflow, arguments and options of what is called first."""
_OF_THE_END: Final = ("task_id", "group_id", "group_index", "chord")
"""Options of a workflow that concern what it ends with."""


class Workflow(Signature[R], Generic[R]):
    """A signature of signatures that follow each other."""

    def _led_by(self) -> Signature[Any] | None:
        parts = (*members_of(self), self.kwargs.get("body"))
        return next((each for each in parts if isinstance(each, Signature) and has_members(each)), None)

    def apply_async(  # type: ignore[override]
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Any:
        """Send what begins it; the rest follows by itself.

        Args:
            args: Go before the arguments of what is called first.
            kwargs: Are added to those.
            options: ``link``, ``task_id``, ``chord``, ``group_id`` and ``group_index`` are those of the end, ``link_error`` is
                everybody's, all others are of what is called first.

        Returns:
            The result of the end: an AsyncResult, or a GroupResult if it ends with a group; ``parent`` leads back. Of a chain
            without steps nothing is sent, and there is no result: ``None``, as with Celery.
        """
        app = self.app
        if app.conf.settings().task.always_eager:
            return self.apply(args, kwargs, **options)
        begun = self._frozen(args, kwargs, options)
        return None if begun is None else launch(app, *begun)

    async def aapply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Any:
        """The twin of ``apply_async`` for event loops."""
        app = self.app
        if app.conf.settings().task.always_eager:
            return await self.aapply(args, kwargs, **options)
        begun = self._frozen(args, kwargs, options)
        return None if begun is None else await alaunch(app, *begun)

    def _frozen(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Launch | None:
        """Return what is to be launched when these are added; ``None``: of a chain without steps there is nothing."""
        vet(self)
        options_from(options)
        chosen = {**self._own_options(), **options}
        ends = {name: chosen[name] for name in _OF_THE_END if chosen.get(name) is not None}
        rest = {name: value for name, value in chosen.items() if name not in _OF_THE_END}
        links: dict[str, Any] = {name: rest.pop(name) for name in ("link", "link_error") if name in rest}
        whole = self._linked(links)
        if is_empty(whole):
            return None
        whole = self._ended(whole, ends)
        first, more = arguments_from(args, kwargs)
        if self.immutable:
            first, more = (), {}
        return fixed(self.app, whole, ends.get("task_id")), (*first, *self.args), more, rest

    def _own_options(self) -> dict[str, Any]:
        """Return its options, as far as they are those of ``apply_async``."""
        return self.options

    def _linked(self, links: Mapping[str, Any]) -> Stored:
        """Return this in the normal form, with these links where they belong."""
        raise NotImplementedError

    def _ended(self, whole: Stored, ends: Mapping[str, Any]) -> Stored:
        """Return ``whole`` as a member of the group, or of the header, that these options of its end tell of."""
        if "group_id" not in ends:
            return whole
        placed: Stored = attach(whole, ends["group_id"], ends.get("group_index") or 0, ends.get("chord"))
        return placed

    async def aapply(self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """The twin of ``apply`` for event loops: coroutines run on this one."""
        return await aapplied(self._applying(args, kwargs, options))

    def _applying(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Applying:
        """Yield what is to be run one after the other; return the result of the end."""
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Send it, as Celery's workflows do when they are called."""
        return self.apply_async(args, kwargs)

    def clone(self, *args: Any, **kwargs: Any) -> Self:
        """Return a copy, with copies of everything in it: ``clone(args, kwargs, **options)``; see ``Signature.clone``.

        Arguments and options are added to what is called first.
        """
        return self._cloned(*args, **kwargs)

    partial = clone

    def _cloned(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Self:
        copy = super().clone(None, None, **options)
        self._copy_members(copy, *arguments_from(args, kwargs))
        return copy

    def _copy_members(self, copy: Signature[Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def __bool__(self) -> bool:
        return True


def built(kind: type[Workflow[Any]], d: Mapping[str, Any], kwargs: Mapping[str, Any], app: Home | None) -> Any:
    """Return the workflow that a mapping holds, as it was written: not in the normal form, which it gets when it is sent."""
    made = Signature.__new__(kind)
    stored = {**d, "args": tuple(d.get("args") or ()), "kwargs": dict(kwargs), "options": dict(d.get("options") or {})}
    Signature.__init__(made, stored, app=app)
    return made


def members_from(stored: Any, app: Home | None) -> list[Signature[Any]]:
    """Return the members of a stored workflow as Signatures.

    Raises:
        TypeError: one of them is none.
    """
    members = members_of(stored) if isinstance(stored, Mapping) and kind_of(stored) == "group" else stored
    several = [members] if isinstance(members, Mapping) else members or ()
    return [member_from(one, app) for one in several]
