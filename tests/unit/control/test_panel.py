"""Commands are registered by name, with what people and the command line need to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from celeriac.control.panel import Panel, control_command, inspect_command


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    data, meta = dict(Panel.data), dict(Panel.meta)
    yield
    Panel.data.clear()
    Panel.data.update(data)
    Panel.meta.clear()
    Panel.meta.update(meta)


def test_a_command_is_known_by_its_name_and_its_alias() -> None:
    @inspect_command(alias="dump_depth", signature="[N=1]", args=[("n", int)], default_timeout=2.0)
    def depth(state: Any, n: int = 1) -> int:
        """Tell how deep.

        More of it.
        """
        return n

    assert Panel.data["depth"] is Panel.data["dump_depth"] is depth
    known = Panel.meta["depth"]
    assert (known.type, known.help, known.signature, known.args, known.default_timeout, known.visible) == (
        "inspect",
        "Tell how deep.",
        "[N=1]",
        [("n", int)],
        2.0,
        True,
    )


def test_a_decorator_may_stand_alone_and_a_name_be_chosen() -> None:
    @control_command
    def plain(state: Any) -> None:
        """Do nothing."""

    @control_command(name="other", visible=False)
    def named(state: Any) -> None:
        """Do nothing."""

    assert (Panel.meta["plain"].type, Panel.meta["other"].visible) == ("control", False)
    assert Panel.data["other"] is named
