"""Arguments of a call: a list or tuple, and a mapping."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery, group
from unit.app.serving import waiting


@pytest.mark.parametrize("args", ["ab", 5, {1, 2}, {"x": 1}, b"ab"])
def test_what_is_no_list_of_arguments_is_refused_at_the_call(app: Celery, args: Any) -> None:
    @app.task(typing=False)
    def add(x: int, y: int) -> int:
        return x + y

    with pytest.raises(TypeError, match="args must be a list or tuple"):
        add.apply_async(args)
    with pytest.raises(TypeError, match="args must be a list or tuple"):
        app.send_task("add", args)
    with pytest.raises(TypeError, match="args must be a list or tuple"):
        add.signature(args)
    with pytest.raises(TypeError, match="args must be a list or tuple"):
        add.s().apply_async(args)
    with pytest.raises(TypeError, match="args must be a list or tuple"):
        group([add.s()], app=app).apply_async(args)

    assert waiting(app) == []


@pytest.mark.parametrize("kwargs", ["ab", 5, [("x", 1)]])
def test_what_is_no_mapping_of_names_is_refused_at_the_call(app: Celery, kwargs: Any) -> None:
    @app.task
    def add(x: int = 0) -> int:
        return x

    with pytest.raises(TypeError, match="kwargs must be a mapping"):
        add.apply_async((), kwargs)
    with pytest.raises(TypeError, match="kwargs must be a mapping"):
        app.send_task("add", (), kwargs)

    assert waiting(app) == []


def test_no_arguments_may_be_said_in_any_way(app: Celery) -> None:
    @app.task
    def none() -> None:
        return None

    none.apply_async()
    none.apply_async(None, None)
    none.apply_async([], {})

    assert [(list(message.args), message.kwargs) for message in waiting(app)] == [([], {})] * 3
