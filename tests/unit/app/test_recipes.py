"""What holds for every call of a task: the settings say the same of a task that is known here and of one that is not."""

from __future__ import annotations

from celeriac import Celery
from celeriac.app.recipes import EVERY_LEVEL


def test_the_settings_hold_for_known_and_unknown_tasks_alike(app: Celery) -> None:
    app.conf.update(
        task_repr_maxlevels=7, task_inherit_parent_priority=True, task_default_delivery_mode="transient", task_serializer="yaml"
    )

    @app.task(name="known")
    def known() -> None:
        return None

    for recipe in (app.recipe_of("known"), app.recipe_of("unknown")):
        assert (recipe.repr_levels, recipe.inherit_priority, recipe.delivery_mode, recipe.serializer) == (7, True, 1, "yaml")


def test_without_a_limit_arguments_are_shown_however_deep_they_are(app: Celery) -> None:
    app.conf.task_repr_maxlevels = None

    assert app.recipe_of("unknown").repr_levels == EVERY_LEVEL
