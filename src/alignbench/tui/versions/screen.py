"""The versions of a column: what each is, how close it comes to the reference, and how any two differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from alignbench.experiments.condition_changes import changes, context_words
from alignbench.tui.action import bindings
from alignbench.tui.screen import AppScreen
from alignbench.tui.sizes import HEIGHTS
from alignbench.tui.styled import DIM, SELECTED, in_hue
from alignbench.tui.text import fitted, number, one_line, padded
from alignbench.tui.versions.actions import VERSIONS
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.comparison_values import ReferenceComparison
from alignbench.tui.workbench.score_summary import bench_metrics

if TYPE_CHECKING:
    from alignbench.tui.workbench.controller import Workbench

COLUMN = 16


class VersionsScreen(AppScreen[int | None]):
    """Returns the version to put on the Bench, by its place, or None."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("versions", VERSIONS)]
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "Every change of a column that has samples makes a version; its samples stay. Space marks the version that the "
        "others are compared with. Where a hint tells of a sample of the reference, similarity is to the others."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        column = self._column
        self._at = column.version
        self._with = max(0, self._at - 1)

    @property
    def _column(self) -> Column:
        column = self._workbench.bench.column
        assert column is not None
        return column

    def compose(self) -> ComposeResult:
        yield ScreenTitle()
        with Vertical(id="listed", classes="section -selected"):
            yield SteadyText("", id="titles", markup=False)
            yield LineList(id="versions")
        yield LineList(id="differences", classes="section")
        yield Keys()

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        column, bench = self._column, self._workbench.bench
        history = column.history
        self.query_one(ScreenTitle).show("Versions", bench.prompt.text)
        name = f"{letter(bench.selected)} {one_line(column.name, 40)}"
        self.query_one("#listed").border_title = in_hue(name, bench.selected)
        room = max(16, min(40, self.size.width - 2 * COLUMN - 22))
        titles = f"    {'':<{room}}  {'n':>5} " + "".join(f"{metric.short:>{COLUMN}}" for metric in bench_metrics()[1])
        self.query_one("#titles", SteadyText).update(Content.styled(titles, DIM))
        comparisons = [self._workbench.comparison(column, version) for version in range(len(history))]
        lines = [self._line(comparisons, version, room) for version in range(len(history))]
        self.query_one("#versions", LineList).show(lines, (self._at, self._at + 1))
        self.query_one("#differences", LineList).show(self._differences(comparisons))

    def _line(self, comparisons: list[ReferenceComparison], version: int, width: int) -> Content:
        chosen, condition = version == self._at, self._column.history[version]
        mark = "▶" if chosen else " "
        mark += "=" if version == self._with else " "
        what = fitted(f"{version + 1}  {context_words(condition.context)}", width)
        comparison = comparisons[version]
        here = " on the Bench" if version == self._column.version else ""
        scores = "".join(f"{score.text:>{COLUMN}}" for score in comparison.scores)
        held = " held out" if comparison.held_out else ""
        text = f" {mark} {what}  {comparison.n:>5} {scores}{held}{here}"
        return Content.styled(padded(text, self.size.width), SELECTED) if chosen else Content(text)

    def _differences(self, comparisons: list[ReferenceComparison]) -> list[Content]:
        before, after = self._with, self._at
        title = "" if before == after else f"From version {before + 1} to version {after + 1}"
        self.query_one("#differences").border_title = Content(title)
        if before == after:
            return [Content.styled(" Choose another version to see what parts them; Space marks this one.", DIM)]
        history = self._column.history
        lines = []
        room = max(10, (self.size.width - 26) // 2)
        for what, old, new in changes(history[before], history[after]):
            values = f"{one_line(old, room)}  →  {one_line(new, room)}"
            lines.append(Content.assemble((f"   {what:<18}", DIM), values))
        pairs = zip(bench_metrics()[1], comparisons[before].scores, comparisons[after].scores, strict=True)
        for metric, old_score, new_score in pairs:
            moved = "–"
            if old_score.value is not None and new_score.value is not None:
                difference = new_score.value - old_score.value
                moved = f"{old_score.text}  →  {new_score.text}   {number(difference, new_score.digits, sign=True)}"
            lines.append(Content.assemble((f"   {metric.short:<18}", DIM), (moved, "bold")))
        return lines

    # keys

    def action_up(self) -> None:
        self._choose(self._at - 1)

    def action_down(self) -> None:
        self._choose(self._at + 1)

    def action_first(self) -> None:
        self._choose(0)

    def action_last(self) -> None:
        self._choose(len(self._column.history) - 1)

    def _choose(self, version: int) -> None:
        self._at = max(0, min(len(self._column.history) - 1, version))
        self._show()

    def action_mark(self) -> None:
        self._with = self._at
        self._show()

    def action_pick(self) -> None:
        self.dismiss(self._at)
