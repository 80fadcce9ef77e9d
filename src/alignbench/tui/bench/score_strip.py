"""The scores below the columns: diversity per column, similarity to the reference with its ceiling."""

from __future__ import annotations

from itertools import zip_longest

from textual import events
from textual.content import Content

from alignbench.tui.bench.comparison_lines import comparison_lines
from alignbench.tui.clickable import do_clicked
from alignbench.tui.sizes import NARROW, TALL
from alignbench.tui.styled import DIM, hue, plain
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.comparison_values import Score, ScoreTable, ShownMetric

LABEL = 18
COLUMN = 11
BORDER = 1
MOST = 9  # lines of the strip where the terminal is tall


class ScoreStrip(SteadyText):
    """Draws a `ScoreTable` in the room it has; columns that do not fit are left to the scores screen (F7)."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._table = ScoreTable()
        self._drawn: tuple[ScoreTable, int] | None = None

    def show(self, table: ScoreTable) -> None:
        """Draw a table, if it is another one than before."""
        if table != self._table:
            self._table = table
            self.tooltip = plain("\n".join(table.missing())) or None
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    async def on_click(self, event: events.Click) -> None:
        await do_clicked(self, event, "scores")

    def _draw(self) -> None:
        width = self.size.width
        if width < 20 or self._drawn == (self._table, width):
            return
        self._drawn = (self._table, width)
        table = self._table
        if width >= NARROW:
            room = max(1, min(len(table.names), (width - LABEL - 58) // COLUMN))
            left = self._columns(table, _visible(table, room), ())
            indent = left[0].cell_length
            most = MOST if self.screen.size.height >= TALL else len(left)
            right = comparison_lines(table, width - indent - 3, max(len(left), most))
            self.styles.height = max(len(left), len(right)) + BORDER
            blank = Content("")
            lines = [
                Content.assemble(row, " " * (indent - row.cell_length), ("   ", ""), beside)
                for row, beside in zip_longest(left, right, fillvalue=blank)
            ]
        else:
            self.styles.height = None
            room = max(1, (width - LABEL) // COLUMN)
            lines = self._columns(table, _visible(table, room), table.similarities)
        self.update(Content("\n").join(lines), layout=False)

    def _columns(self, table: ScoreTable, columns: list[int], cross: tuple[ShownMetric, ...]) -> list[Content]:
        """A line of names and a line a score, for these columns."""
        head = [Content.styled(f" {'Scores':<{LABEL - 1}}", "bold")]
        for at in columns:
            name = f"{letter(at)}{'*' if at == table.reference else ''} n {table.n[at]}"
            head.append(Content.styled(f"{name:>{COLUMN}}", f"{'bold ' if at == table.selected else ''}{hue(at)}"))
        lines = [Content("").join(head)]
        for metric in table.metrics:
            scores = (table.within or {}).get(metric.key, ())
            texts = [(at, scores[at], "") for at in columns] if scores else []
            lines.append(_row(f"{metric.short} {metric.arrow}".rstrip(), texts))
        for metric in cross:
            row = (table.cross or {}).get(metric.key)
            label = f"{metric.short} to {letter(table.reference)}*" if table.reference is not None else metric.short
            own = [(at, row.scores[at]) for at in columns] if row else []
            texts = (
                [(at, row.ceiling, "max ") if score is None else (at, score, "") for at, score in own] if row else []
            )
            lines.append(_row(label, texts))
        return lines


def _row(label: str, scores: list[tuple[int, Score, str]]) -> Content:
    """A label and scores, each with its column and a word before it."""
    parts = [Content.styled(f" {label:<{LABEL - 1}}", DIM)]
    for at, score, word in scores:
        style = DIM if score.value is None or word else hue(at)
        parts.append(Content.styled(f"{word + score.text:>{COLUMN}}", style))
    return Content("").join(parts)


def _visible(table: ScoreTable, room: int) -> list[int]:
    """The columns to show where not all fit: the reference, and those around the selected one."""
    count = len(table.names)
    if count <= room:
        return list(range(count))
    first = max(0, min(table.selected - room // 2, count - room))
    shown = list(range(first, first + room))
    if table.reference is not None and table.reference not in shown and room > 1:
        shown[0 if table.reference < first else -1] = table.reference
    return sorted({*shown, table.selected})
