"""What becomes of a message that has just arrived."""

from __future__ import annotations

from datetime import timedelta

import pytest

from celeriac.core.message import Message, Rejected
from celeriac.core.rules import NO_RULES, Rules
from celeriac.testing.clock import BEGINNING as NOON
from celeriac.worker.admission import Aside, Drop, Hold, Run, admit
from unit.worker.bench import a_message

SECOND = timedelta(seconds=1)
TASKS = {"shop.charge": "the task"}


def verdict_on(message: Message, *, rules: Rules = NO_RULES, max_deliveries: int = 5) -> object:
    return admit(message, now=NOON, rules=rules, tasks=TASKS, max_deliveries=max_deliveries)


def test_a_plain_message_runs() -> None:
    message = a_message()

    verdict = verdict_on(message)

    assert verdict == Run("the task")


def test_a_revoked_message_is_dropped() -> None:
    message = a_message("a")

    verdict = verdict_on(message, rules=Rules(revoked=frozenset({"a"})))

    assert verdict == Drop("revoked")


def test_a_message_with_a_revoked_stamp_is_dropped() -> None:
    message = a_message(stamps={"customer": [6, 7]})

    verdict = verdict_on(message, rules=Rules(revoked_stamps={"customer": frozenset({"7"})}))

    assert verdict == Drop("revoked")


def test_a_message_of_a_paused_type_is_put_aside() -> None:
    message = a_message()

    verdict = verdict_on(message, rules=Rules(paused_tasks=frozenset({message.task})))

    assert verdict == Aside()


def test_what_has_expired_or_is_revoked_does_not_wait_for_its_type() -> None:
    rules = Rules(revoked=frozenset({"a"}), paused_tasks=frozenset({a_message().task, "unknown"}))

    verdicts = [verdict_on(message, rules=rules) for message in (a_message("a"), a_message("b", expires=NOON))]

    assert verdicts == [Drop("revoked"), Drop("expired")]


def test_what_is_unknown_here_waits_with_its_type() -> None:
    message = a_message(task="unknown")

    verdict = verdict_on(message, rules=Rules(paused_tasks=frozenset({"unknown"})))

    assert verdict == Aside()


@pytest.mark.parametrize("late", [timedelta(0), SECOND])
def test_an_expired_message_is_dropped(late: timedelta) -> None:
    message = a_message(expires=NOON - late)

    verdict = verdict_on(message)

    assert verdict == Drop("expired")


def test_a_message_that_has_not_expired_runs() -> None:
    message = a_message(expires=NOON + SECOND)

    verdict = verdict_on(message)

    assert verdict == Run("the task")


def test_a_message_before_its_eta_is_held_until_then() -> None:
    message = a_message(eta=NOON + SECOND)

    verdict = verdict_on(message)

    assert verdict == Hold(NOON + SECOND)


def test_a_message_at_its_eta_runs() -> None:
    message = a_message(eta=NOON)

    verdict = verdict_on(message)

    assert verdict == Run("the task")


def test_a_message_that_is_too_early_and_too_late_is_dropped_and_not_held() -> None:
    message = a_message(eta=NOON + SECOND, expires=NOON - SECOND)

    verdict = verdict_on(message)

    assert verdict == Drop("expired")


def test_an_unknown_task_is_rejected_with_the_nearest_name() -> None:
    message = a_message(task="shop.chagre")

    verdict = verdict_on(message)

    assert isinstance(verdict, Rejected)
    assert verdict.reason == "unknown-task"
    assert "did you mean 'shop.charge'" in verdict.detail


@pytest.mark.parametrize(("deliveries", "allowed"), [(0, True), (4, True), (5, False), (6, False)])
def test_a_message_that_has_cost_its_processes_is_rejected(deliveries: int, allowed: bool) -> None:
    message = a_message(deliveries=deliveries)

    verdict = verdict_on(message)

    assert isinstance(verdict, Run) == allowed
    assert allowed or (isinstance(verdict, Rejected) and verdict.reason == "deliveries")
