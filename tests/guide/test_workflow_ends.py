"""Retries and revocations inside workflows, and members that end without a value: on every store.

What Celery's guide, "Canvas", says of chords whose members fail holds for these, too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from celeriac import Celery, ChordError, GroupResult, Ignore, Reject, TaskRevokedError, chain, chord, group
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10


@pytest.fixture
def ran() -> list[Any]:
    """Give what ``note`` was called with."""
    return []


@pytest.fixture
def tasks(app: Celery, tasks: dict[str, Any], ran: list[Any]) -> dict[str, Any]:
    @app.task(name="note")
    def note(*values: Any) -> None:
        ran.append(values)

    @app.task(name="flaky", bind=True, max_retries=2)
    def flaky(self: Any, x: int, times: int = 2) -> list[Any]:
        if self.request.retries < times:
            raise self.retry(countdown=0.01, exc=OSError("still down"))
        return [x, self.request.retries, self.request.group_index]

    @app.task(name="by_rule", autoretry_for=(OSError,), retry_backoff=False, default_retry_delay=0, max_retries=1)
    def by_rule(x: int) -> int:
        raise OSError("always down")

    @app.task(name="ignores", bind=True)
    def ignores(self: Any) -> None:
        raise Ignore

    @app.task(name="rejects")
    def rejects() -> None:
        raise Reject("not mine", requeue=False)

    return dict(app.tasks)


def failure_of(result: Any) -> str:
    with pytest.raises(ChordError) as told:
        result.get(timeout=WAIT_S, follow_parents=False)
    return str(told.value)


# ---- Retries -------------------------------------------------------------------------------------------------------


def test_a_member_that_is_retried_keeps_its_place(tasks: Any, serve: Serve) -> None:
    serve()

    header = [tasks["add"].s(1, 1), tasks["flaky"].s(5), tasks["add"].s(2, 2), tasks["add"].s(3, 0) | tasks["flaky"].s()]
    result: Any = chord(header, tasks["shown"].s()).delay()

    assert result.get(timeout=WAIT_S) == "[2, [5, 2, 1], 4, [3, 2, 3]]"


def test_a_step_that_is_retried_is_followed_by_what_followed_it_once(tasks: Any, serve: Serve, ran: list[Any]) -> None:
    serve()

    result: Any = chain(tasks["flaky"].s(1), tasks["shown"].s(), tasks["note"].s()).delay()

    result.get(timeout=WAIT_S)
    assert ran == [("[1, 2, None]",)]


@pytest.mark.parametrize("how", ["flaky", "by_rule"])
def test_retries_that_come_to_nothing_fail_the_chord_with_the_last_error(tasks: Any, serve: Serve, how: str) -> None:
    serve()
    member = tasks["flaky"].s(1, 99) if how == "flaky" else tasks["by_rule"].s(1)

    result: Any = chord([tasks["add"].s(1, 1), member | tasks["add"].s(1)], tasks["note"].s()).delay()

    assert "down" in failure_of(result)


def test_a_body_that_is_retried_is_called_with_the_same_values_and_followed_once(
    app: Celery, tasks: Any, serve: Serve, ran: list[Any]
) -> None:
    serve()

    result: Any = chord([tasks["add"].s(1, 1), tasks["add"].s(2, 2)], tasks["flaky"].s() | tasks["note"].s()).delay()

    result.get(timeout=WAIT_S)
    assert ran == [([[2, 4], 2, None],)]


def test_a_body_whose_retries_come_to_nothing_fails_with_its_error_and_its_errback_hears_once(
    app: Celery, tasks: Any, serve: Serve, ran: list[Any]
) -> None:
    serve()
    body = tasks["flaky"].s(99).on_error(tasks["note"].s())

    result: Any = chord([tasks["add"].s(1, 1)], body).delay()

    with pytest.raises(OSError, match="still down"):
        result.get(timeout=WAIT_S)
    eventually(lambda: ran, what="the errback")
    assert [(request.id, repr(error)) for request, error, _ in ran] == [(result.id, "OSError('still down')")]


def test_retries_in_a_chord_in_a_chord_keep_every_place(tasks: Any, serve: Serve) -> None:
    serve()
    inner = chord([tasks["flaky"].s(1), tasks["add"].s(2, 2)], tasks["flaky"].s())

    result: Any = chord([tasks["add"].s(0), inner, tasks["flaky"].s(5)], tasks["shown"].s()).delay()

    assert result.get(timeout=WAIT_S) == "[0, [[[1, 2, 0], 4], 2, 1], [5, 2, 2]]"


# ---- Revocations ---------------------------------------------------------------------------------------------------


def test_a_revoked_member_fails_its_chord_which_names_it(tasks: Any, serve: Serve, ran: list[Any]) -> None:
    result: Any = chord([tasks["note"].s(1), tasks["note"].s(2)], tasks["note"].s("body")).delay()
    revoked = result.parent.results[1]
    revoked.revoke()

    serve()

    assert failure_of(result) == f"Dependency {revoked.id} raised TaskRevokedError('revoked')"
    assert (revoked.state, ran) == ("REVOKED", [(1,)])


def test_a_member_that_is_revoked_with_a_chain_behind_it_fails_its_chord(tasks: Any, serve: Serve, ran: list[Any]) -> None:
    result: Any = chord([tasks["note"].s(1), tasks["note"].s(2) | tasks["note"].s()], tasks["note"].s("body")).delay()
    end = result.parent.results[1]
    end.parent.revoke()

    serve()

    assert end.id in failure_of(result)
    assert (end.parent.state, end.state, ran) == ("REVOKED", "FAILURE", [(1,)])


def test_a_group_is_revoked_with_all_its_members(tasks: Any, serve: Serve, ran: list[Any]) -> None:
    result: Any = group(tasks["note"].s(1), group(tasks["note"].s(2), tasks["note"].s(3))).delay()
    result.revoke()

    serve()

    with pytest.raises(TaskRevokedError):
        result.get(timeout=WAIT_S)
    eventually(lambda: [one.state for one in result.results] == ["REVOKED"] * 3, what="all have ended")
    assert ran == []


def test_a_header_is_revoked_and_its_body_does_not_run(tasks: Any, serve: Serve, ran: list[Any]) -> None:
    result: Any = (group(tasks["note"].s(1), tasks["note"].s(2)) | tasks["note"].s("body") | tasks["note"].s("after")).delay()
    header = result.parent.parent
    assert isinstance(header, GroupResult)
    header.revoke()

    serve()

    failure_of(result)
    assert ([one.state for one in header.results], result.parent.state, ran) == (["REVOKED"] * 2, "FAILURE", [])


def test_after_a_revoked_step_nothing_of_its_chain_runs(tasks: Any, serve: Serve, ran: list[Any]) -> None:
    result: Any = chain(tasks["note"].s(1), tasks["note"].s(2), tasks["note"].s(3), tasks["note"].s(4)).delay()
    result.parent.parent.revoke()

    serve()

    with pytest.raises(TaskRevokedError):
        result.get(timeout=WAIT_S)
    states = [one.state for one in (result, result.parent, result.parent.parent, result.parent.parent.parent)]
    assert (states, ran) == (["FAILURE", "FAILURE", "REVOKED", "SUCCESS"], [(1,)])


def test_the_body_of_a_chord_may_be_revoked_while_its_members_run(tasks: Any, serve: Serve, ran: list[Any]) -> None:
    result: Any = chord([tasks["add"].s(1, 1), tasks["add"].s(2, 2)], tasks["note"].s()).delay()
    result.revoke()

    serve()

    with pytest.raises(TaskRevokedError):
        result.get(timeout=WAIT_S)
    assert (result.state, [one.get() for one in result.parent.results], ran) == ("REVOKED", [2, 4], [])


def test_of_a_group_that_has_begun_those_are_revoked_that_have_not(app: Celery, tasks: Any, serve: Serve, ran: list[Any]) -> None:
    serve()
    result: Any = group(tasks["note"].s(1), tasks["note"].s(2).set(queue="later")).delay()
    result.results[0].get(timeout=WAIT_S)
    result.revoke()

    serve(queues=["later"], name="later")

    with pytest.raises(TaskRevokedError):
        result.get(timeout=WAIT_S)
    assert ([one.state for one in result.results], ran) == (["SUCCESS", "REVOKED"], [(1,)])


@pytest.mark.parametrize("what", ["member", "body"])
def test_what_is_revoked_in_a_chord_in_a_chord_fails_both_and_no_body_runs(
    tasks: Any, serve: Serve, ran: list[Any], what: str
) -> None:
    inner = chord([tasks["add"].s(1, 1), tasks["add"].s(2, 2)], tasks["note"].s("inner"))
    result: Any = chord([inner, tasks["add"].s(3, 3)], tasks["note"].s("outer")).delay()
    body = result.parent.results[0]
    revoked = body if what == "body" else body.parent.results[0]
    revoked.revoke()

    serve()

    failure_of(result)
    assert (revoked.state, result.state, ran) == ("REVOKED", "FAILURE", [])
    assert body.state == ("REVOKED" if what == "body" else "FAILURE")


def test_to_revoke_a_task_that_was_replaced_is_to_revoke_the_end_of_what_replaced_it(
    app: Celery, tasks: Any, serve: Serve, ran: list[Any]
) -> None:
    @app.task(name="goes_on", bind=True)
    def goes_on(self: Any) -> Any:
        app.AsyncResult(self.request.id).revoke()
        raise self.replace(tasks["note"].si("first") | tasks["note"].si("end"))

    serve()
    result: Any = chord([goes_on.s(), tasks["add"].s(1, 1)], tasks["note"].s("body")).delay()

    assert "TaskRevokedError" in failure_of(result)
    assert (result.parent.results[0].state, ran) == ("REVOKED", [("first",)])


# ---- Members without a value ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["alone", "first step", "last step"])
@pytest.mark.parametrize(("how", "why"), [("expired", "expired"), ("ignores", "ignored"), ("rejects", "not mine")])
def test_a_member_that_ends_without_a_value_fails_its_chord_which_says_why(
    tasks: Any, serve: Serve, ran: list[Any], how: str, why: str, place: str
) -> None:
    serve()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    member = tasks["note"].si().set(expires=yesterday) if how == "expired" else tasks[how].si()
    steps = {"alone": member, "first step": member | tasks["note"].si(), "last step": tasks["add"].si(1, 1) | member}

    result: Any = chord([tasks["add"].s(1, 1), steps[place]], tasks["note"].s()).delay()

    assert why in failure_of(result)
    assert ran == []


# ---- Nobody waits for a result that is not stored ------------------------------------------------------------------


@pytest.mark.parametrize("how", ["task", "option", "body", "body of many", "inside of a task"])
def test_of_a_workflow_whose_end_ignores_its_result_get_is_none_at_once(how: str, app: Celery, tasks: Any, serve: Serve) -> None:
    silent = app.task(name="silent", ignore_result=True)(lambda *args: 5)
    first = tasks["add"].s(1)
    ends = {
        "task": first | silent.s(),
        "option": first | tasks["add"].s(1).set(ignore_result=True),
        "body": chord([first], silent.s()),
        "body of many": chord([tasks["add"].s(one) for one in range(1001)], silent.s()),
    }

    @app.task(name="sends")
    def sends() -> Any:
        return (first | silent.s()).delay().get(disable_sync_subtasks=False, timeout=WAIT_S)

    if how == "inside of a task":
        serve()
        assert sends.delay().get(timeout=WAIT_S) is None
    else:
        result = ends[how].delay()  # no worker has begun it

        assert result.get(timeout=0) is None


@pytest.mark.parametrize("url", ["memory://ends-parent"])
def test_nor_does_one_wait_for_a_step_before_the_end_that_ignores_its_result(app: Celery, tasks: Any, serve: Serve) -> None:
    silent = app.task(name="silent", ignore_result=True)(lambda *args: 5)
    serve()

    result = (silent.s() | tasks["add"].s(1)).delay()
    header = chord([silent.s(), tasks["add"].s(1)], tasks["shown"].s()).delay().parent

    assert result.get(timeout=WAIT_S) == 6
    assert (result.parent.get(timeout=0), header.get(timeout=WAIT_S)) == (None, [None, 1])
