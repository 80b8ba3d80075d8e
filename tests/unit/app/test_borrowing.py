"""What an app lends: connections, producers, queues, routes, messages, and what it tells of itself."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from celeriac import Celery, Exchange, ImproperlyConfigured, OperationalError, Queue
from celeriac.app.borrowed.amqp import AMQP, Queues
from celeriac.app.borrowed.connection import Connection, url_of
from celeriac.app.borrowed.loading import Loader
from celeriac.app.borrowed.log_view import Logging
from celeriac.core.errors import BrokerUnreachable
from celeriac.testing.clock import VirtualRuntime
from unit.app.serving import fetched, waiting


class Silent:
    """A store that answers from the third question on."""

    def __init__(self, after: int) -> None:
        self.left, self.closed = after, False

    def depth(self, queues: Any) -> list[int]:
        if self.left:
            self.left -= 1
            raise BrokerUnreachable("nobody:1 does not answer")
        return [0 for _ in queues]

    def close(self) -> None:
        self.closed = True


def connection_to(store: Any, clock: VirtualRuntime, *, shared: bool = False) -> Connection:
    return Connection("redis://me:secret@nobody:1/2", lambda: store, clock, shared=shared)


def test_a_connection_asks_the_broker_whether_it_is_there(app: Celery) -> None:
    with app.connection_for_write() as connection:
        before = connection.connected
        connection.ensure_connection(max_retries=1)

        assert (before, connection.connected) == (False, True)

    assert not connection.connected


def test_a_broker_that_answers_later_is_asked_again_and_the_caller_is_told(clock: VirtualRuntime) -> None:
    told: list[tuple[str, float]] = []
    connection = connection_to(Silent(2), clock)

    connection.ensure_connection(errback=lambda error, pause_s: told.append((str(error), pause_s)), interval_start=1, timeout=60)

    assert told == [("nobody:1 does not answer", 1), ("nobody:1 does not answer", 3)]


@pytest.mark.parametrize("bounds", [{"max_retries": 2}, {"timeout": 3}, {"timeout": timedelta(seconds=3)}, {}])
def test_a_broker_that_never_answers_is_an_error_within_the_bounds_given(clock: VirtualRuntime, bounds: dict[str, Any]) -> None:
    began = clock.monotonic()
    connection = connection_to(Silent(1000), clock)

    with pytest.raises(OperationalError, match="does not answer"):
        connection.ensure_connection(interval_start=1, interval_step=0, **bounds)

    assert clock.monotonic() - began <= 5


def test_a_connection_shows_its_url_without_the_password(clock: VirtualRuntime) -> None:
    connection = connection_to(Silent(0), clock)

    assert connection.as_uri() == "redis://me:**@nobody:1/2"
    assert "secret" not in repr(connection) + repr(connection.info())
    assert connection.as_uri(include_password=True) == "redis://me:secret@nobody:1/2"
    assert (connection.hostname, connection.transport_name) == ("nobody", "redis")
    assert (connection.transport.driver_type, connection.transport.driver_name) == ("redis", "redis")


@pytest.mark.parametrize("shared", [True, False])
def test_what_is_given_back_is_closed_unless_it_is_the_apps(clock: VirtualRuntime, shared: bool) -> None:
    store = Silent(0)
    connection = connection_to(store, clock, shared=shared).connect()

    connection.release()

    assert store.closed is not shared


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"hostname": "redis://elsewhere/3"}, "redis://elsewhere/3"),
        ({"hostname": "elsewhere", "port": 7}, "redis://me:s%2F@elsewhere:7/1"),
        ({"virtual_host": "5", "password": "p@", "userid": None}, "redis://me:p%40@here:6379/5"),
    ],
)
def test_a_url_may_be_given_in_parts(given: dict[str, Any], url: str) -> None:
    parts = dict.fromkeys(("userid", "password", "path", "port", "scheme")) | {"path": given.pop("virtual_host", None)}

    assert url_of(given.pop("hostname", None), "redis://me:s%2F@here:6379/1", **{**parts, **given}) == url


def test_an_option_of_a_connection_that_is_a_setting_is_refused_by_name(app: Celery) -> None:
    with pytest.raises(ImproperlyConfigured, match="broker_heartbeat, broker_use_ssl"):
        app.connection(ssl=True, heartbeat=10)


def test_a_connection_elsewhere_sends_elsewhere(app: Celery) -> None:
    other = Celery("other", broker="memory://borrowed-elsewhere", set_as_current=False)

    with app.connection_for_write("memory://borrowed-elsewhere") as connection:
        app.send_task("sent.there", connection=connection)

    assert ([m.task for m in waiting(other)], waiting(app)) == (["sent.there"], [])


def test_the_pools_lend_what_counts_messages_and_sends_tasks(app: Celery) -> None:
    with app.pool.acquire(block=True) as connection, app.producer_or_acquire() as producer:
        app.send_task("a", producer=producer)
        declared = connection.default_channel.queue_declare(queue="celery", passive=True)
        length = connection.default_channel.client.llen("celery")
        purged = connection.default_channel.queue_purge("celery")
        after = connection.default_channel.queue_declare("celery")

    assert length == 1
    assert (declared.queue, declared.message_count, purged, after.message_count) == ("celery", 1, 1, 0)


def test_what_was_given_is_used_and_not_given_back(app: Celery, clock: VirtualRuntime) -> None:
    mine = connection_to(Silent(0), clock).connect()

    with app.connection_or_acquire(mine) as used, app.producer_or_acquire(mine) as sender:
        assert used is sender is mine

    assert mine.connected


def test_a_producer_sends_what_is_no_task(app: Celery) -> None:
    with app.producer_or_acquire() as producer:
        producer.publish({"hello": "world"}, routing_key="news", serializer="json", headers={"of": "today"})

    [delivery] = fetched(app, "news")
    parcel: Any = delivery.parcel
    assert (parcel.body, parcel.content_type, parcel.headers["of"]) == (b'{"hello":"world"}', "application/json", "today")


def test_a_producer_refuses_to_send_without_an_address(app: Celery) -> None:
    with pytest.raises(ValueError, match="routing_key"):
        app.producer_or_acquire().__enter__().publish("nowhere")


def test_amqp_knows_queues_and_routes(app: Celery) -> None:
    app.conf.update(task_queues=[Queue("fast"), Queue("slow", routing_key="s.#")], task_default_queue="fast")
    app.conf.task_routes = {"report.*": "slow"}

    queues = app.amqp.queues

    assert (sorted(queues), app.amqp.default_queue.name, app.amqp.default_exchange.name) == (["fast", "slow"], "fast", "fast")
    assert app.amqp.router.route("report.daily").queue == "slow"
    assert queues["made.up"].name == "made.up"
    assert "exchange=fast(direct) key=fast" in queues.format()


def test_a_queue_that_is_added_is_served_and_known_to_routes(app: Celery) -> None:
    app.amqp.queues.add("more", routing_key="m")

    assert sorted(app.queue_names()) == ["celery", "more"]
    assert app.amqp.queues["more"].key == "m"


def test_queues_that_are_selected_are_those_that_a_worker_serves(app: Celery) -> None:
    app.conf.task_queues = [Queue("a"), Queue("b"), Queue("c")]

    app.select_queues(["a", "b"])
    app.amqp.queues.deselect("a")
    app.amqp.queues.select_add("d")

    assert (list(app.queue_names()), list(app.amqp.queues.consume_from)) == (["b", "d"], ["b", "d"])


def test_queues_of_nobody_are_a_mapping_of_their_own() -> None:
    queues = Queues(["a"], default_exchange="shop", default_routing_key="key", max_priority=5, create_missing_queue_type="quorum")

    added, made_up = queues.add("b"), queues["c"]
    old = queues.add_compat("d", exchange="old", exchange_type="topic", binding_key="x.#")
    queues.select(["a"])
    queues.select_add("e")

    assert (added.source.name, added.key, added.max_priority) == ("shop", "key", 5)
    assert (made_up.source.name, made_up.queue_arguments, "c" in queues) == ("c", {"x-queue-type": "quorum"}, False)
    assert (old.source.type, old.key, list(queues.consume_from)) == ("topic", "x.#", ["a", "e"])


def test_a_router_over_other_queues_has_the_routes_of_the_app(app: Celery) -> None:
    app.conf.task_routes = {"report.*": "slow"}

    router = app.amqp.Router([Queue("slow", Exchange("reports", "topic"), "r.#")])

    route = router.route("report.daily")
    assert (route.queue, route.exchange, route.routing_key) == ("slow", "reports", "r.#")


def test_without_queues_made_up_an_unknown_one_is_an_error(app: Celery) -> None:
    app.conf.task_create_missing_queues = False

    with pytest.raises(KeyError):
        app.amqp.queues["unknown"]


def test_a_call_can_be_had_as_its_message_and_sent_by_hand(app: Celery) -> None:
    message = app.amqp.as_task_v2("an-id", "add", (1,), {"y": 2}, shadow="plus")
    with app.producer_or_acquire() as producer:
        app.amqp.send_task_message(producer, "add", message, queue="by-hand")

    [sent] = waiting(app, "by-hand")
    assert (message.headers["id"], message.headers["shadow"], message.body[0]) == ("an-id", "plus", [1])
    assert (sent.id, sent.task, list(sent.args), sent.kwargs, sent.shadow) == ("an-id", "add", [1], {"y": 2}, "plus")


def test_the_loader_imports_what_the_settings_name(app: Celery) -> None:
    sys.modules.pop("this", None)
    app.conf.imports = ["json.tool"]

    modules = app.loader.import_default_modules()

    assert [module.__name__ for module in modules] == ["json.tool"]
    assert "json.tool" in app.loader.task_modules


def test_now_is_told_in_the_apps_zone(app: Celery, clock: VirtualRuntime) -> None:
    utc = app.uses_utc_timezone()
    app.conf.timezone = "Europe/Berlin"

    now: datetime = app.now()

    assert (now, now.tzinfo) == (clock.now().astimezone(UTC), app.timezone)
    assert (utc, app.uses_utc_timezone()) == (True, False)


def test_an_app_has_an_id_that_lasts(app: Celery) -> None:
    other = Celery("other", set_as_current=False)

    assert app.oid == app.oid != other.oid
    assert app.thread_oid.startswith(app.oid)


def test_either_takes_what_is_given_or_the_setting(app: Celery) -> None:
    assert (app.either("task_default_queue", None, "given"), app.either("task_default_queue")) == ("given", "celery")


def test_a_bug_report_tells_versions_and_settings_and_no_secret() -> None:
    url = "redis://me:hunter2@nowhere/1"
    app = Celery("ill", broker=url, backend=url, redis_password="hunter3", task_acks_late=True, set_as_current=False)

    text = app.bugreport()

    assert "hunter" not in text
    assert "celeriac:" in text
    assert "task_acks_late: True" in text


class MyAMQP(AMQP):
    """A class of a program's own."""


def test_a_part_may_be_of_a_class_of_ones_own_and_what_it_does_not_change_is_told(caplog: pytest.LogCaptureFixture) -> None:
    class Shop(Celery):
        log_cls = "celery.app.log:Logging"

    app = Shop("parts", amqp=f"{__name__}:MyAMQP", loader="app", set_as_current=False)

    assert (type(app.amqp), type(app.loader), type(app.log)) == (MyAMQP, Loader, Logging)
    assert "does not ask app.amqp" in caplog.text
    assert caplog.text.count("does not ask") == 1


def test_a_subclass_may_have_a_method_that_is_called_before_the_settings_are_read() -> None:
    called: list[str] = []

    class Shop(Celery):
        def on_configure(self) -> None:  # type: ignore[override]  # a signal, where it is not replaced
            called.append("configure")

    app = Shop(set_as_current=False)
    before = list(called)
    assert app.conf.task_default_queue == "celery"

    assert (before, called) == ([], ["configure"])


def test_worker_main_refuses_another_command(app: Celery) -> None:
    with pytest.raises(ValueError, match="worker_main runs the command 'worker'"):
        app.worker_main(["list", "tasks"])
