"""Calling a task: what travels, and what is refused at the call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from celeriac import AsyncResult, Celery
from celeriac.core.errors import EncodeError, ImproperlyConfigured
from celeriac.core.message import Parcel
from celeriac.testing.clock import BEGINNING, VirtualRuntime
from unit.app.serving import fetched, waiting


def declare(app: Celery) -> Any:
    @app.task(name="add")
    def add(x: int, y: int = 0) -> int:
        return x + y

    return add


def test_delay_sends_name_arguments_and_id(app: Celery) -> None:
    add = declare(app)

    result = add.delay(1, y=2)

    [message] = waiting(app)
    assert (message.task, message.id, list(message.args), message.kwargs) == ("add", result.id, [1], {"y": 2})
    assert (message.root_id, message.parent_id, message.ignore_result) == (result.id, None, False)


def test_a_call_that_the_function_would_refuse_is_refused_before_it_is_sent(app: Celery) -> None:
    add = declare(app)

    with pytest.raises(TypeError, match=r"add\(\) missing a required argument: 'x'"):
        add.delay()
    with pytest.raises(TypeError, match=r"add\(\) takes 2 positional arguments but 3 were given"):
        add.delay(1, 2, 3)
    with pytest.raises(TypeError, match="z"):
        add.delay(1, z=3)

    assert waiting(app) == []


def test_a_task_without_typing_sends_whatever_it_is_given(app: Celery) -> None:
    @app.task(typing=False)
    def one(x: int) -> int:
        return x

    one.apply_async((1, 2, 3))

    [message] = waiting(app)
    assert list(message.args) == [1, 2, 3]


def test_a_bound_task_is_called_without_itself(app: Celery) -> None:
    @app.task(bind=True)
    def named(self: Any, x: int) -> str:
        return f"{self.name}:{x}"

    named.delay(1)

    assert named(2) == f"{__name__}.named:2"
    with pytest.raises(TypeError):
        named.delay(1, 2)  # type: ignore[call-arg]


def test_calling_a_task_runs_it_here(app: Celery) -> None:
    add = declare(app)

    value = add(1, 2)

    assert (value, waiting(app)) == (3, [])


def test_a_countdown_is_a_date_in_the_message_and_waits_in_the_schedule(app: Celery, clock: VirtualRuntime) -> None:
    declare(app).apply_async((1,), countdown=10)

    early = waiting(app)
    clock.advance(11)
    [message] = waiting(app)

    assert early == []
    assert message.eta == BEGINNING + timedelta(seconds=10)


def test_a_date_without_a_zone_is_meant_in_the_zone_of_the_app(app: Celery, clock: VirtualRuntime) -> None:
    app.conf.timezone = "Europe/Paris"
    declare(app).apply_async((1,), eta=datetime(2030, 1, 1, 2, 0))

    clock.advance(3601)
    [message] = waiting(app)

    assert message.eta == datetime(2030, 1, 1, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expires", "end"),
    [
        (60, BEGINNING + timedelta(seconds=60)),
        (timedelta(minutes=2), BEGINNING + timedelta(minutes=2)),
        ("2030-01-01T00:00:05+00:00", BEGINNING + timedelta(seconds=5)),
        (BEGINNING, BEGINNING),
    ],
)
def test_expires_may_be_seconds_a_duration_a_date_or_its_text(app: Celery, expires: Any, end: datetime) -> None:
    declare(app).apply_async((1,), expires=expires)

    [message] = waiting(app)
    assert message.expires == end


def test_options_of_a_call_win_over_those_of_the_task_and_these_over_the_settings(app: Celery) -> None:
    app.conf.update(task_time_limit=30, task_soft_time_limit=20, task_ignore_result=True)

    @app.task(soft_time_limit=10)
    def work() -> None:
        pass

    work.apply_async(ignore_result=False, shadow="shown", headers={"tenant": "a"}, priority=3)

    [message] = waiting(app)
    assert (message.time_limit, message.soft_time_limit) == (30, 10)
    assert (message.ignore_result, message.shadow, message.priority) == (False, "shown", 3)
    assert message.headers == {"tenant": "a"}


def test_a_queue_may_come_from_the_call_the_task_or_the_routes(app: Celery) -> None:
    app.conf.task_routes = {"routed.*": {"queue": "by-route"}}
    routed = app.task(name="routed.one")(lambda: None)
    own = app.task(name="own", queue="by-task")(lambda: None)

    routed.delay()
    own.delay()
    own.apply_async(queue="by-call")

    assert [len(waiting(app, queue)) for queue in ("by-route", "by-task", "by-call")] == [1, 1, 1]


def test_a_setting_that_changes_after_the_first_call_holds_for_the_next(app: Celery) -> None:
    add = declare(app)
    add.delay(1)

    app.conf.task_default_queue = "other"
    add.delay(1)

    assert (len(waiting(app)), len(waiting(app, "other"))) == (1, 1)


def test_a_misspelt_option_is_named_with_the_nearest_right_one(app: Celery) -> None:
    add = declare(app)

    with pytest.raises(TypeError, match="'countdwn': did you mean 'countdown'"):
        add.apply_async((1,), countdwn=3)


def test_a_keyword_that_is_near_no_option_is_a_property_of_the_message(app: Celery) -> None:
    declare(app).apply_async((1,), periodic_task_name="nightly", once={"graceful": True})

    [delivery] = fetched(app)

    assert isinstance(delivery.parcel, Parcel)
    properties = delivery.parcel.properties
    assert (properties["periodic_task_name"], properties["once"]) == ("nightly", {"graceful": True})


def test_a_property_that_the_store_writes_cannot_be_given(app: Celery) -> None:
    with pytest.raises(TypeError, match="'body_encoding'"):
        declare(app).apply_async((1,), body_encoding="none")


def test_stamps_are_the_keywords_that_stamped_headers_names(app: Celery) -> None:
    declare(app).apply_async((1,), stamped_headers=["who"], who="me")

    [message] = waiting(app)

    assert (message.stamped_headers, message.stamps) == (["who"], {"who": "me"})


def test_what_is_said_of_the_call_itself_travels_with_it(app: Celery) -> None:
    declare(app).apply_async((1,), origin="shop", replaced_task_nesting=2, reply_to="me", root_id="r", parent_id="p", retries=1)

    [message] = waiting(app)

    assert (message.origin, message.replaced_task_nesting, message.reply_to) == ("shop", 2, "me")
    assert (message.root_id, message.parent_id, message.retries) == ("r", "p", 1)


def test_an_expiration_is_an_expiry_unless_there_is_one(app: Celery) -> None:
    add = declare(app)
    add.apply_async((1,), expiration=60)
    add.apply_async((1,), expiration=60, expires=30)

    ends = [message.expires for message in waiting(app)]

    assert ends == [BEGINNING + timedelta(seconds=60), BEGINNING + timedelta(seconds=30)]


def test_a_call_may_be_routed_by_another_name_or_by_a_router_of_its_own(app: Celery) -> None:
    app.conf.task_routes = {"billing.*": {"queue": "billing"}}
    add = declare(app)

    class Mine:
        def route(self, options: Any, name: str, args: Any = (), kwargs: Any = None, task_type: Any = None) -> Any:
            return {"queue": f"{name}-{len(args)}"}

    add.apply_async((1,), route_name="billing.any")
    add.apply_async((1, 2), router=Mine())

    assert [len(waiting(app, queue)) for queue in ("billing", "add-2")] == [1, 1]


def test_a_call_may_go_over_the_connection_of_another_app(app: Celery) -> None:
    other = Celery("other", broker="memory://unit-other", backend="memory://unit-other", set_as_current=False)
    add = declare(app)

    with other.connection_for_write() as connection:
        add.apply_async((1,), connection=connection)

    assert (len(waiting(app)), len(waiting(other))) == (0, 1)


def test_a_connection_of_another_library_is_told_once_and_the_apps_own_is_used(
    app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    add = declare(app)

    class Foreign:
        pass

    for _ in range(2):
        add.apply_async((1,), producer=Foreign())

    assert len(waiting(app)) == 2
    assert [record.levelname for record in caplog.records if "Foreign" in record.getMessage()] == ["WARNING"]


def test_a_result_may_be_of_a_class_of_ones_own(app: Celery) -> None:
    class Mine(AsyncResult[Any]):
        pass

    result = declare(app).apply_async((1,), result_cls=Mine)

    assert type(result) is Mine
    assert [message.id for message in waiting(app)] == [result.id]


@pytest.mark.parametrize("name", ["declare", "mandatory", "immediate", "event_dispatcher", "task_type", "exchange_type"])
def test_what_has_nothing_to_do_here_is_accepted(app: Celery, name: str) -> None:
    declare(app).apply_async((1,), **{name: None})

    assert len(waiting(app)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"time_limit": 1, "soft_time_limit": 2}, "soft_time_limit"),
        ({"priority": 300}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"countdown": 1e20}, "countdown"),
        ({"countdown": float("nan")}, "countdown"),
        ({"eta": "tomorrow"}, "eta"),
        ({"expires": "soon"}, "expires"),
        ({"timeout": 0}, "timeout"),
        ({"confirm_timeout": "long"}, "confirm_timeout"),
        ({"expiration": -1}, "expiration"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_refused_by_name(app: Celery, options: dict[str, Any], said: str) -> None:
    add = declare(app)

    with pytest.raises(ValueError, match=said):
        add.apply_async((1,), **options)

    assert waiting(app) == []


def test_an_argument_that_cannot_be_written_fails_at_the_call(app: Celery) -> None:
    add = declare(app)

    with pytest.raises(EncodeError):
        add.delay(object())


def test_a_queue_that_is_not_declared_is_refused_when_queues_are_not_made_up(app: Celery) -> None:
    app.conf.update(task_queues={"mail": {}}, task_create_missing_queues=False, task_default_queue="mail")
    add = declare(app)

    with pytest.raises(ImproperlyConfigured, match="did you mean 'mail'"):
        add.apply_async((1,), queue="mial")


def test_a_task_may_be_sent_by_its_name_alone(app: Celery) -> None:
    result = app.send_task("elsewhere.task", (1,), {"a": 2}, queue="q")

    [message] = waiting(app, "q")
    assert (message.id, message.task, message.ignore_result) == (result.id, "elsewhere.task", None)


def test_links_travel_as_plain_signatures(app: Celery) -> None:
    add = declare(app)

    add.apply_async((1,), link=add.s(2), link_error=[add.si(3)])

    [message] = waiting(app)
    assert message.callbacks is not None
    assert [(one["task"], one["args"]) for one in message.callbacks] == [("add", [2])]
    assert message.errbacks is not None
    assert message.errbacks[0]["immutable"] is True


def test_what_is_no_signature_cannot_be_linked(app: Celery) -> None:
    add = declare(app)

    with pytest.raises(TypeError, match="link takes signatures"):
        add.apply_async((1,), link=[add])


def test_secrets_can_be_kept_out_of_the_shown_arguments(app: Celery) -> None:
    add = declare(app)

    add.apply_async(("hunter2",), argsrepr="('***',)")

    [message] = waiting(app)
    assert message.argsrepr == "('***',)"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shadow": 5}, "shadow=5 must be text"),
        ({"time_limit": "x"}, "time_limit='x' must be a number of seconds"),
        ({"retries": 1.5}, "retries=1.5 must be a whole number"),
        ({"retries": True}, "retries=True must be a whole number"),
        ({"headers": [1]}, "headers=.* must be a mapping"),
        ({"router": 5}, r"router=5 has no route\(\)"),
        ({"result_cls": 5}, "result_cls=5 has no __call__"),
        ({"connection": "redis://:hunter2@here"}, r"connection and producer take .*://:\*+@here"),
        ({"ignore_result": "yes"}, "ignore_result='yes' must be True or False"),
        ({"link": "add"}, "link takes signatures"),
        ({"link": 5}, "link takes signatures"),
        ({"link_error": [1]}, "link_error takes signatures"),
        ({"soft_time_limit": -1}, "soft_time_limit=-1 must be"),
        ({"reply_to": "x" * 256}, "reply_to has 256 characters"),
    ],
)
def test_what_no_worker_could_read_is_refused_at_the_call(app: Celery, options: dict[str, Any], said: str) -> None:
    add = declare(app)

    with pytest.raises((TypeError, ValueError), match=said):
        add.apply_async((1,), **options)

    assert waiting(app) == []


@pytest.mark.parametrize(
    ("call", "place"),
    [
        ({"args": [1, {"a": [object()]}]}, r"args\[1\]\['a'\]\[0\]"),
        ({"kwargs": {"x": 1, "y": {2}}}, r"kwargs\['y'\]"),
        ({"args": [1], "link": {"task": "a", "args": [object()]}}, r"link\[0\]\['args'\]\[0\]"),
        ({"args": [1], "link_error": [{"task": "a"}, {"task": "a", "args": [{1}]}]}, r"link_error\[1\]\['args'\]\[0\]"),
        ({"args": [1], "headers": {"a": object()}}, r"headers\['a'\]"),
        ({"args": [1, {"a": [{1}]}], "serializer": "msgpack"}, r"args\[1\]\['a'\]\[0\]"),
        ({"args": [1, [lambda: 1]], "serializer": "pickle"}, r"args\[1\]\[0\]"),
    ],
)
def test_what_cannot_be_written_is_told_at_the_call_with_its_place(app: Celery, call: dict[str, Any], place: str) -> None:
    add = declare(app)

    with pytest.raises(EncodeError, match=place):
        add.apply_async(**call)

    assert waiting(app) == []


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_what_no_worker_would_read_fails_at_the_call(app: Celery, serializer: str) -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]

    with pytest.raises(EncodeError, match="args"):
        app.send_task("echo", (deep,), serializer=serializer)
    with pytest.raises(EncodeError, match="echo are 60000"):
        app.send_task("echo", ("x" * 60_000_000,), serializer=serializer)
    assert waiting(app) == []


def test_a_limit_that_no_worker_would_believe_is_refused_where_it_is_written(app: Celery) -> None:
    add = declare(app)

    with pytest.raises(ValueError, match="time_limit"):
        add.apply_async((1,), time_limit=1e12)
    with pytest.raises(ImproperlyConfigured, match="task_time_limit"):
        app.conf.task_time_limit = 1e12
