"""Dialogs of the screens: something to read, something to type.

In a screen's life: over it, until a key is pressed. Text comes from stores and nodes: it is shown as it is, and never as markup.
Does not know: what is read or typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

BOX = """
    align: center middle;
    #box { width: 90%; max-height: 80%; height: auto; border: round $accent; padding: 0 1; background: $surface; }
"""


class Reading(ModalScreen[None]):
    """A title and lines. Any of a few keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,space", "dismiss", "close", show=False)]
    DEFAULT_CSS = "Reading {" + BOX + "}"

    def __init__(self, title: str, lines: Iterable[str]) -> None:
        super().__init__()
        self._title, self._lines = title, list(lines)

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with VerticalScroll(id="box"):
            yield Static(Text(self._title, style="bold underline"))
            yield Static(Text("\n".join(self._lines) or "nothing is known"))
            yield Static(Text("escape, enter: back", style="dim"))


class Typing(ModalScreen[str | None]):
    """A question and a line to type; the answer is what was typed, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "back", show=False)]
    DEFAULT_CSS = "Typing {" + BOX + "}"

    def __init__(self, question: str, *, value: str = "") -> None:
        super().__init__()
        self._question, self._value = question, value

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(id="box"):
            yield Static(Text(self._question, style="bold"))
            yield Input(value=self._value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: that is the answer."""
        self.dismiss(event.value.strip())

    def action_give_up(self) -> None:
        """Escape: there is none."""
        self.dismiss(None)


class Asking(ModalScreen[bool]):
    """A question to be answered by ``y`` or by any other key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n,escape,enter,q", "answer(False)", "no", show=False),
    ]
    DEFAULT_CSS = "Asking {" + BOX + "}"

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(id="box"):
            yield Static(Text(self._question, style="bold"))
            yield Static(Text("y: yes   n: no", style="dim"))

    def action_answer(self, yes: bool) -> None:
        """That is the answer."""
        self.dismiss(yes)
