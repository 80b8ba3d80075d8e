"""What can be made of a task beside one call: maps, chunks, a run in an event loop, the call that runs here once more.

In a job's life: before ``apply_async``; nothing is sent here. Names and meanings: Celery's guide, "Canvas", and its reference of
``Task``. Does not know: how a call is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

from celeriac.app import eager
from celeriac.app.arguments import arguments_from
from celeriac.app.context import Context
from celeriac.app.eager_result import EagerResult
from celeriac.app.maps import chunks, xmap, xstarmap
from celeriac.app.options import OptionKeywords, options_from
from celeriac.app.plan import Call, Recipe
from celeriac.app.retrying import signature_from_request
from celeriac.app.running import Running
from celeriac.app.signature import Signature
from celeriac.core.representation import HIDDEN


class Composing(Running):
    """A task, as what larger calls are made of."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A class that was made from ``app.Task``: each of its instances is called by this name, registered or not.
        if cls.name is None and "abstract" not in vars(cls) and (app := _app_of(cls)) is not None:
            cls.name = app.gen_task_name(cls.__name__, cls.__module__)

    def map(self, it: Iterable[Any]) -> xmap[Any]:
        """Return a Signature of one task that calls this one with each item of ``it``; its value is the list of theirs."""
        return xmap(Signature(self.name, app=self.app), self._items(it), self.app, **self._unshown())

    def starmap(self, it: Iterable[Sequence[Any]]) -> xstarmap[Any]:
        """Return a Signature of one task that calls this one with each item of ``it``, spread out as arguments."""
        return xstarmap(Signature(self.name, app=self.app), self._items(it), self.app, **self._unshown())

    def chunks(self, it: Iterable[Sequence[Any]], n: int) -> chunks[Any]:
        """Return a Signature of several tasks, each of which makes ``n`` of the calls of ``starmap``."""
        return chunks(Signature(self.name, app=self.app), self._items(it), n, self.app, **self._unshown())

    async def aapply(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        throw: bool | None = None,
        **options: Unpack[OptionKeywords],
    ) -> EagerResult[Any]:
        """The twin of ``apply`` for event loops: a coroutine runs on this one."""
        given = {name: value for name, value in options.items() if value is not None}
        call = Call(self.recipe(), *arguments_from(args, kwargs), options_from(given))
        return await eager.arun(self, call, throw=throw)

    def recipe(self) -> Recipe:
        """Return what holds for every call."""
        raise NotImplementedError

    def _items(self, it: Iterable[Any]) -> Iterable[Any]:
        """Return what is to be called with as plain data: it travels as an argument of another task."""
        return it if self.validation is None else self.validation.plain(list(it))

    def _unshown(self) -> dict[str, Any]:
        """Return options that keep all items out of sight if some of what they hold is to be."""
        return {} if self._parameters.secrets is None else {"kwargsrepr": repr(HIDDEN)}

    def signature_from_request(
        self,
        request: Context | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        queue: Any = None,
        **extra_options: Any,
    ) -> Signature[Any]:
        """Return a Signature that makes a call again, with its id, callbacks and place in its workflow.

        Args:
            request: The call; ``None``: the one that runs here.
            args: Other positional arguments; ``None``: the same.
            kwargs: Other keyword arguments; ``None``: the same.
            queue: Where to; ``None``: where it came from.
            extra_options: Of ``apply_async``; they win.
        """
        return signature_from_request(
            self.request if request is None else request,
            self.app,
            args,
            kwargs,
            queue,
            extra_options,
            task=self.name,
            ignore_result=self.ignore_result,
        )

    subtask_from_request = signature_from_request


def _app_of(kind: type[Any]) -> Any:
    """Return the app that a class of tasks was made for; ``None``: none yet."""
    return next((vars(parent)["app"] for parent in kind.__mro__ if "app" in vars(parent)), None)
