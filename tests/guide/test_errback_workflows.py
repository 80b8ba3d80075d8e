"""``link_error`` may be a whole workflow, on every store: a chain, a group, a chord, as in Celery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery, chord, group
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10
WHOLE = pytest.mark.parametrize("kind", ["chain", "group", "chord", "chord after a task", "chord of none"])


class Fire:
    """Tasks that fail, and what is heard of it."""

    def __init__(self, app: Celery) -> None:
        self.heard: list[Any] = []

        @app.task(name="burns")
        def burns(*args: Any) -> None:
            raise ValueError("it burns")

        @app.task(name="hear")
        def hear(*args: Any) -> Any:
            self.heard.append(args)
            return args[-1]

        self.burns, self.hear = burns, hear

    def errback(self, kind: str) -> tuple[Any, Callable[[str], list[Any]]]:
        """Return a workflow, and what it makes heard when the task of an id has failed."""
        hear = self.hear
        known: dict[str, tuple[Any, Callable[[str], list[Any]]]] = {
            "chain": (hear.s("A") | hear.s("B"), lambda failed: [(failed, "A"), ("A", "B")]),
            "group": (group(hear.s("A"), hear.si("B")), lambda failed: [("B",), (failed, "A")]),
            "chord": (chord([hear.s("A"), hear.si("B")], hear.s("C")), lambda failed: [("B",), (["A", "B"], "C"), (failed, "A")]),
            "chord after a task": (
                hear.si("Z") | group(hear.si("A"), hear.si("B")) | hear.s("C"),
                lambda failed: [("A",), ("B",), ("Z",), (["A", "B"], "C")],
            ),
            "chord of none": (group([]) | hear.s("C"), lambda failed: [([], "C")]),
        }
        return known[kind]

    def hears(self, expected: list[Any]) -> None:
        """Wait until this has been heard, in whatever order."""
        eventually(lambda: sorted(self.heard, key=str) == sorted(expected, key=str), within_s=WAIT_S, what=f"{expected}")


@pytest.fixture
def fire(app: Celery) -> Fire:
    return Fire(app)


@WHOLE
def test_a_failure_sends_a_workflow_which_hears_the_id_of_the_failed_task(kind: str, fire: Fire, serve: Serve) -> None:
    serve()
    errback, heard = fire.errback(kind)

    result = fire.burns.apply_async((1,), link_error=errback)

    fire.hears(heard(result.id))


@WHOLE
def test_the_failure_of_a_member_sends_what_is_linked_to_the_body(kind: str, fire: Fire, serve: Serve) -> None:
    serve()
    errback, heard = fire.errback(kind)

    result = chord([fire.burns.s(), fire.burns.s()], fire.hear.s()).apply_async(link_error=errback)

    fire.hears(heard(result.id))


@WHOLE
def test_so_does_a_task_that_nobody_knows(kind: str, app: Celery, fire: Fire, serve: Serve) -> None:
    serve()
    errback, heard = fire.errback(kind)

    result = app.send_task("unheard_of", link_error=errback)

    fire.hears(heard(result.id))


@WHOLE
@pytest.mark.parametrize("url", ["memory://errbacks-applied"])
def test_so_does_one_that_is_run_here_and_now(kind: str, app: Celery, fire: Fire) -> None:
    app.conf.task_always_eager = True
    errback, heard = fire.errback(kind)

    result = fire.burns.apply_async(link_error=errback)

    fire.hears(heard(result.id))
