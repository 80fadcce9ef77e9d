"""Where only one column fits: one line that names them all."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from alignbench.tui.styled import DIM, SELECTED
from alignbench.tui.text import one_line
from alignbench.tui.workbench.state import Bench, letter


class ColumnTabs(Static):
    """The columns' letters and names; the selected one is marked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def show(self, bench: Bench) -> None:
        """Name, reference mark and progress of each column, as much as fits."""
        columns = bench.columns
        room = max(6, self.size.width // max(1, len(columns)) - 14)
        parts: list[Content] = []
        for at, column in enumerate(columns):
            arrow = "▶" if at == bench.selected else " "
            mark = "*" if column.name == bench.reference else ""
            done = f"{bench.cell(column).done}/{column.n}"
            text = f" {arrow}{letter(at)} {one_line(column.name, room)}{mark} {done} "
            parts.append(Content.styled(text, SELECTED if at == bench.selected else DIM))
        self.update(Content("").join(parts), layout=False)
