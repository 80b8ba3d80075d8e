"""Keep once what the messages of a workflow would carry many times: the long rest of a chain, the large body of a chord.

In a job's life: freeze -> **keeping** -> unroll -> plan -> messages. Celery embeds in each message all that comes after it: N²
bytes for a chain of N, and powers of the width for chords in a row. Here, where that would multiply, the rest goes into the
result backend once, as a *block*, and the messages carry a *reference* to it: a call of the task ``celeriac.kept``. Whoever meets
a reference opens it (``opened``); a Celery worker, which cannot, sends it as the call that it is, and one of ours goes on.

A block may end with a reference to the next one, so that a workflow of N tasks is O(N) bytes in all, and none is read twice for
the same step. What is below the limit stays in Celery's form, as it was. Pure: sizes are told by a function that is handed in.
Does not know: stores, serializers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from celeriac.app.flows.normal import chained
from celeriac.app.flows.shapes import SHAPE, leaves_of, shape_of
from celeriac.app.flows.stored import (
    ENDS,
    KEPT,
    Stored,
    calls_in,
    chain_of,
    chord_of,
    ends_of,
    group_of,
    is_kept,
    kind_of,
    members_of,
)
from celeriac.app.flows.unrolling import attach

HEARD: Final = "heard"
"""Argument of a reference: the calls in its part whose errbacks hear if it is a body that does not run."""
_PREFIX: Final = "kept-"
_ABANDONED: Final = "-abandoned"
_OFTEN: Final = 3
"""What is carried fewer times than this is not kept, however large: to read it once more costs as much."""
_DEEP: Final = 12
"""Bodies in bodies that may travel in one message. Readers bound how deep a message is nested."""


class Block(Struct, frozen=True):
    """A part of a workflow that is kept."""

    key: str
    """Under which it is kept; the same whenever the same frozen workflow is sent."""
    content: Stored


class Keeping:
    """Takes out of frozen workflows what is to be kept."""

    def __init__(self, sized: Callable[[Stored], int], limit: int, serializer: str) -> None:
        """``sized``: bytes of a signature in a message. ``limit``: bytes of what comes later that a message may
        carry, on average. ``serializer``: by which blocks are written; a reference tells it to its readers."""
        self._sized, self._limit, self._serializer = sized, limit, serializer
        self.blocks: list[Block] = []
        """What has been taken out so far."""

    def thin(self, frozen: Stored) -> Stored:
        """Return ``frozen`` with references in the place of what is kept."""
        few = sum(1 for _ in islice(calls_in(frozen), _OFTEN + 2)) < _OFTEN + 2
        return frozen if few else self._part(frozen).signature

    def thin_body(self, body: Stored, calls: int) -> Stored:
        """Return the frozen body of a chord with so many calls in its header, or a reference to it."""
        return self._body(self._part(body), calls).signature

    def _part(self, frozen: Stored) -> _Part:
        match kind_of(frozen):
            case None:
                return _Part(frozen, self._sized)
            case "chain":
                return self._chain([self._part(step) for step in members_of(frozen)], frozen["options"])
            case "group":
                members = [self._part(member) for member in members_of(frozen)]
                return _Part(group_of([each.signature for each in members], frozen["options"]), self._sized, members)
            case _:
                header = [self._part(member) for member in members_of(frozen)]
                return self._chord(header, self._part(frozen["kwargs"]["body"]), frozen["options"])

    def _chain(self, steps: Sequence[_Part], options: Stored) -> _Part:
        """Cut a chain, from its end, where the messages of its steps would carry the rest too often."""
        rest: list[_Part] = []  # from the last to the first
        size = waste = calls = depth = 0
        for step in reversed(steps):
            calls += step.calls
            if rest:
                size += rest[-1].size
                joint = int(kind_of(step.signature) == "group")  # what follows is the body of a chord
                if self._multiplies(step.calls * size + waste, calls, size, depth + joint):
                    rest = [self._kept(rest[::-1])]
                    size, waste, calls, depth = rest[0].size, 0, step.calls, 0
                depth += joint
                waste += step.calls * size
            waste += step.waste
            depth = max(depth, step.depth)
            rest.append(step)
        steps = rest[::-1]
        return _Part(chain_of([step.signature for step in steps], options), self._sized, steps, waste=waste, depth=depth)

    def _chord(self, header: Sequence[_Part], body: _Part, options: Stored) -> _Part:
        calls = sum(member.calls for member in header)
        if header:  # or it is called at once, and no message carries it
            body = self._body(body, calls)
        waste = sum(member.waste for member in header) + calls * body.size + body.waste
        made = chord_of([member.signature for member in header], body.signature, options)
        return _Part(made, self._sized, [*header, body], waste=waste, depth=1 + body.depth)

    def _body(self, body: _Part, calls: int) -> _Part:
        often = self._multiplies(calls * body.size + body.waste, calls, body.size, body.depth + 1)
        return self._kept([body]) if often else body

    def _multiplies(self, carried: int, messages: int, size: int, depth: int) -> bool:
        return carried > max(self._limit * messages, _OFTEN * size) or depth > _DEEP

    def _kept(self, parts: Sequence[_Part]) -> _Part:
        """Keep these steps, or this body, and return the reference that stands for it."""
        content = parts[0].signature if len(parts) == 1 else chain_of([part.signature for part in parts])
        if is_kept(content):
            return parts[0]
        block = Block(f"{_PREFIX}{next(calls_in(content))['options']['task_id']}", content)
        self.blocks.append(block)
        return _Part(self._reference(block), self._sized)

    def _reference(self, block: Block) -> Stored:
        content = block.content
        kwargs: dict[str, Any] = {"key": block.key, "serializer": self._serializer}
        shape = shape_of(content)
        if shape != 0:
            kwargs[ENDS] = shape
        # Celery's workers name by this id, and tell these errbacks of, a chord that fails. Ours tell all of HEARD.
        options: dict[str, Any] = {"task_id": block.key if shape != 0 else next(ends_of(content))["options"]["task_id"]}
        if heard := [_only_heard(call) for call in heard_first(content) if call["options"].get("link_error")]:
            options["link_error"] = heard[0]["options"]["link_error"]
            kwargs[HEARD] = heard
        return {"task": KEPT, "args": (), "kwargs": kwargs, "options": options, "subtask_type": None, "immutable": False}


class _Part:
    """A part of a workflow, and what it weighs. Sizes are found when somebody asks: what begins at once is never weighed."""

    def __init__(
        self, signature: Stored, sized: Callable[[Stored], int], inner: Sequence[_Part] = (), *, waste: int | None = None,
        depth: int | None = None,
    ) -> None:  # fmt: skip
        self.signature, self._sized, self._inner = signature, sized, inner
        self.waste: int = sum(part.waste for part in inner) if waste is None else waste
        """Bytes that its messages will carry more than its own size."""
        self.depth: int = max((part.depth for part in inner), default=0) if depth is None else depth
        """Bodies in bodies."""

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return sum(part.size for part in self._inner) if self._inner else self._sized(self.signature)

    @cached_property
    def calls(self) -> int:
        """How many messages it will be, without what is kept: each carries what comes after all of it."""
        return sum(part.calls for part in self._inner) if self._inner else 1


def opened(reference: Stored, content: Stored) -> Stored:
    """Return what a reference stands for, in the normal form, with what was attached to the reference since: its chord, its
    place, its shape."""
    options = reference["options"]
    group_id = options.get("group_id")
    if group_id is not None and "group_index" in options:
        content = attach(content, group_id, options["group_index"], options.get("chord"))
    elif group_id is not None and kind_of(content) is None and not content["options"].get("group_id"):
        # A body that is a member itself says already whose: it was frozen into that before it was kept.
        content = {**content, "options": {**content["options"], "group_id": group_id}}
    if kind_of(content) == "chain":
        content = chained([content])  # it may begin with a group: the header of a chord
    return {**content, SHAPE: reference[SHAPE]} if SHAPE in reference else content


def heard_first(signature: Stored) -> Iterator[Stored]:
    """Yield the calls whose errbacks hear that ``signature``, the body of a chord, does not run: its first ones; where it is a
    chord itself, those of its own body."""
    match kind_of(signature):
        case None:
            yield from _told_by(signature) if is_kept(signature) else (signature,)
        case "chain":
            yield from heard_first(members_of(signature)[0])
        case "group":
            for member in members_of(signature):
                yield from heard_first(member)
        case _:
            yield from heard_first(signature["kwargs"]["body"])


def _told_by(reference: Stored) -> Iterator[Stored]:
    told = reference["kwargs"].get(HEARD)
    for call in told if isinstance(told, list | tuple) else ():  # a message may say anything
        if isinstance(call, Mapping) and isinstance(call.get("task"), str) and isinstance(call.get("options"), Mapping):
            yield call


def _only_heard(call: Stored) -> Stored:
    options = call["options"]
    return {"task": call["task"], "options": {"task_id": options["task_id"], "link_error": options["link_error"]}}


def first_kept(reference: Stored) -> str:
    """Return the id of the first task in what a reference stands for."""
    key: str = reference["kwargs"]["key"]
    return stood_for(key)


def abandoning(name: str) -> str:
    """Return the id of the call that ends what does not run any more. ``name``: key of a block, or the first id that is ended."""
    return f"{name}{_ABANDONED}"


def stood_for(id: str) -> str:
    """Return the id of the first task that a reference, or a call that only ends others, was about; any other id as it is.

    Nothing is stored of such a call, and yet it may be the parent of what it has called or ended.
    """
    id = id.removesuffix(_ABANDONED)
    while id.startswith(_PREFIX):  # a block may begin with a reference to another one
        id = id.removeprefix(_PREFIX)
    return id


def stand_in(reference: Stored) -> Stored:
    """Return calls that can fail in the place of what a reference stands for, where that is lost: for who waits for its end."""
    options, ends = reference["options"], leaves_of(reference["kwargs"].get(ENDS, 0))
    calls = []
    for place in range(ends):
        said = {**options, "task_id": options["task_id"] if ends == 1 else f"{options['task_id']}-{place}"}
        if options.get("group_index") is not None:
            said["group_index"] = options["group_index"] + place
        calls.append({"task": "", "args": (), "kwargs": {}, "options": said, "subtask_type": None, "immutable": False})
    return calls[0] if ends == 1 else group_of(calls)


def has_chord(signature: Stored) -> bool:
    """Say whether a chord lies in it."""
    kind = kind_of(signature)
    return kind == "chord" or (kind is not None and any(map(has_chord, members_of(signature))))
