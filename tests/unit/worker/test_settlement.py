"""What a run's end means for the store, the callers and the delivery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from celeriac.core import taskmeta
from celeriac.core.errors import DecodeError, NotRegistered, TaskRevokedError, TimeLimitExceeded, WorkerLostError
from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Revoked, Success
from celeriac.core.settlement import DeadLetter, Done, Settlement, StoredResult
from celeriac.core.taskmeta import TaskMeta
from celeriac.testing.clock import BEGINNING as NOON
from celeriac.worker.settlement import hold, refuse, settle, started
from celeriac.worker.terms import Terms
from unit.worker.bench import PlainTask, a_delivery, a_message, a_parcel, a_request, the_terms

TERMS = the_terms()


def settled(outcome: Outcome, message: Message | None = None, *, terms: Terms = TERMS, **attributes: Any) -> Settlement:
    task = PlainTask(lambda: None, **attributes)
    return settle(a_request(message, task, tag=7), outcome, now=NOON, terms=terms)


def meta_of(result: StoredResult | None) -> TaskMeta:
    assert result is not None
    return taskmeta.decode(result.body)


def followups_of(settlement: Settlement) -> list[str]:
    return [outgoing.id for outgoing in settlement.followups]


def test_success_stores_the_value_and_ends_the_delivery() -> None:
    settlement = settled(Success(5))

    assert (settlement.tag, settlement.fate, settlement.followups) == (7, Done(), ())
    meta = meta_of(settlement.result)
    assert (meta.task_id, meta.status, meta.result, meta.date_done) == ("a", "SUCCESS", 5, NOON)


def test_a_result_is_kept_as_long_as_the_terms_say() -> None:
    settlement = settled(Success(5), terms=the_terms(ttl_s=None))

    assert settlement.result is not None
    assert settlement.result.ttl_s is None


def test_success_sends_the_callbacks_with_the_value() -> None:
    message = a_message(callbacks=[{"task": "shop.next"}, {"task": "shop.other"}])

    settlement = settled(Success(5), message)

    assert followups_of(settlement) == ["shop.next after a", "shop.other after a"]


def test_a_value_that_cannot_be_written_is_a_failure_and_its_errbacks_are_sent() -> None:
    message = a_message(callbacks=[{"task": "shop.next"}], errbacks=[{"task": "shop.sorry"}])

    settlement = settled(Success(object()), message)

    assert meta_of(settlement.result).status == "FAILURE"
    assert followups_of(settlement) == ["shop.sorry after a"]


@pytest.mark.parametrize(
    ("of_the_task", "of_the_call", "stored"),
    [(False, None, True), (True, None, False), (False, True, False), (True, False, True)],
)
def test_the_call_says_whether_its_result_is_ignored_and_else_the_task(
    of_the_task: bool, of_the_call: bool | None, stored: bool
) -> None:
    message = a_message(ignore_result=of_the_call)

    settlement = settled(Success(5), message, ignore_result=of_the_task)

    assert (settlement.result is not None) == stored


def test_without_a_result_backend_nothing_is_stored() -> None:
    settlement = settled(Failure(ValueError("no")), terms=the_terms(stores_results=False), store_errors_even_if_ignored=True)

    assert settlement.result is None


def test_failure_stores_the_exception_with_its_traceback_and_sends_the_errbacks() -> None:
    message = a_message(errbacks=[{"task": "shop.sorry"}], callbacks=[{"task": "shop.next"}])

    settlement = settled(Failure(ValueError("no"), traceback="line 1"), message)

    meta = meta_of(settlement.result)
    assert isinstance(meta.result, ValueError)
    assert (meta.status, meta.traceback, settlement.fate) == ("FAILURE", "line 1", Done())
    assert followups_of(settlement) == ["shop.sorry after a"]


def test_errors_are_stored_even_if_ignored_when_the_task_says_so() -> None:
    settlement = settled(Failure(ValueError("no")), ignore_result=True, store_errors_even_if_ignored=True)

    assert meta_of(settlement.result).status == "FAILURE"


def test_a_late_task_that_does_not_acknowledge_failures_becomes_a_dead_letter() -> None:
    settlement = settled(Failure(ValueError("no")), acks_late=True, acks_on_failure_or_timeout=False)

    assert settlement.fate == DeadLetter(reason="failed", detail="ValueError: no", task="shop.charge", task_id="a")


def test_arguments_that_do_not_fit_make_a_dead_letter() -> None:
    settlement = settled(Failure(TypeError("takes no arguments"), uncallable=True))

    assert isinstance(settlement.fate, DeadLetter)
    assert settlement.fate.reason == "arguments"
    assert meta_of(settlement.result).status == "FAILURE"


def test_a_retry_is_sent_to_the_queue_it_came_from_with_its_eta() -> None:
    again = a_message("a", retries=1, eta=NOON + timedelta(seconds=3))

    settlement = settled(Retried(again=again, exception=ValueError("no"), traceback=None, when="in 3s"))

    [outgoing] = settlement.followups
    assert (outgoing.id, outgoing.queue, outgoing.eta) == ("a", "q", NOON + timedelta(seconds=3))
    meta = meta_of(settlement.result)
    assert (meta.status, meta.date_done, settlement.fate) == ("RETRY", None, Done())


def test_ignore_stores_nothing() -> None:
    settlement = settled(Ignored())

    assert settlement == Settlement(tag=7, fate=Done())


def test_a_task_that_was_not_let_start_is_revoked() -> None:
    settlement = settled(Revoked("expired"))

    meta = meta_of(settlement.result)
    assert isinstance(meta.result, TaskRevokedError)
    assert (meta.status, settlement.fate) == ("REVOKED", Done())


def test_a_refused_message_becomes_a_dead_letter() -> None:
    settlement = settled(Refused("not mine", requeue=False))

    assert settlement.fate == DeadLetter(reason="rejected", detail="not mine", task="shop.charge", task_id="a")
    assert meta_of(settlement.result).status == "FAILURE"


def test_a_refused_message_that_is_to_come_back_goes_to_the_end_of_its_queue() -> None:
    settlement = settled(Refused("not now", requeue=True))

    assert (settlement.fate, settlement.result) == (Done(), None)
    assert followups_of(settlement) == ["a"]


def test_extended_results_tell_of_the_call() -> None:
    message = a_message(args=(1,), kwargs={"x": 2}, retries=3)

    settlement = settled(Success(5), message, terms=the_terms(extended=True))

    meta = meta_of(settlement.result)
    assert (meta.name, meta.args, meta.kwargs, meta.retries) == ("shop.charge", [1], {"x": 2}, 3)
    assert (meta.worker, meta.queue) == ("celery@test", "q")


def test_a_tracked_task_tells_who_runs_it() -> None:
    result = started(a_request(), pid=42, terms=TERMS, now=NOON)

    meta = meta_of(result)
    assert (meta.status, meta.result, meta.date_done) == ("STARTED", {"pid": 42, "hostname": "celery@test"}, None)


def test_a_message_that_is_held_goes_into_the_schedule_and_no_state_is_stored() -> None:
    message = a_message(eta=NOON + timedelta(seconds=3))

    settlement = hold(message, a_delivery(message), terms=TERMS)

    [outgoing] = settlement.followups
    assert (settlement.fate, settlement.result, outgoing.eta) == (Done(), None, message.eta)


@pytest.mark.parametrize(
    ("reason", "error"),
    [("unknown-task", NotRegistered), ("deliveries", WorkerLostError), ("content-type", DecodeError)],
)
def test_what_is_refused_fails_for_whoever_waits(reason: str, error: type[Exception]) -> None:
    message = a_message()

    settlement = refuse(a_delivery(message, tag=7), Rejected(reason, "why"), message, now=NOON, terms=TERMS)

    assert settlement.fate == DeadLetter(reason=reason, detail="why", task="shop.charge", task_id="a")
    assert isinstance(meta_of(settlement.result).result, error)


def test_what_cannot_be_understood_fails_under_the_id_in_its_headers() -> None:
    delivery = Delivery(tag=7, queue="q", parcel=a_parcel(a_message()), raw=b"")

    settlement = refuse(delivery, Rejected("malformed", "why"), None, now=NOON, terms=TERMS)

    assert meta_of(settlement.result).task_id == "a"


def test_garbage_without_an_id_is_kept_and_nothing_is_stored() -> None:
    delivery = Delivery(tag=7, queue="q", parcel=Rejected("malformed", "why"), raw=b"\xff")

    settlement = refuse(delivery, Rejected("malformed", "why"), None, now=NOON, terms=TERMS)

    assert settlement == Settlement(tag=7, fate=DeadLetter(reason="malformed", detail="why"))


@pytest.mark.parametrize(
    ("error", "options", "done"),
    [
        (ValueError("no"), {"acks_on_failure": False}, False),
        (ValueError("no"), {"acks_on_timeout": False}, True),
        (TimeLimitExceeded(3), {"acks_on_timeout": False}, False),
        (TimeLimitExceeded(3), {"acks_on_failure": False}, True),
        (ValueError("no"), {"acks_on_failure": True, "acks_on_failure_or_timeout": False}, True),
    ],
)
def test_the_narrower_option_says_whether_a_failed_late_acked_message_is_done(
    error: Exception, options: dict[str, Any], done: bool
) -> None:
    settlement = settled(Failure(error), acks_late=True, **options)

    assert isinstance(settlement.fate, Done) == done


def test_a_message_that_was_done_when_its_run_began_stays_so_whatever_the_options_for_late_ones_say() -> None:
    settlement = settled(Failure(ValueError("no")), acks_late=False, acks_on_failure=False, acks_on_failure_or_timeout=False)

    assert isinstance(settlement.fate, Done)


@pytest.mark.parametrize(("outcome", "ttl_s"), [(Success(1), 60.0), (Failure(ValueError("no")), 90.0)])
def test_failures_are_kept_for_a_time_of_their_own(outcome: Outcome, ttl_s: float) -> None:
    result = settled(outcome).result

    assert result is not None
    assert result.ttl_s == ttl_s
