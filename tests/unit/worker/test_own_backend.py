"""The results of a task with a result backend of its own: kept there, before its delivery is released."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import AsyncResult, Celery
from celeriac.app.eager_result import EagerResult
from celeriac.core import taskmeta
from celeriac.core.errors import BrokerUnreachable, StoreRefused
from celeriac.core.message import Rejected
from celeriac.core.outcome import Failure, Outcome, Success
from celeriac.core.settlement import Settled, Settlement, StoredResult
from celeriac.drivers.apart import Apart
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import BEGINNING, VirtualRuntime
from celeriac.worker.settlement import refuse, settle, started
from unit.worker.bench import ME, NODE, PlainTask, a_delivery, a_message, a_request, a_settler, an_outgoing, the_terms

ELSEWHERE = "memory://elsewhere"


class Away(MemoryStore):
    """A place for results that does not answer as long as ``error`` is set."""

    error: Exception | None = None

    def store_results(self, results: Any) -> None:
        if self.error is not None:
            raise self.error
        super().store_results(results)


class TwoPlaces:
    """A store with two leased deliveries, and another place for the results of the second."""

    def __init__(self) -> None:
        runtime = VirtualRuntime(seed=1)
        self.inner, self.away = MemoryStore(runtime=runtime), Away(runtime=runtime)
        self.store = Apart(self.inner, lambda place: self.away if place == ELSEWHERE else None)
        self.store.keep(NODE, name=NODE, info={}, queues=["q"])
        self.inner.publish([an_outgoing(a_message("here")), an_outgoing(a_message("there"))])
        self.tags = [one.tag for one in self.inner.fetch(["q"], lessee=ME, limit=9, wait_s=0).deliveries]

    def settlements(self) -> list[Settlement]:
        requests = [
            a_request(a_message("here"), tag=self.tags[0]),
            a_request(a_message("there"), a_task_with_its_own(), tag=self.tags[1]),
        ]
        return [settle(one, Success(one.message.id), now=BEGINNING, terms=the_terms()) for one in requests]


def a_task_with_its_own(**attributes: Any) -> PlainTask:
    return PlainTask(lambda: None, own_backend=ELSEWHERE, **attributes)


def place_of(outcome: Outcome, **changes: Any) -> Any:
    result = settle(a_request(task=a_task_with_its_own()), outcome, now=BEGINNING, terms=the_terms(**changes)).result
    return result and result.place


@pytest.mark.parametrize("outcome", [Success(1), Failure(ValueError("no"))])
def test_every_state_of_such_a_task_bears_its_place(outcome: Outcome) -> None:
    assert place_of(outcome) == ELSEWHERE
    assert started(a_request(task=a_task_with_its_own()), pid=1, terms=the_terms(), now=BEGINNING).place == ELSEWHERE


def test_its_results_are_kept_though_the_app_has_no_result_backend() -> None:
    assert place_of(Success(1), stores_results=False) == ELSEWHERE


def test_its_refused_messages_fail_where_its_results_are() -> None:
    terms = the_terms(place_of={"shop.charge": ELSEWHERE}.get, stores_results=False)
    message = a_message()

    result = refuse(a_delivery(message), Rejected("internal", "why"), message, now=BEGINNING, terms=terms).result

    assert result is not None
    assert result.place == ELSEWHERE


def test_a_task_may_return_the_result_of_another_one_whose_ids_are_kept() -> None:
    app = Celery("ids", broker="memory://ids", backend="memory://ids", set_as_current=False)
    value: list[AsyncResult[Any]] = [EagerResult("b", 1, "SUCCESS", app=app)]

    [result] = [settle(a_request(), Success(one), now=BEGINNING, terms=the_terms()).result for one in value]

    assert result is not None
    assert app.result_from_tuple(taskmeta.decode(result.body).result) == value[0]


def test_each_result_is_stored_where_it_belongs_and_both_deliveries_are_done() -> None:
    two = TwoPlaces()

    answers = two.store.settle(two.settlements(), lessee=ME)

    assert list(answers) == [Settled.APPLIED, Settled.APPLIED]
    assert [body is not None for body in two.inner.load(["here", "there"])] == [True, False]
    assert [body is not None for body in two.away.load(["here", "there"])] == [False, True]


def test_what_somebody_else_holds_by_now_is_stored_nowhere() -> None:
    two = TwoPlaces()
    settlements = two.settlements()
    two.store.settle(settlements, lessee=ME)
    two.away.forget(["there"])

    answers = two.store.settle(settlements, lessee=ME)

    assert list(answers) == [Settled.LEASE_LOST, Settled.LEASE_LOST]
    assert list(two.away.load(["there"])) == [None]


def test_while_the_other_place_does_not_answer_nothing_is_lost_and_later_all_is_settled() -> None:
    two = TwoPlaces()
    settler = a_settler(two.store)
    for settlement in two.settlements():
        settler.add(settlement)
    two.away.error = BrokerUnreachable("away")

    with pytest.raises(BrokerUnreachable):
        settler.flush()
    assert len(settler) == 2
    two.away.error = None
    settler.flush()

    assert len(settler) == 0
    assert list(two.away.load(["there"])) != [None]


def test_a_place_that_refuses_costs_that_message_alone_which_is_kept_as_a_dead_letter() -> None:
    two = TwoPlaces()
    settler = a_settler(two.store)
    for settlement in two.settlements():
        settler.add(settlement)
    two.away.error = StoreRefused("full")

    settler.flush()

    assert list(two.inner.load(["here"])) != [None]
    assert [letter.reason for letter in two.inner.dead_letters()] == ["unsettled"]


def test_states_on_the_way_go_to_their_places_too() -> None:
    two = TwoPlaces()

    two.store.store_results([StoredResult("a", "STARTED", b"1"), StoredResult("b", "STARTED", b"2", place=ELSEWHERE)])

    assert list(two.inner.load(["a", "b"])) == [b"1", None]
    assert list(two.away.load(["a", "b"])) == [None, b"2"]
