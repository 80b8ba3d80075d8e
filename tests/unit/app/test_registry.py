"""The registry of an app's tasks: a mapping that may grow while it is read."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery, NotRegistered, Task
from celeriac.app.registry import TaskRegistry


class Named(Task[..., Any]):
    """A task that has nothing but a name."""

    def __init__(self, name: str, type: str | None = None) -> None:
        self.name = name
        if type is not None:
            self.type = type


def registry_of(*tasks: Named) -> TaskRegistry:
    registry = TaskRegistry()
    for task in tasks:
        registry.register(task)
    return registry


def test_a_task_answers_to_its_name_until_it_is_unregistered() -> None:
    one, other = Named("one"), Named("other")
    registry = registry_of(one, other)

    registry.unregister("one")
    registry.unregister(other)

    assert dict(registry) == {}
    with pytest.raises(NotRegistered, match="'one'"):
        registry.unregister("one")


def test_an_unknown_name_is_a_key_error_that_names_the_nearest() -> None:
    registry = registry_of(Named("shop.charge"))

    with pytest.raises(KeyError, match=r"did you mean 'shop\.charge'"):
        registry["shop.chrage"]
    assert registry.get("shop.chrage", "nothing") == "nothing"
    assert "shop.chrage" not in registry


def test_tasks_may_be_registered_while_others_are_gone_through() -> None:
    registry = registry_of(Named("a"), Named("b"))

    for gone_through in (registry, registry.keys(), registry.values(), registry.items()):
        for number, _ in enumerate(gone_through):
            registry.register(Named(f"{id(gone_through)}-{number}"))

    assert len(registry) > 4


def test_tasks_are_told_apart_by_their_type() -> None:
    registry = registry_of(Named("a"), Named("b", "periodic"))

    assert (list(registry.regular()), list(registry.periodic())) == (["a"], ["b"])


def test_a_task_that_is_elsewhere_is_found_and_not_listed(app: Celery) -> None:
    far = Named("far")
    registry = TaskRegistry(elsewhere=lambda name: far if name == "far" else None)

    assert registry["far"] is registry.get("far") is far
    assert "far" in registry
    assert (list(registry), len(registry), registry.own("far")) == ([], 0, None)
