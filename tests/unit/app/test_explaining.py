"""Where a task is, and why it does not run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from celeriac import Celery, states
from celeriac.abc import Lessee
from celeriac.app.explaining import Explanation
from celeriac.core.settlement import DeadLetter, Park, Settlement, StoredResult
from celeriac.core.taskmeta import TaskMeta, encode
from celeriac.testing.clock import VirtualRuntime

QUEUES = ["celery", "mails"]
ME = Lessee("node-1", "0.1")
NUMBERS = count()


@pytest.fixture
def app() -> Celery:
    runtime = VirtualRuntime(1)
    where = f"memory://explaining-{next(NUMBERS)}"
    app = Celery("shop", broker=where, backend=where, set_as_current=False, runtime=runtime)
    app.task(name="shop.charge")(lambda: None)
    serve(app)
    return app


def serve(app: Celery, *, queues: Sequence[str] = ("celery",), lease_s: float = 30.0) -> None:
    app.store.keep(ME.node, name="celery@one", info={"queues": queues}, queues=queues, lease_s=lease_s)


def send(app: Celery, id: str = "a", **options: Any) -> None:
    app.send_task("shop.charge", task_id=id, **options)


def kinds(found: Explanation) -> list[str]:
    return [reason.kind for reason in found.reasons]


def test_a_task_that_waits_behind_others(app: Celery) -> None:
    for id in ("x", "y", "a"):
        send(app, id)

    found = app.explain("a")

    assert (found.task, found.state, kinds(found)) == ("shop.charge", None, ["waiting"])
    assert found.reasons[0].facts == {"queue": "celery", "ahead": 2}
    assert "2 messages before it" in found.reasons[0].text


def test_a_queue_that_is_paused_and_one_that_nobody_serves(app: Celery) -> None:
    send(app, "a")
    send(app, "b", queue="mails")
    app.pause(queues=QUEUES)

    found = [app.explain(id) for id in "ab"]

    assert [kinds(one) for one in found] == [["waiting", "paused queue"], ["waiting", "paused queue", "no node"]]


def test_a_queue_that_only_its_user_knows_is_looked_through_when_it_is_named(app: Celery) -> None:
    send(app, "a", queue="secret")

    assert kinds(app.explain("a")) == ["unknown"]
    assert kinds(app.explain("a", queues="secret")) == ["waiting", "no node"]


def test_a_task_in_the_schedule(app: Celery) -> None:
    send(app, countdown=600)

    found = app.explain("a")

    assert kinds(found) == ["scheduled"]
    assert "in 10 min" in found.reasons[0].text


@pytest.mark.parametrize("throttled", [False, True])
def test_a_task_that_is_put_aside(app: Celery, throttled: bool) -> None:
    send(app)
    if not throttled:
        app.pause(tasks=app.tasks["shop.charge"])
    [delivery] = app.store.fetch(["celery"], lessee=ME, limit=1, wait_s=0).deliveries
    app.store.settle([Settlement(tag=delivery.tag, fate=Park("shop.charge", throttled))], lessee=ME)

    found = app.explain("a")

    assert kinds(found) == ["parked", "rate limit" if throttled else "paused type"]


def test_a_task_that_is_held_and_one_whose_node_is_silent(app: Celery) -> None:
    send(app)
    app.store.fetch(["celery"], lessee=ME, limit=1, wait_s=0)

    before = app.explain("a")
    assert isinstance(app.runtime, VirtualRuntime)
    app.runtime.advance(31)
    after = app.explain("a")

    assert kinds(before) == ["held"]
    assert before.reasons[0].facts["child"] == "0.1"
    assert before.reasons[0].facts["lease_s"] == pytest.approx(30)
    assert kinds(after) == ["held", "silent node"]


def test_a_dead_letter_has_its_reason(app: Celery) -> None:
    send(app)
    [delivery] = app.store.fetch(["celery"], lessee=ME, limit=1, wait_s=0).deliveries
    fate = DeadLetter("deliveries", "It was handed out 5 times.", task="shop.charge", task_id="a")
    app.store.settle([Settlement(tag=delivery.tag, fate=fate)], lessee=ME)

    found = app.explain("a")

    assert kinds(found) == ["dead"]
    assert "reason deliveries: It was handed out 5 times." in found.reasons[0].text


def test_what_keeps_a_message_itself_from_running_is_told(app: Celery) -> None:
    send(app, "a")
    send(app, "b", expires=5)
    send(app, "c")
    app.store.revoke(["a"])
    app.store.revoke_stamps({"customer": ["7"]})
    assert isinstance(app.runtime, VirtualRuntime)
    app.runtime.advance(6)

    assert [kinds(app.explain(id)) for id in "abc"] == [["waiting", "revoked"], ["waiting", "expired"], ["waiting"]]


@pytest.mark.parametrize("state", [states.SUCCESS, states.STARTED])
def test_without_a_message_its_result_speaks(app: Celery, state: str) -> None:
    meta = TaskMeta(task_id="a", status=state, date_done=app.runtime.now() - timedelta(seconds=1))
    app.store.store_results([StoredResult("a", state, encode(meta, "json"))])

    found = app.explain("a")

    assert (found.state, kinds(found), found.is_known) == (state, ["ended" if state == states.SUCCESS else "under way"], True)


def test_what_has_ended_and_lies_in_a_queue_all_the_same_is_both(app: Celery) -> None:
    send(app)
    meta = TaskMeta(task_id="a", status=states.SUCCESS)
    app.store.store_results([StoredResult("a", states.SUCCESS, encode(meta, "json"))])

    found = app.explain("a")

    assert kinds(found) == ["waiting", "ended"]


def test_an_unknown_id_is_unknown(app: Celery) -> None:
    found = app.explain("nobody")

    assert (found.task, found.is_known, kinds(found)) == (None, False, ["unknown"])


def test_a_pause_names_something(app: Celery) -> None:
    with pytest.raises(ValueError, match="say which queues or which tasks"):
        app.pause()
    with pytest.raises(ValueError, match="say which queues or which tasks"):
        app.resume(queues=[])


def test_pauses_are_seen_by_every_app_on_the_store(app: Celery) -> None:
    app.pause(queues="mails", tasks=["shop.charge"])

    assert app.rules.paused_queues == {"mails"}
    assert app.rules.paused_tasks == {"shop.charge"}
    app.resume(queues=["mails"], tasks="shop.charge")
    assert app.rules.paused_queues | app.rules.paused_tasks == frozenset()
