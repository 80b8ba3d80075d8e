"""One task that makes many calls: the maps ``xmap`` and ``xstarmap``, and ``chunks``, a group of them.

In a job's life: made by ``task.map`` and its like, run by the tasks in ``app/builtin.py``. Names and meanings: Celery's guide,
"Canvas". Does not know: how calls are sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar, Unpack

from celeriac.app.canvas import group, member_from
from celeriac.app.flows.vetting import vet
from celeriac.app.group_result import GroupResult
from celeriac.app.home import Home
from celeriac.app.options import OptionKeywords, SignatureKeywords
from celeriac.app.signature import Signature
from celeriac.core.representation import safe_repr

R = TypeVar("R")


class Map(Signature[list[R]], Generic[R]):
    """One task that calls another for each item."""

    TASK: ClassVar[str]
    SHOWN: ClassVar[str]

    def __init__(self, task: Mapping[str, Any], it: Iterable[Any], app: Home | None = None, **options: Any) -> None:
        """Take the signature of the task to call, and what to call it with, which is read at once."""
        stored = {"task": member_from(task, app), "it": it if isinstance(it, list) else list(it)}
        super().__init__(self.TASK, (), stored, options, immutable=True, app=app or getattr(task, "app", None))

    @classmethod
    def from_dict(cls, d: Mapping[str, Any], app: Home | None = None) -> Map[Any]:
        """Return the map that a mapping holds."""
        vet(d)
        return cls(d["kwargs"]["task"], d["kwargs"]["it"], app, **(d.get("options") or {}))

    def _merge(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: Any = None,
        force: bool = False,
    ) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
        own = super()._merge(args, kwargs, options, force)
        # Its own name says nothing: it goes where the task goes that it calls.
        return own[0], own[1], {"route_name": self.kwargs["task"]["task"], **own[2]}

    def _shown(self) -> str:
        return self.SHOWN.format(self.kwargs["task"]["task"], _shortened(self.kwargs["it"]))


@Signature.register_type()
class xmap(Map[R]):  # noqa: N801 - Celery's name
    """``task.map(it)``: one task that calls ``task(item)`` for each item; its value is the list of theirs.

    Source: Celery's guide, "Canvas", "Map & Starmap".
    """

    TASK = "celery.map"
    SHOWN = "[{}(x) for x in {}]"


@Signature.register_type()
class xstarmap(Map[R]):  # noqa: N801 - Celery's name
    """``task.starmap(it)``: the same with ``task(*item)``."""

    TASK = "celery.starmap"
    SHOWN = "[{}(*x) for x in {}]"


@Signature.register_type()
class chunks(Signature[list[list[R]]], Generic[R]):  # noqa: N801 - Celery's name
    """``task.chunks(it, n)``: a group of tasks, each of which makes ``n`` calls of ``task(*item)``.

    Source: Celery's guide, "Canvas", "Chunks".
    """

    def __init__(self, task: Mapping[str, Any], it: Iterable[Any], n: int, app: Home | None = None, **options: Any) -> None:
        """Take the signature of the task to call, what to call it with, and how many calls one task makes.

        Raises:
            ValueError: ``n`` is less than 1.
        """
        if not isinstance(n, int) or n < 1:
            raise ValueError(f"chunks: n={n!r} must be a whole number, 1 or more")
        stored = {"task": member_from(task, app), "it": it if isinstance(it, list) else list(it), "n": n}
        super().__init__("celery.chunks", (), stored, options, immutable=True, app=app or getattr(task, "app", None))

    @classmethod
    def from_dict(cls, d: Mapping[str, Any], app: Home | None = None) -> chunks[Any]:
        """Return the chunks that a mapping holds."""
        vet(d)
        return cls(d["kwargs"]["task"], d["kwargs"]["it"], d["kwargs"].get("n"), app, **(d.get("options") or {}))

    @classmethod
    def apply_chunks(cls, task: Mapping[str, Any], it: Iterable[Any], n: int, app: Home | None = None) -> GroupResult[Any]:
        """Send them."""
        return cls(task, it, n, app).apply_async()

    def group(self) -> group[list[R]]:
        """Return the group that is sent."""
        task, it, n = self.kwargs["task"], self.kwargs["it"], self.kwargs["n"]
        parts = [xstarmap[R](task, part, self._app) for part in (it[start : start + n] for start in range(0, len(it), n))]
        return group(parts, app=self._app)

    def apply_async(  # type: ignore[override]  # a group has a GroupResult
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[SignatureKeywords]
    ) -> GroupResult[list[R]]:
        """Send the group. It takes no further arguments: the items say them all."""
        chosen: dict[str, Any] = {**self.options, **options}
        return self.group().apply_async(args, kwargs, **chosen)

    async def aapply_async(  # type: ignore[override]
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> GroupResult[list[R]]:
        """The twin of ``apply_async`` for event loops."""
        chosen: dict[str, Any] = {**self.options, **options}
        return await self.group().aapply_async(args, kwargs, **chosen)

    def __call__(self, **options: Unpack[SignatureKeywords]) -> GroupResult[list[R]]:
        """Send the group, as Celery's chunks do when they are called."""
        return self.apply_async(**options)

    def _shown(self) -> str:
        return f"chunks of {self.kwargs['n']}: [{self.kwargs['task']['task']}(*x) for x in {_shortened(self.kwargs['it'])}]"


def _shortened(items: Any) -> str:
    shown = safe_repr(items)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


_SHOWN: Final = 100
