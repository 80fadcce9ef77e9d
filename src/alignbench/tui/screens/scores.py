"""All scores of the prompt on the Bench: a row per score, a column per condition, and what the selected one means."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from alignbench.tui.actions import SCORES, bindings
from alignbench.tui.scoretable import COUNTS, CROSS, WITHIN, Metric, Score, ScoreTable
from alignbench.tui.state import letter
from alignbench.tui.text import one_line
from alignbench.tui.widgets.keys import Keys

if TYPE_CHECKING:
    from alignbench.tui.screens.bench import BenchScreen

LABEL = 24
COLUMN = 14


class ScoresScreen(Screen[None]):
    """Follows the Bench: scores move here too while samples arrive."""

    CSS_PATH = "scores.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("scores", SCORES)]
    AUTO_FOCUS = None
    HELP = "Arrows choose a score; below the table stands what it means, and why it is missing where it is a dash."

    def __init__(self, bench: BenchScreen) -> None:
        super().__init__()
        self._bench = bench
        self._row = 0

    def compose(self) -> ComposeResult:
        yield Static(" Scores of this prompt", id="heading", markup=False)
        yield Static("", id="prompt-line", markup=False)
        yield Static("", id="table", markup=False)
        yield Static("", id="detail", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        self._bench.changed.subscribe(self, self._update)

    def on_resize(self) -> None:
        self._update()

    @property
    def _rows(self) -> list[tuple[Metric, bool]]:
        return [*((metric, False) for metric in (*WITHIN, *COUNTS)), *((metric, True) for metric in CROSS)]

    def _update(self, _: None = None) -> None:
        table = self._bench.table
        self.query_one("#prompt-line", Static).update(Content(one_line(self._bench.bench.prompt.text, 200)))
        width = max(40, self.size.width)
        room = max(1, (width - LABEL - 2) // COLUMN)
        first = max(0, min(table.selected - room + 1, len(table.names) - room))
        columns = range(first, min(len(table.names), first + room))
        lines = self._head(table, columns)
        for at, (metric, cross) in enumerate(self._rows):
            if cross and metric is CROSS[0]:
                lines.append(self._cross_head(table))
            lines.append(self._line(table, at, metric, cross, columns))
        self.query_one("#table", Static).update(Content("\n").join(lines))
        self.query_one("#detail", Static).update(self._detail(table))

    def _head(self, table: ScoreTable, columns: range) -> list[Content]:
        names = [Content(" " * LABEL)]
        counts = [Content.styled(f"  {'samples':<{LABEL - 2}}", "$foreground 60%")]
        for at in columns:
            mark = "*" if at == table.reference else ""
            name = f"{letter(at)} {one_line(table.names[at], COLUMN - 4 - len(mark))}{mark}"
            names.append(Content.styled(f"{name:>{COLUMN}}", "bold" if at == table.selected else "$foreground 60%"))
            counts.append(Content(f"{table.n[at]:>{COLUMN}}"))
        return [Content("").join(names), Content("").join(counts)]

    def _cross_head(self, table: ScoreTable) -> Content:
        if table.reference is None:
            return Content.styled("  similarity: mark a reference with * on the Bench", "$foreground 60%")
        name = one_line(table.names[table.reference], 30)
        return Content.styled(
            f"  similarity to {letter(table.reference)}* {name} (its own number is the ceiling)", "bold"
        )

    def _line(self, table: ScoreTable, at: int, metric: Metric, cross: bool, columns: range) -> Content:
        mark = "▶ " if at == self._row else "  "
        label = f"{mark}{metric.label} {metric.arrow}".rstrip()
        parts: list[Content | str] = [Content.styled(f"{label:<{LABEL}}", "bold" if at == self._row else "")]
        for column in columns:
            score, ceiling = _score(table, metric, cross, column)
            text = f"ceiling {score.text}" if ceiling else score.text
            chosen = at == self._row and column == table.selected
            style = "reverse" if chosen else "$foreground 60%" if score.value is None else ""
            parts += [" " * (COLUMN - len(text)), Content.styled(text, style)]
        return Content.assemble(*parts)

    def _detail(self, table: ScoreTable) -> Content:
        metric, cross = self._rows[self._row]
        lines = []
        if table.names:
            score, ceiling = _score(table, metric, cross, table.selected)
            who = f"{letter(table.selected)} {one_line(table.names[table.selected], 40)}, {metric.label}"
            if score.value is None and score.reason:
                lines.append(Content.styled(f"{who}: no value: {score.reason}", "bold $text-warning"))
            else:
                lines.append(Content.styled(f"{who}: {'ceiling ' if ceiling else ''}{score.text}", "bold"))
        lines.append(Content(metric.help))
        if metric.arrow:
            lines.append(Content.styled(f"{metric.arrow} a higher number is more diverse", "$foreground 60%"))
        return Content("\n").join(lines)

    def action_back(self) -> None:
        self.dismiss(None)

    def action_row_up(self) -> None:
        self._row = max(0, self._row - 1)
        self._update()

    def action_row_down(self) -> None:
        self._row = min(len(self._rows) - 1, self._row + 1)
        self._update()

    async def action_column_left(self) -> None:
        await self._bench.action_column_left()

    async def action_column_right(self) -> None:
        await self._bench.action_column_right()


def _score(table: ScoreTable, metric: Metric, cross: bool, column: int) -> tuple[Score, bool]:
    """A score of the table, and whether it is the reference's ceiling."""
    if not cross:
        scores = (table.within or {}).get(metric.key)
        return (scores[column] if scores else Score()), False
    row = (table.cross or {}).get(metric.key)
    if row is None:
        return Score(reason="No column is marked as the reference."), False
    score = row.scores[column]
    return (row.ceiling, True) if score is None else (score, False)
