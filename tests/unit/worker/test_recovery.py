"""What becomes of a delivery whose process died."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from celeriac.core import protocol, taskmeta
from celeriac.core.message import Delivery, Message, Parcel, Rejected
from celeriac.core.settlement import DeadLetter, Done, Requeue, Settlement
from celeriac.testing.clock import BEGINNING as NOON
from celeriac.worker.recovery import Death, Ending, bury
from unit.worker.bench import PlainTask, a_delivery, a_message, a_reader, the_terms

KILLED = Death("signal SIGKILL")


def buried(
    message: Message | None = None,
    *,
    started: bool = True,
    death: Death = KILLED,
    delivery: Delivery | None = None,
    ending: Ending | None = None,
    **task: Any,
) -> Settlement:
    return bury(
        delivery or a_delivery(message or a_message(), tag=7),
        started=started,
        death=death,
        ending=ending,
        reader=a_reader(PlainTask(lambda: None, **task)),
        max_deliveries=5,
        now=NOON,
        terms=the_terms(),
    )


def state_of(settlement: Settlement) -> str | None:
    return None if settlement.result is None else settlement.result.state


def test_what_had_not_started_goes_back_as_it_lay_there() -> None:
    settlement = buried(started=False)

    assert settlement == Settlement(tag=7, fate=Requeue())


def test_a_late_one_goes_back_with_the_delivery_counted() -> None:
    settlement = buried(a_message(deliveries=2, priority=3), acks_late=True)

    assert isinstance(settlement.fate, Requeue)
    again = settlement.fate.replacement
    assert again is not None
    message = protocol.decode(again.parcel, accept=frozenset({"application/json"}))
    assert isinstance(message, Message)
    assert (message.deliveries, message.redelivered, again.queue, again.priority) == (3, True, "q", 3)
    assert settlement.result is None


def test_a_late_one_that_has_cost_too_many_processes_becomes_a_dead_letter_with_the_last_signal() -> None:
    settlement = buried(a_message(deliveries=4), acks_late=True)

    assert isinstance(settlement.fate, DeadLetter)
    assert settlement.fate.reason == "deliveries"
    assert "signal SIGKILL" in settlement.fate.detail
    assert state_of(settlement) == "FAILURE"


def test_an_early_one_is_lost_and_tells_its_errbacks() -> None:
    settlement = buried(a_message(errbacks=[{"task": "shop.sorry"}]))

    assert isinstance(settlement.fate, DeadLetter)
    assert (settlement.fate.reason, settlement.fate.task_id) == ("worker-lost", "a")
    assert [outgoing.id for outgoing in settlement.followups] == ["shop.sorry after a"]
    assert settlement.result is not None
    assert type(taskmeta.decode(settlement.result.body).result).__name__ == "WorkerLostError"


def test_a_late_one_that_must_not_come_back_is_lost_like_an_early_one() -> None:
    settlement = buried(acks_late=True, reject_on_worker_lost=False)

    assert isinstance(settlement.fate, DeadLetter)
    assert settlement.fate.reason == "worker-lost"


def test_a_late_one_that_we_stopped_ourselves_goes_back_uncounted() -> None:
    settlement = buried(acks_late=True, death=Death("signal SIGKILL", handed_back=True))

    assert settlement == Settlement(tag=7, fate=Requeue())


@pytest.mark.parametrize("acks_late", [False, True])
def test_one_that_ran_past_its_hard_limit_fails_and_does_not_come_back(acks_late: bool) -> None:
    settlement = buried(ending=Ending(hard_s=5.0), acks_late=acks_late)

    assert (settlement.fate, state_of(settlement)) == (Done(), "FAILURE")
    assert settlement.result is not None
    error = taskmeta.decode(settlement.result.body).result
    assert (type(error).__name__, str(error)) == ("TimeLimitExceeded", "the task ran past its hard time limit of 5 s")


@pytest.mark.parametrize("acks_late", [False, True])
def test_one_that_an_operator_had_terminated_is_revoked_and_does_not_come_back(acks_late: bool) -> None:
    settlement = buried(ending=Ending(signum=15), acks_late=acks_late)

    assert (settlement.fate, state_of(settlement)) == (Done(), "REVOKED")
    assert settlement.result is not None
    error = taskmeta.decode(settlement.result.body).result
    assert (type(error).__name__, error.args) == ("TaskRevokedError", ("terminated",))


def test_what_nobody_here_knows_becomes_a_dead_letter() -> None:
    settlement = buried(a_message(task="nobody.knows"))

    assert isinstance(settlement.fate, DeadLetter)
    assert settlement.fate.reason == "unknown-task"


@pytest.mark.parametrize(
    "parcel",
    [
        Rejected("malformed", "no envelope"),
        Parcel(body=b"{", content_type="application/json", content_encoding="utf-8", headers={"task": "shop.charge", "id": "a"}),
    ],
    ids=["envelope", "body"],
)
def test_what_cannot_be_understood_becomes_a_dead_letter(parcel: Parcel | Rejected) -> None:
    settlement = buried(delivery=Delivery(tag=7, queue="q", parcel=parcel, raw=b""))

    assert isinstance(settlement.fate, DeadLetter)
    assert settlement.fate.reason == "malformed"


@pytest.mark.parametrize("acks_late", [True, False])
def test_a_death_may_cost_a_retry_instead_however_the_task_acknowledges(acks_late: bool) -> None:
    settlement = buried(
        a_message(retries=1), retry_on_worker_lost=True, acks_late=acks_late, max_retries=2, default_retry_delay=30
    )

    assert (settlement.fate, state_of(settlement)) == (Done(), "RETRY")
    [again] = settlement.followups
    message = protocol.decode(again.parcel, accept=frozenset({"application/json"}))
    assert isinstance(message, Message)
    assert (message.id, message.retries, message.eta) == ("a", 2, NOON + timedelta(seconds=30))


def test_a_death_at_the_last_retry_is_a_failure_and_a_dead_letter() -> None:
    settlement = buried(a_message(retries=2), retry_on_worker_lost=True, acks_late=True, max_retries=2)

    assert isinstance(settlement.fate, DeadLetter)
    assert "last of 2 retries" in settlement.fate.detail
    assert state_of(settlement) == "FAILURE"


def test_a_child_that_was_stopped_costs_no_retry() -> None:
    settlement = buried(retry_on_worker_lost=True, acks_late=True, death=Death("it was stopped", handed_back=True))

    assert settlement == Settlement(tag=7, fate=Requeue())


BODY: dict[str, Any] = {"task": "total", "args": [], "kwargs": {}, "options": {"task_id": "body"}, "subtask_type": None}
NEXT: dict[str, Any] = {"task": "next", "args": [], "kwargs": {}, "options": {"task_id": "next"}, "subtask_type": None}


@pytest.mark.parametrize("task", ["shop.charge", "nobody.knows"])
def test_a_lost_member_of_a_chord_brings_its_part_and_a_lost_step_ends_those_after_it(task: str) -> None:
    member = buried(a_message(task=task, chord=BODY, group="c", group_index=1))
    step = buried(a_message(task=task, chain=[NEXT]))

    assert member.join is not None
    assert [(part.id, part.place, taskmeta.decode_part(part.body).status) for part in member.join.parts] == [("a", 1, "FAILURE")]
    assert [(result.id, result.state) for result in step.further] == [("next", "FAILURE")]
    assert isinstance(member.fate, DeadLetter)
    assert isinstance(step.fate, DeadLetter)
