"""Headers of chords: a list, or a Stream that is sent while it is made; what a chord does to its members it does to copies."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery, StampingVisitor, chord, group
from celeriac.app.headers import alike, chords_heard_by, header_from, heard_by, stamped, with_arguments
from celeriac.app.streaming import BATCH, STREAMED_FROM, Stream


@pytest.mark.parametrize(
    "made",
    [
        lambda add: [add.s(1), add.s(2)],
        lambda add: group(add.s(1), add.s(2)),
        lambda add: (add.s(number) for number in (1, 2)),
        lambda add: [dict(add.s(1)), dict(add.s(2))],
    ],
)
def test_whatever_holds_members_becomes_a_list_of_signatures(app: Celery, add: Any, made: Any) -> None:
    assert header_from(made(add), app) == [add.s(1), add.s(2)]


def test_one_signature_is_a_header_of_one_and_nothing_one_of_none(app: Celery, add: Any) -> None:
    assert header_from(add.s(1), app) == [add.s(1)]
    assert header_from(None, app) == []


def test_what_is_no_signature_is_refused(app: Celery) -> None:
    with pytest.raises(TypeError):
        header_from([1], app)


def test_a_generator_of_very_many_is_a_stream(app: Celery, add: Any) -> None:
    assert isinstance(header_from((add.s(number) for number in range(STREAMED_FROM + 1)), app), Stream)


@pytest.mark.parametrize(
    ("members", "is_one_batch"),
    [
        (lambda add: [add.s(number) for number in range(BATCH)], True),
        (lambda add: [add.s(number) for number in range(BATCH - 1)], False),
        (lambda add: [add.s(1) | add.s(2), *(add.s(number) for number in range(BATCH))], False),
        (lambda add: [add.s(1).set(task_id="own"), *(add.s(number) for number in range(BATCH))], False),
    ],
)
def test_a_list_of_very_many_single_tasks_without_ids_is_sent_as_one_batch(add: Any, members: Any, is_one_batch: bool) -> None:
    assert (alike(members(add)) is not None) is is_one_batch


class Named(StampingVisitor):
    def on_signature(self, sig: Any, **_: Any) -> dict[str, Any]:
        return {"name": sig.task}


def _both(header: Any) -> Any:
    first, second = header
    return first, second


def test_a_chord_changes_copies_of_its_members(app: Celery, add: Any, total: Any) -> None:
    members = header_from([add.s(1), chord([add.s(2)], total.s())], app)
    assert isinstance(members, list)
    before = [dict(one) for one in members]

    [given, _] = with_arguments(members, (7,), {"y": 2})
    linked, inner = _both(heard_by(members, [total.s()]))
    untouched, told = _both(chords_heard_by(members, [total.s()]))

    assert (given.args, given.kwargs) == ((7, 1), {"y": 2})
    assert [one["immutable"] for one in linked.options["link_error"]] == [True]
    assert inner.body.options["link_error"]
    assert untouched is members[0]
    assert told.body.options["link_error"][0]["immutable"] is False
    assert [dict(one) for one in members] == before


def test_members_that_are_yet_to_be_made_are_stamped_when_they_are(app: Celery, add: Any) -> None:
    stream = header_from((add.s(number) for number in range(STREAMED_FROM + 1)), app)

    with_stamps = stamped(stream, Named(), append_stamps=False, stamps={"customer": 7})

    assert isinstance(with_stamps, Stream)
    first = next(with_stamps.batches())[0]
    assert (first.options["customer"], first.options["name"]) == (7, "add")
