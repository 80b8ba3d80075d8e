"""Chords whose members take longer than results are kept."""

from __future__ import annotations

from celeriac import Celery, chord
from guide.conftest import Serve

WAIT_S = 20


def test_a_chord_ends_though_no_member_of_it_ends_within_the_life_of_results(app: Celery, serve: Serve) -> None:
    app.conf.result_expires = 1

    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    serve()

    result = chord([add.s(1, 1).set(countdown=2), add.s(2, 2).set(countdown=2)])(total.s())

    assert result.get(timeout=WAIT_S) == 6
