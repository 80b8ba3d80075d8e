"""Table: rows that come anew every second, under a cursor that stays on what was chosen.

In a screen's life: what is drawn. Does not know: what the rows mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from celeriac.cli.screens.rows import Row


class Table(DataTable[Text]):
    """A table of texts; ``j`` and ``k`` go down and up, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "down", show=False),
        Binding("k", "cursor_up", "up", show=False),
    ]

    def __init__(self, columns: Sequence[str], *, id: str) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self._titles = list(columns)
        self._keys: list[str] = []
        self._shown: list[Row] = []

    def on_mount(self) -> None:
        """Draw the headings."""
        for title in self._titles:
            self.add_column(title, key=title)

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these rows. The cursor follows the row that it is on; if that is gone, it stays where it is."""
        if [each.key for each in rows] == self._keys:
            for index, (old, new) in enumerate(zip(self._shown, rows, strict=True)):
                for column, (before, after) in enumerate(zip(old.cells, new.cells, strict=True)):
                    if before != after:
                        self.update_cell_at(Coordinate(index, column), Text(after), update_width=True)
        else:
            chosen, place = self.chosen, self.cursor_row
            self.clear()
            for each in rows:
                self.add_row(*map(Text, each.cells), key=each.key)
            self._keys = [each.key for each in rows]
            if chosen is not None and chosen in self._keys:
                place = self._keys.index(chosen)
            self.move_cursor(row=max(0, min(place, len(rows) - 1)))
        self._shown = list(rows)

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor; ``None``: there is no row."""
        return self._keys[self.cursor_row] if 0 <= self.cursor_row < len(self._keys) else None
