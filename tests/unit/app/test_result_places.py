"""Where results are: the app's place, those that tasks name, and what programs do with them by hand."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, GroupResult, group
from celeriac.abc import ResultBackend
from celeriac.app.results.backend_view import DisabledView
from celeriac.core.errors import ImproperlyConfigured
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from unit.app.serving import waiting


def an_app(name: str, **settings: Any) -> Celery:
    return Celery(name, broker=f"memory://{name}", backend=f"memory://{name}", set_as_current=False, **settings)


def test_the_result_of_a_task_with_a_backend_of_its_own_is_looked_for_there() -> None:
    app = an_app("own-place")

    @app.task(backend="memory://own-place-results")
    def charge() -> None: ...

    result = charge.delay()
    charge.backend.mark_as_done(result.id, "paid")

    assert result.get(timeout=1) == "paid"
    assert charge.AsyncResult(result.id).state == "SUCCESS"
    assert app.AsyncResult(result.id).state == "PENDING"
    assert app.AsyncResult(result.id, backend=charge.backend).state == "SUCCESS"
    assert AsyncResult(result.id, "memory://own-place-results", app=app).state == "SUCCESS"


def test_however_the_task_is_called_its_result_knows_the_place() -> None:
    app = an_app("however")

    @app.task(name="charge", backend="memory://however-results")
    def charge() -> None: ...

    results = [
        charge.delay(),
        charge.apply_async(),
        charge.s().delay(),
        app.send_task("charge"),
        *group([charge.s()]).apply_async(),
    ]

    assert [result.backend.url for result in results] == ["memory://however-results"] * 5
    assert len(waiting(app)) == 5


def test_the_backend_may_be_an_object_a_class_attribute_or_set_later() -> None:
    app, store = an_app("kinds-of-place"), MemoryStore(runtime=VirtualRuntime(seed=1))
    backend: ResultBackend = store

    class Kept(app.Task):  # type: ignore[name-defined, misc]
        backend = "memory://kinds-of-place-class"

    @app.task(backend=backend)
    def one() -> None: ...

    @app.task(base=Kept)
    def two() -> None: ...

    @app.task
    def three() -> None: ...

    three.backend = "memory://kinds-of-place-later"

    one.backend.mark_as_done("a", 1)
    assert list(store.load(["a"])) != [None]
    assert two.backend.url == "memory://kinds-of-place-class"
    assert three.backend.url == "memory://kinds-of-place-later"
    assert three.delay().backend == three.backend


def test_the_place_of_the_app_is_the_same_place_by_whatever_name() -> None:
    app = an_app("same-place")

    assert app.results_at("memory://same-place") is app.results
    assert app.results_at(app.backend) is app.results
    assert app.results_at("memory://another") is app.results_at("memory://another")
    assert app.results_elsewhere("memory://same-place") is None


@pytest.mark.parametrize("place", ["nonsense://", 7, object()])
def test_what_is_no_place_is_told_with_what_would_be_one(place: Any) -> None:
    app = an_app("no-place")

    with pytest.raises(ImproperlyConfigured, match=r"nonsense|a URL such as"):
        app.results_at(place)


def test_a_result_of_another_place_is_pickled_with_its_url() -> None:
    app = an_app("pickled-place")
    app.set_current()
    place = app.backend_at("memory://pickled-place-results")
    result = AsyncResult[int]("a", place, app=app)

    twin = pickle.loads(pickle.dumps(result))
    place.mark_as_done("a", 3)

    assert twin.get(timeout=1) == 3
    with pytest.raises(TypeError, match="as_uri"):
        pickle.dumps(place)


def test_a_group_whose_members_have_several_places_is_waited_for_as_one() -> None:
    app = an_app("several-places")
    here, there = app.backend, app.backend_at("memory://several-places-results")
    results: GroupResult[int] = app.GroupResult("g", [app.AsyncResult("a"), app.AsyncResult("b", backend=there)])
    here.mark_as_done("a", 1)

    assert (results.ready(), results.completed_count()) == (False, 1)
    there.mark_as_done("b", 2)

    assert results.get(timeout=1) == [1, 2]
    results.forget()
    assert (here.get_state("a"), there.get_state("b"), results.ready()) == ("PENDING", "PENDING", False)


def test_programs_read_and_write_states_by_hand(app: Celery) -> None:
    backend = app.backend

    backend.mark_as_started("a", pid=7)
    assert (backend.get_state("a"), backend.get_result("a")) == ("STARTED", {"pid": 7})
    backend.mark_as_failure("a", KeyError("gone"), traceback="Traceback ...")
    meta = backend.get_task_meta("a")
    assert (meta["status"], type(meta["result"]), meta["traceback"]) == ("FAILURE", KeyError, "Traceback ...")
    assert (backend.get_status("a"), backend.get_traceback("a"), backend.get_children("a")) == ("FAILURE", "Traceback ...", [])
    assert backend.task_result_exists("a") is True
    backend.forget("a")
    assert backend.task_result_exists("a") is False
    backend.mark_as_retry("b", ValueError("again"))
    assert backend.get_state("b") == "RETRY"
    backend.mark_as_revoked("b", "expired")
    assert backend.get_state("b") == "REVOKED"
    backend.store_result("c", {"current": 1}, "PROGRESS")
    backend.mark_as_done("d", 4, store_result=False)
    assert (backend.get_result("c"), backend.get_state("d")) == ({"current": 1}, "PENDING")
    assert [id_ for id_, _ in backend.get_many(["b"], timeout=1)] == ["b"]


def test_a_backend_shows_its_url_without_the_password() -> None:
    app = an_app("masked")

    backend = app.backend_at("redis://user:secret@localhost:1/3")

    assert "secret" not in backend.as_uri() + repr(backend)
    assert backend.as_uri(include_password=True) == "redis://user:secret@localhost:1/3"
    assert Celery("none", broker="memory://masked-none", set_as_current=False).backend.as_uri() == "disabled://"


def test_results_are_kept_as_long_as_the_setting_says() -> None:
    app = an_app("expires", result_expires=60)

    assert app.backend.expires is not None
    assert app.backend.expires.total_seconds() == 60
    app.conf.result_expires = None
    assert app.backend.expires is None


def test_failures_may_be_kept_for_another_time(app: Celery, clock: VirtualRuntime) -> None:
    app.conf.update(result_expires=60, result_failure_expires=3600)
    app.backend.mark_as_done("good", 1)
    app.backend.mark_as_failure("bad", KeyError("gone"))

    clock.advance(61)

    assert (app.backend.get_state("good"), app.backend.get_state("bad")) == ("PENDING", "FAILURE")


def test_what_result_accept_content_does_not_name_is_not_read() -> None:
    app = an_app("accept", result_serializer="pickle")
    app.backend.mark_as_done("a", {1, 2})

    with pytest.raises(Exception, match="result_accept_content"):
        app.AsyncResult("a").get(timeout=1)
    app.conf.result_accept_content = ["pickle"]

    assert app.AsyncResult("a").get(timeout=1) == {1, 2}


def test_programs_see_by_its_class_that_there_is_no_result_backend() -> None:
    without = Celery("without", broker="memory://without", set_as_current=False)
    with_one = Celery("with", broker="memory://without", backend="memory://without", set_as_current=False)

    seen = [isinstance(app.backend, DisabledView) for app in (without, with_one)]

    assert seen == [True, False]
