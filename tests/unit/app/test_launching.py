"""A workflow begins: what is stored before anything is sent, what is sent, which result it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from celeriac import AsyncResult, GroupResult, chain, chord, group
from celeriac.app.flows.frozen import freeze, handle_of
from celeriac.app.flows.normal import chained
from celeriac.app.launching import result_of
from celeriac.core.message import Outgoing
from celeriac.core.settlement import Opening, StoredResult
from unit.app.serving import waiting
from unit.app.stores import Over, Watching


class Noting(Watching):
    """A store that notes what it is asked to do, in its order."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.asked: list[tuple[str, int]] = []

    def publish(self, messages: Sequence[Outgoing], **how: Any) -> None:
        self.asked.append(("publish", len(messages)))
        self.store.publish(messages, **how)

    def open_chords(self, openings: Sequence[Opening]) -> None:
        self.asked.append(("open", sum(one.size for one in openings)))
        self.store.open_chords(openings)

    def store_results(self, results: Sequence[StoredResult]) -> None:
        self.asked.append(("store", len(results)))
        self.store.store_results(results)


@pytest.fixture
def app() -> Over:
    """Give an app whose store notes what it is asked."""
    return Over(Noting)


@pytest.fixture
def add(app: Over) -> Any:
    return app.tasks["add"]


@pytest.fixture
def total(app: Over) -> Any:
    return app.tasks["total"]


def test_of_a_chain_the_first_step_is_sent_and_nothing_else_is_asked(app: Over, add: Any) -> None:
    (add.s(1, 1) | add.s(2)).delay()

    assert app.store.asked == [("publish", 1)]


def test_chords_are_opened_before_their_members_are_sent(app: Over, add: Any, total: Any) -> None:
    group(chord([add.s(1), add.s(2)], total.s()), chord([add.s(1), add.s(2), add.s(3)], total.s()), add.s(1)).delay()

    assert app.store.asked == [("open", 5), ("publish", 6)]


def test_what_messages_refer_to_is_stored_first_of_all(app: Over, add: Any, total: Any) -> None:
    chord([add.s(number) for number in range(20)], chain(total.s(), *(add.s(1) for _ in range(60)))).delay()

    assert [what for what, _ in app.store.asked] == ["store", "open", "publish"]


def test_a_header_whose_members_end_with_groups_is_saved_first(app: Over, add: Any, total: Any) -> None:
    chord([add.s(1) | group(add.s(1), add.s(2)), add.s(3)], total.s()).delay()

    assert app.store.asked == [("store", 1), ("open", 3), ("publish", 2)]


def test_a_body_without_members_is_called_at_once(app: Over, add: Any, total: Any) -> None:
    chord([], total.s()).delay()

    [message] = waiting(app)
    assert (message.task, list(message.args)) == ("total", [[]])


def test_arguments_and_options_are_those_of_what_is_called_first(app: Over, add: Any) -> None:
    result = (add.s(1) | add.s(2)).apply_async((5,), task_id="end", priority=3, root_id="root")

    [message] = waiting(app)
    assert (list(message.args), message.priority, message.root_id, result.id) == ([5, 1], 3, "root", "end")


def test_the_result_of_a_long_chain_leads_back_to_its_beginning(app: Over, add: Any) -> None:
    frozen = freeze(chained([add.s(1), *(add.s(1) for _ in range(1_999)), group(add.s(1), add.s(2))]), app.runtime.new_id)

    result = result_of(app, handle_of(frozen))

    assert isinstance(result, GroupResult)
    assert [type(one) for one in result.results] == [AsyncResult, AsyncResult]
    steps = 0
    while (result := result.parent) is not None:
        steps += 1
    assert steps == 2_000
