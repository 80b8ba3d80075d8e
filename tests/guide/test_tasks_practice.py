"""The examples of Celery's chapter "Tasks", about good practice: unwanted results, tasks that call tasks, what is passed on."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from celeriac import Celery, allow_join_result, states
from guide.conftest import Serve


@pytest.mark.parametrize(
    ("setting", "option", "call", "kept"),
    [
        (None, None, None, True),
        (True, None, None, False),
        (None, True, None, False),
        (None, None, True, False),
        (True, False, None, True),
        (True, None, False, True),
        (None, True, False, True),
        (None, False, True, False),
    ],
)
def test_the_call_then_the_task_then_the_setting_say_whether_a_result_is_wanted(
    app: Celery, serve: Serve, setting: bool | None, option: bool | None, call: bool | None, kept: bool
) -> None:
    if setting is not None:
        app.conf.task_ignore_result = setting
    declare: Any = app.task
    plus = declare(name="plus", **({} if option is None else {"ignore_result": option}))(lambda x, y: x + y)
    wanted = app.task(name="wanted", ignore_result=False)(lambda: None)
    serve()

    result = plus.apply_async((1, 2), **({} if call is None else {"ignore_result": call}))
    wanted.delay().get(timeout=5)

    assert result.get(timeout=5) == (3 if kept else None)
    assert app.AsyncResult(result.id).state == (states.SUCCESS if kept else states.PENDING)


def page_tasks(app: Celery) -> tuple[Any, Any, dict[str, str]]:
    """Give two tasks that fetch and parse a page, and the pages."""
    pages = {"/": "<h1>home</h1>"}

    @app.task
    def fetch(url: str) -> str:
        return pages[url]

    @app.task
    def parse(page: str) -> str:
        return page.removeprefix("<h1>").removesuffix("</h1>")

    return fetch, parse, pages


def test_a_task_that_waits_for_another_one_is_refused(app: Celery, serve: Serve) -> None:
    fetch, _, _ = page_tasks(app)

    @app.task
    def update(url: str) -> str:
        return str(fetch.delay(url).get(timeout=5))

    serve()

    with pytest.raises(RuntimeError):
        update.delay("/").get(timeout=5)


def test_callbacks_do_without_waiting(app: Celery, serve: Serve) -> None:
    stored: dict[str, str] = {}
    done = threading.Event()
    fetch, parse, _ = page_tasks(app)

    @app.task(ignore_result=True)
    def store(title: str, url: str) -> None:
        stored[url] = title
        done.set()

    serve()
    parsing = parse.s()
    parsing.link(store.s("/"))
    fetch.apply_async(("/",), link=parsing)

    assert done.wait(5)
    assert stored == {"/": "home"}


@pytest.mark.parametrize("how", ["argument", "block"])
def test_whoever_must_may_wait_inside_a_task(app: Celery, serve: Serve, how: str) -> None:
    fetch, parse, _ = page_tasks(app)

    @app.task
    def update(url: str) -> str:
        if how == "argument":
            page = fetch.delay(url).get(disable_sync_subtasks=False, timeout=5)
            return str(parse.delay(page).get(disable_sync_subtasks=False, timeout=5))
        with allow_join_result():
            return str(parse.delay(fetch.delay(url).get(timeout=5)).get(timeout=5))

    serve(pool="threads", concurrency=2)

    assert update.delay("/").get(timeout=10) == "home"


def test_an_id_is_passed_on_and_what_it_names_is_read_when_the_task_runs(app: Celery, serve: Serve) -> None:
    articles = {102: "MyCorp is here"}

    @app.task
    def expand(article_id: int) -> str:
        articles[article_id] = articles[article_id].replace("MyCorp", "My Corporation")
        return articles[article_id]

    sent = expand.delay(102)
    articles[102] = "MyCorp was here first"  # by somebody else, while it waits
    serve()

    assert sent.get(timeout=5) == "My Corporation was here first"
