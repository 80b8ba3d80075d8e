"""Several calls as one: ``group``.

In a job's life: ``group(add.s(i, i) for i in range(10))`` is a Signature of Signatures; sending it is one publish, however
many there are. Chains and chords are not part of this version. Does not know: how calls are sent, how results are waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, Unpack

from celeriac.app.arguments import arguments_from
from celeriac.app.current import current_app
from celeriac.app.group_result import GroupResult
from celeriac.app.home import Home
from celeriac.app.names import checked_id
from celeriac.app.options import OptionKeywords
from celeriac.app.plan import Call
from celeriac.app.result import sent
from celeriac.app.signature import Signature, from_stored

R = TypeVar("R")
_COMPOSITE = frozenset({"celery.chain", "celery.group", "celery.chord"})


class group(Signature[list[R]], Generic[R]):  # noqa: N801 - Celery's name
    """Calls that run independently of each other; the result has all of theirs, in their order.

    Example:
        >>> group(add.s(i, i) for i in range(3)).apply_async().get(timeout=1)
        [0, 2, 4]
    """

    def __init__(self, *tasks: Signature[R] | Iterable[Signature[R]], app: Home | None = None) -> None:
        """Take signatures, or one list or generator of them."""
        members: Iterable[Any] = tasks
        if len(tasks) == 1 and not isinstance(tasks[0], Signature):
            members = tasks[0]
        super().__init__("celery.group", kwargs={"tasks": [_member(one, app) for one in members]}, subtask_type="group", app=app)

    @property
    def tasks(self) -> list[Signature[R]]:
        """The members."""
        members: list[Signature[R]] = self.kwargs["tasks"]
        return members

    @property
    def app(self) -> Home:
        """Who sends it: the app of the first member."""
        if self._app is not None:
            return self._app
        return self.tasks[0].app if self.tasks else current_app()

    def __len__(self) -> int:
        return len(self.tasks)

    def __bool__(self) -> bool:
        return True

    def apply_async(  # type: ignore[override]  # a group has a GroupResult
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> GroupResult[R]:
        """Send all members in one publish. Arguments and options given here hold for each of them.

        Raises:
            TypeError: ``link`` or ``link_error`` was given: it is not clear which end it would wait for.
        """
        calls, group_id = self._calls(args, kwargs, options)
        app = self.app
        group_id = group_id or app.runtime.new_id()
        messages = app.producer.submit_group(calls, group_id) if calls else []
        return GroupResult(group_id, [sent(app, message) for message in messages], app=app)

    async def aapply_async(  # type: ignore[override]
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> GroupResult[R]:
        """The twin of ``apply_async`` for event loops."""
        calls, group_id = self._calls(args, kwargs, options)
        app = self.app
        group_id = group_id or app.runtime.new_id()
        messages = await app.producer.asubmit_group(calls, group_id) if calls else []
        return GroupResult(group_id, [sent(app, message) for message in messages], app=app)

    def delay(self, *args: Any, **kwargs: Any) -> GroupResult[R]:  # type: ignore[override]
        """Send all members; arguments given here go before their own."""
        return self.apply_async(args, kwargs)

    async def adelay(self, *args: Any, **kwargs: Any) -> GroupResult[R]:  # type: ignore[override]
        """The twin of ``delay`` for event loops."""
        return await self.aapply_async(args, kwargs)

    def _calls(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: OptionKeywords
    ) -> tuple[list[Call], str | None]:
        chosen: dict[str, Any] = {**self.options, **options}
        if chosen.get("link") or chosen.get("link_error"):
            raise TypeError("a group has no end to link to: link its members")
        given = chosen.pop("task_id", None)
        group_id = chosen.pop("group_id", None) if given is None else checked_id(given)
        first, more = arguments_from(args, kwargs)
        return [member.call(first, more, chosen) for member in self.tasks], group_id

    def __call__(self, *args: Any, **kwargs: Any) -> GroupResult[R]:
        """Send all members, as Celery's groups do when they are called."""
        return self.apply_async(args, kwargs)

    def __repr__(self) -> str:
        return f"group({self.tasks!r})"


def _member(one: Any, app: Home | None) -> Signature[Any]:
    if not isinstance(one, Mapping) or "task" not in one:
        raise TypeError(f"a group takes signatures, such as add.s(2, 2), not {one!r}")
    if one["task"] in _COMPOSITE:
        raise TypeError("a group inside a group is not part of this version")
    return one if isinstance(one, Signature) else from_stored(one, app)
