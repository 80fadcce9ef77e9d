"""Where only one column fits: one line that names them all."""

from __future__ import annotations

from textual.content import Content

from alignbench.tui.bench.column_window import window
from alignbench.tui.clickable import clickable
from alignbench.tui.styled import DIM, SELECTED
from alignbench.tui.text import cells, middle_cut
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.state import Bench

LEAST_NAME = 6


class ColumnTabs(SteadyText):
    """The columns' letters, with their names where there is room; the selected one is marked, a click selects."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._before = 0
        self._bench = Bench()

    def show(self, bench: Bench) -> None:
        """A tab for each column, as many as fit."""
        self._bench = bench
        if self.size.width:
            self._draw(bench, self.size.width)

    def on_resize(self) -> None:
        self.show(self._bench)

    def _draw(self, bench: Bench, width: int) -> None:
        columns = bench.columns
        signs = [f"{letter(at)}{'*' if column.name == bench.reference else ''}" for at, column in enumerate(columns)]
        done = [_done(bench, column) for column in columns]
        room = (width - sum(cells(f" ▶{sign}  {n} ") for sign, n in zip(signs, done, strict=True))) // max(
            1, len(signs)
        )
        tabs = [
            f"{sign} {middle_cut(column.name, room)} {n}" if room >= LEAST_NAME else sign
            for sign, column, n in zip(signs, columns, done, strict=True)
        ]
        fit = max(1, (width - 4) // max(map(len, tabs), default=1)) if room < LEAST_NAME else len(tabs)
        in_sight = window(len(tabs), fit, selected=bench.selected, reference=None, before=self._before)
        self._before = len(in_sight.before)
        parts = [Content("‹" if in_sight.before else " ")]
        for at in in_sight.shown:
            chosen = at == bench.selected
            style = SELECTED if chosen else DIM
            parts.append(clickable(f"{'▶' if chosen else ' '}{tabs[at]} ", f"column({at})", style))
        parts.append(Content("›" if in_sight.after else ""))
        self.update(Content("").join(parts), layout=False)


def _done(bench: Bench, column: Column) -> str:
    """Finished samples of all; of imported responses how many there are."""
    done = bench.cell(column).done
    return f"{done}/{column.asked or done}"
