"""The tasks that most workflows in tests are made of: their values tell what they were called with."""

from __future__ import annotations

from typing import Any

from celeriac import Celery


def declare(app: Celery) -> dict[str, Any]:
    """Declare them in an app; return all tasks that it has now, by name."""

    @app.task(name="add")
    def add(x: int, y: int = 0) -> int:
        return x + y

    @app.task(name="double")
    def double(x: int) -> int:
        return x * 2

    @app.task(name="total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @app.task(name="shown")
    def shown(value: Any) -> str:
        return repr(value)

    @app.task(name="broken")
    def broken(*values: Any) -> None:
        raise ValueError("it broke")

    return dict(app.tasks)
