"""Messages are moved by hand, by Celery's names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery, Exchange, Queue
from celeriac.app.borrowed.migration import (
    StopFiltering,
    filter_status,
    migrate_tasks,
    move,
    move_by_idmap,
    move_by_taskmap,
    move_direct_by_id,
    move_task_by_id,
    prepare_queues,
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Celery]:
    app = Celery("moving", broker=f"memory://{tmp_path.name}", set_as_current=False)
    for number, task in enumerate(("shop.add", "shop.mail", "shop.add")):
        app.send_task(task, (number,), task_id=f"id-{number}")
    yield app
    app.store.purge(["celery"])


def test_what_the_predicate_wants_goes_where_it_says(app: Celery) -> None:
    seen: list[Any] = []

    def wanted(body: dict[str, Any], message: Any) -> object:
        seen.append((body["task"], body["id"], body["args"], message.headers["task"], message.delivery_info["routing_key"]))
        return Queue("mails") if body["task"] == "shop.mail" else None

    state = move(wanted, app=app)

    assert (state.count, state.filtered, state.total_apx) == (3, 1, 3)
    assert app.store.depth(["celery", "mails"]) == [2, 1]
    assert seen[1] == ("shop.mail", "id-1", [1], "shop.mail", "celery")


def test_exchange_and_routing_key_find_the_queue_that_is_bound_to_them(app: Celery) -> None:
    app.conf.task_queues = [Queue("celery"), Queue("pictures", Exchange("media"), "image")]

    move(lambda body, _: body["id"] == "id-0", exchange="media", routing_key="image", app=app)
    move(lambda body, _: ("", "elsewhere") if body["id"] == "id-1" else None, app=app)

    assert app.store.depth(["celery", "pictures", "elsewhere"]) == [1, 1, 1]


def test_one_that_goes_where_it_lies_stays(app: Celery) -> None:
    state = move(lambda *_: True, exchange="", routing_key="celery", app=app)

    assert (state.filtered, app.store.depth(["celery"])) == (0, [3])


def test_messages_are_moved_by_ids_and_by_names(app: Celery) -> None:
    move_task_by_id("id-2", "late", app=app)
    move_by_idmap({"id-1": "mails"}, app=app)
    move_by_taskmap({"shop.add": Queue("sums")}, app=app)

    assert app.store.depth(["celery", "late", "mails", "sums"]) == [0, 1, 1, 1]


def test_messages_are_moved_to_the_queue_of_one_node(app: Celery) -> None:
    move_direct_by_id("id-0", "celery@here", app=app)

    assert app.store.depth(["celery", "celery@here.dq2"]) == [2, 1]


def test_a_predicate_may_stop(app: Celery, capsys: pytest.CaptureFixture[str]) -> None:
    def wanted(body: dict[str, Any], _: Any) -> object:
        if body["id"] == "id-1":
            raise StopFiltering
        return Queue("other")

    move(wanted, app=app, callback=filter_status)

    assert app.store.depth(["celery", "other"]) == [2, 1]
    assert capsys.readouterr().out == "Moving task 1/3: shop.add[id-0]\n"


def test_messages_are_sent_to_another_broker(app: Celery, tmp_path: Path) -> None:
    there = f"memory://{tmp_path.name}-there"

    copied = migrate_tasks(app.connection(), there, app=app, tasks="shop.mail")
    moved = migrate_tasks(app.connection(), there, app=app, queues="celery:sums", ack_messages=True, tasks=["shop.add"])

    assert (copied.filtered, moved.filtered) == (1, 2)
    assert app.store.depth(["celery"]) == [1]
    assert app.connection(there).store.depth(["celery", "sums"]) == [1, 2]


def test_what_cannot_be_honoured_is_refused(app: Celery) -> None:
    with pytest.raises(TypeError, match="on_declare_queue"):
        move(lambda *_: True, app=app, on_declare_queue=print)
    with pytest.raises(TypeError, match="cannot be told how to send"):
        migrate_tasks(app.connection(), "memory://x", migrate=print, app=app)


@pytest.mark.parametrize(
    ("given", "read"),
    [(None, {}), ("a,b:c", {"a": "a", "b": "c"}), (["a:b"], {"a": "b"}), ({"a": "b"}, {"a": "b"})],
)
def test_queues_are_read_in_every_form(given: object, read: dict[str, str]) -> None:
    prepared = prepare_queues(given)

    assert prepared == read
