"""What the Bench shows: title, prompt, columns, scores. What its keys do is in `bench.py`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import Static

from alignbench.tui.bench.column import ColumnView
from alignbench.tui.bench.column_tabs import ColumnTabs
from alignbench.tui.bench.prompt_box import PromptBox
from alignbench.tui.bench.score_strip import ScoreStrip
from alignbench.tui.bench.title_bar import TitleBar, place
from alignbench.tui.sizes import HEIGHTS, NARROW, WIDTHS
from alignbench.tui.text import clock, count, printable
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.workbench.comparison_values import ScoreTable
from alignbench.tui.workbench.state import Bench, BenchSample, Column

if TYPE_CHECKING:
    from alignbench.tui.workbench.controller import Workbench

FRAME = 1 / 10  # seconds between two updates of the screen while text streams in
LEAST_WIDTH = 38  # of a column beside others
LONGEST = 500  # characters of a notification


class BenchView(Screen[None]):
    """Draws the workbench, and follows what happens in it."""

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None

    class Happened(Message):
        """Another thread has something: events of a run, or scores."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self.cursor = 0  # index of the selected sample, the same in every column
        self.whole = False
        self.table = ScoreTable()
        self.changed: Signal[None] = Signal(self, "changed")
        self._drawn = 0.0
        self._pending = False
        self._laying_out = asyncio.Lock()
        self._offered: tuple[bool | None, ...] = ()

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        yield PromptBox(id="prompt")
        yield ColumnTabs(id="tabs")
        yield Horizontal(id="columns")
        yield Static("No column. Press a to add one.", id="none", markup=False)
        yield ScoreStrip(id="scores")
        yield Keys()

    def on_resize(self) -> None:
        self._share_width()

    def on_mount(self) -> None:
        self.set_interval(0.5, self._tick)

    # showing

    @property
    def bench(self) -> Bench:
        return self.workbench.bench

    @property
    def column(self) -> Column | None:
        return self.bench.column

    @property
    def sample(self) -> BenchSample | None:
        """The selected sample."""
        if (column := self.column) is None:
            return None
        return next((s for s in self.bench.cell(column).ordered(column.n) if s.index == self.cursor), None)

    async def lay_out(self) -> None:
        """Bring everything up to date, the number of columns included."""
        holder = self.query_one("#columns", Horizontal)
        async with self._laying_out:
            views = list(self.query(ColumnView))
            for view in views[len(self.bench.columns) :]:
                await view.remove()
            if (missing := len(self.bench.columns) - len(views)) > 0:
                await holder.mount_all(ColumnView() for _ in range(missing))
        self.set_class(not self.bench.columns, "-empty")
        self._share_width()
        self.show()
        views = list(self.query(ColumnView))
        if 1 < len(views) == len(self.bench.columns):
            self.call_after_refresh(holder.scroll_to_widget, views[self.bench.selected], animate=False)

    def _share_width(self) -> None:
        """Columns share the width; where they would get too narrow, those that do not fit are scrolled to."""
        views = self.query(ColumnView)
        fit = max(1, self.size.width // LEAST_WIDTH)
        for view in views:
            view.styles.width = "1fr" if len(views) <= fit or self.size.width < NARROW else self.size.width // fit

    def show(self, scores: bool = True) -> None:
        """Draw what changed; scores only where they may have."""
        bench = self.bench
        if scores:
            self.table = self.workbench.scores()
            self.query_one(ScoreStrip).show(self.table)
        self.query_one(PromptBox).show(bench.prompt)
        for at, (view, column) in enumerate(zip(self.query(ColumnView), bench.columns, strict=False)):
            view.show(
                at,
                column,
                bench.cell(column),
                selected=at == bench.selected,
                reference=column.name == bench.reference,
                cursor=self.cursor,
                whole=self.whole,
            )
        self.query_one(TitleBar).show(bench.name, place(bench), self._state())
        self.query_one(ColumnTabs).show(bench)
        offered = tuple(self.check_action(name, ()) for name in ("cancel", "sample"))
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()
        self.changed.publish(None)

    def _state(self) -> str:
        """Models, speed and time, for the first line."""
        cells = self.bench.cells.values()
        loading = {cell.model for cell in cells if cell.status == "loading"}
        ready = {column.condition.model.name for column in self.bench.columns} & self.workbench.loaded
        parts = [f"{count(len(loading), 'model')} loading" if loading else f"{count(len(ready), 'model')} ready"]
        if rate := sum(cell.rate.per_second() for cell in cells if cell.status == "sampling"):
            parts.append(f"{rate:.0f} tok/s")
        if self.workbench.seconds:
            parts.append(clock(self.workbench.seconds))
        return "   ".join(parts if ready or loading else parts[1:])

    def _tick(self) -> None:
        if self.workbench.busy:
            self.show(scores=False)

    def on_bench_view_happened(self) -> None:
        """Take events at most 10 times a second; the last ones are always taken."""
        if self._pending:
            return
        wait = self._drawn + FRAME - time.monotonic()
        if wait > 0:
            self._pending = True
            self.set_timer(wait, self._take)
        else:
            self._take()

    def _take(self) -> None:
        self._pending = False
        self._drawn = time.monotonic()
        for message in self.workbench.drain():
            self.tell(message, severity="error")
        self.show(scores=self.workbench.scores_moved())

    def tell(self, message: str, severity: str = "information") -> None:
        """A notification; its text is data."""
        self.notify(printable(message[:LONGEST]), severity=severity, markup=False)  # type: ignore[arg-type]
