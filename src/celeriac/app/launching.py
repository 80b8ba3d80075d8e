"""Begin a workflow: open its chords, store what is kept of it, send what is called first, make the result of its end.

In a job's life: between ``apply_async`` of a chain, chord or nested group and the producer. Does not know: the classes of
signatures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celeriac.app.blocks import check_joins, keep
from celeriac.app.context import current_context
from celeriac.app.flows.frozen import Handle, handle_of
from celeriac.app.flows.offspring import offspring
from celeriac.app.flows.stored import Stored, kind_of
from celeriac.app.flows.unrolling import Chord, Unrolled, unroll
from celeriac.app.following import headers, openings
from celeriac.app.group_result import GroupResult
from celeriac.app.home import Home
from celeriac.app.options import CallOptions, options_from
from celeriac.app.plan import Call
from celeriac.app.result import AsyncResult
from celeriac.app.signature import from_stored
from celeriac.core.settlement import StoredResult


def launch(app: Home, frozen: Stored, first: Sequence[Any], more: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """Send what ``frozen`` begins with, with these arguments and options, and return the result of its end.

    Raises:
        OperationalError: the broker did not take it.
        EncodeError: an argument cannot be written.
    """
    check_joins(app, frozen)
    thin, blocks = keep(app, frozen)
    calls, chords = _begun(app, unroll(thin), first, more, options)
    _prepare(app, chords, blocks)
    said = options_from(options)
    app.producer.submit_all(calls, said)
    return _remembered(app, frozen, result_of(app, handle_of(frozen)), said)


async def alaunch(app: Home, frozen: Stored, first: Sequence[Any], more: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """The twin of ``launch`` for event loops."""
    check_joins(app, frozen)
    thin, blocks = keep(app, frozen)
    calls, chords = _begun(app, unroll(thin), first, more, options)
    if chords or blocks:
        import asyncio  # late: whoever has no event loop has no need of it

        await asyncio.get_running_loop().run_in_executor(None, _prepare, app, chords, blocks)
    said = options_from(options)
    await app.producer.asubmit_all(calls, said)
    return _remembered(app, frozen, result_of(app, handle_of(frozen)), said)


def result_of(app: Home, handle: Handle) -> Any:
    """Return the AsyncResult or GroupResult of ``handle``, with its parents."""
    line = [handle]
    while (before := line[-1].parent) is not None:  # a chain may have more steps than Python has levels
        line.append(before)
    result: Any = None
    for one in reversed(line):
        if one.members is None:
            result = AsyncResult(one.id, app=app, parent=result, ignored=_is_ignored(app, one))
        else:
            result = GroupResult(one.id, [result_of(app, member) for member in one.members], parent=result, app=app)
    return result


def _is_ignored(app: Home, handle: Handle) -> bool:
    """Say whether nothing is stored for this task: then nobody waits for it."""
    if handle.ignore_result is None and handle.task:
        return bool(app.recipe_of(handle.task).ignore_result)
    return bool(handle.ignore_result)


def _prepare(app: Home, chords: Sequence[Chord], blocks: Sequence[StoredResult]) -> None:
    """Do what must be done before anything is sent: store what the messages refer to, and open the chords."""
    if keeps := [*blocks, *headers(app, chords)]:
        app.store.store_results(keeps)
    if chords:
        app.store.open_chords(openings(app, chords))


def _begun(
    app: Home, unrolled: Unrolled, first: Sequence[Any], more: Mapping[str, Any], options: Mapping[str, Any]
) -> tuple[list[Call], list[Chord]]:
    """Return the calls to be made, and the chords whose members are among them."""
    calls, chords = [from_stored(one, app).call(first, more, options) for one in unrolled.calls], list(unrolled.chords)
    for body in unrolled.empty:
        further = _begun(app, unroll(body), ([],), {}, options)
        calls += further[0]
        chords += further[1]
    return calls, chords


def _remembered(app: Home, frozen: Stored, result: Any, options: CallOptions) -> Any:
    context = current_context() if options.add_to_parent else None
    if context is not None and not context.called_directly and kind_of(frozen) != "group":  # a group sees to that itself
        for handle in offspring(frozen):
            context.add_child(result_of(app, handle))
    return result
