"""The Bench: a prompt, a column per condition, scores below."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import Footer, Static

from alignbench.errors import AlignbenchError
from alignbench.spec import Prompt
from alignbench.tui.actions import BENCH, bindings
from alignbench.tui.output import copy_sample, save_sample
from alignbench.tui.scoretable import ScoreTable
from alignbench.tui.state import Bench, Column, Sample
from alignbench.tui.text import clock, count, shown
from alignbench.tui.widgets.column import ColumnView
from alignbench.tui.widgets.column_tabs import ColumnTabs
from alignbench.tui.widgets.prompt_box import PromptBox
from alignbench.tui.widgets.score_strip import ScoreStrip
from alignbench.tui.widgets.title_bar import TitleBar, place

if TYPE_CHECKING:
    from alignbench.tui.workbench import Workbench

FRAME = 1 / 10  # seconds between two updates of the screen while text streams in
NARROW = 100  # below this width there is one column at a time
LEAST_WIDTH = 38  # of a column beside others
MORE = 5  # samples that + adds

WIDTHS = [(0, "-narrow"), (NARROW, "-wide")]
HEIGHTS = [(0, "-low"), (30, "-tall")]


class BenchScreen(Screen[None]):
    """Shows the workbench and turns keys into what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("bench", BENCH)]
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "A prompt on top, a column per condition, scores below. F5 draws samples from every column; "
        "* marks the reference, which the others are compared with. Everything that finished is in the database."
    )

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
        self._offered: tuple[bool | None, ...] = ()

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        yield PromptBox(id="prompt")
        yield ColumnTabs(id="tabs")
        yield Horizontal(id="columns")
        yield Static("No column. Press a to add one.", id="none", markup=False)
        yield ScoreStrip(id="scores")
        yield Footer(show_command_palette=False)

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(Footer).compact = event.size.width < NARROW
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
    def sample(self) -> Sample | None:
        """The selected sample."""
        if (column := self.column) is None:
            return None
        return next((s for s in self.bench.cell(column).ordered(column.n) if s.index == self.cursor), None)

    async def lay_out(self) -> None:
        """Bring everything up to date, the number of columns included."""
        views = list(self.query(ColumnView))
        holder = self.query_one("#columns", Horizontal)
        for view in views[len(self.bench.columns) :]:
            await view.remove()
        if (missing := len(self.bench.columns) - len(views)) > 0:
            await holder.mount_all(ColumnView() for _ in range(missing))
        self.set_class(not self.bench.columns, "-empty")
        self._share_width()
        self.show()
        views = list(self.query(ColumnView))
        if len(views) > 1:
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

    def on_bench_screen_happened(self) -> None:
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
        self.notify(shown(message), severity=severity, markup=False)  # type: ignore[arg-type]

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel":
            return self.workbench.busy
        if action == "sample":
            return not self.bench.columns or not all(self.bench.cell(column).busy for column in self.bench.columns)
        if action == "cancel_sample":
            sample = self.sample
            return sample is not None and sample.status in ("waiting", "running")
        return True

    @work
    async def do(self, what: Coroutine[Any, Any, str | None], then: Callable[[], None] | None = None) -> None:
        """Wait for work of the workbench without holding a key; what goes wrong is told."""
        try:
            if said := await what:
                self.tell(said)
        except AlignbenchError as error:
            self.tell(str(error), severity="error")
        await self.lay_out()
        if then is not None:
            then()

    async def _changed_columns(self) -> None:
        await self.lay_out()
        self.do(self.workbench.save())

    # sampling

    def action_sample(self) -> None:
        self.do(self.workbench.sample(list(self.bench.columns)))
        self.show()

    def action_cancel(self) -> None:
        self.workbench.cancel()

    def action_cancel_sample(self) -> None:
        if self.column is not None and (sample := self.sample) is not None:
            self.workbench.cancel(self.bench.cell(self.column), sample.index)

    async def action_resample(self) -> None:
        if (column := self._idle_column()) is None:
            return
        self.bench.put(self.bench.reseeded(column))
        await self.lay_out()
        self.do(self.workbench.sample([self.bench.columns[self.bench.selected]]))

    async def action_more(self) -> None:
        if (column := self.column) is not None:
            self.bench.put(replace(column, n=column.n + MORE))
            await self._changed_columns()

    def _idle_column(self) -> Column | None:
        """The selected column, unless it is being sampled."""
        column = self.column
        if column is not None and self.bench.cell(column).busy:
            self.tell("This column is being sampled; Esc stops it.", severity="warning")
            return None
        return column

    # columns

    async def choose(self, at: int) -> None:
        """Select a column."""
        if self.bench.columns:
            self.bench.selected = at % len(self.bench.columns)
            await self.lay_out()
            self.refresh_bindings()

    async def action_column_left(self) -> None:
        await self.choose(self.bench.selected - 1)

    async def action_column_right(self) -> None:
        await self.choose(self.bench.selected + 1)

    async def action_duplicate_column(self) -> None:
        if (column := self.column) is not None:
            self.bench.add(self.bench.reseeded(column))
            await self._changed_columns()

    async def action_remove_column(self) -> None:
        if self._idle_column() is not None:
            gone = self.bench.remove()
            await self._changed_columns()
            if self.bench.has_samples(gone.condition):
                self.tell(f"The samples of {gone.name} stay in the session.")

    async def action_reference(self) -> None:
        if (column := self.column) is not None:
            self.bench.reference = column.name
            await self._changed_columns()

    def action_condition(self) -> None:
        if self._idle_column() is not None:
            self._edit_condition(self.column)

    def action_add_column(self) -> None:
        self._edit_condition(None)

    @work
    async def _edit_condition(self, column: Column | None) -> None:
        from alignbench.tui.screens.condition import ConditionScreen

        edited = await self.app.push_screen_wait(ConditionScreen(column))
        if edited is None:
            return
        if said := self.bench.change(column, edited):
            self.tell(said, severity="warning")
        await self._changed_columns()

    # prompts

    async def set_prompt(self, prompt: Prompt) -> None:
        """Put a prompt on the Bench; the columns show its cells."""
        self.bench.prompt = prompt
        self.cursor = 0
        await self._changed_columns()

    async def action_next_prompt(self) -> None:
        self.bench.step_prompt(1)
        await self.set_prompt(self.bench.prompt)

    async def action_previous_prompt(self) -> None:
        self.bench.step_prompt(-1)
        await self.set_prompt(self.bench.prompt)

    @work
    async def action_prompts(self) -> None:
        from alignbench.tui.screens.prompts import PromptsScreen

        picked = await self.app.push_screen_wait(PromptsScreen(self.bench.prompt_set, self.bench.prompt))
        if picked is not None:
            self.bench.prompt_set, self.bench.prompts = picked.set, picked.prompts
            await self.set_prompt(picked.prompt)

    @work
    async def action_edit_prompt(self) -> None:
        from alignbench.tui.screens.editor import EditorScreen

        text = await self.app.push_screen_wait(EditorScreen(self.bench.prompt.text))
        if text is not None and text != self.bench.prompt.text:
            same = next((prompt for prompt in self.bench.prompts if prompt.text == text), None)
            await self.set_prompt(same or Prompt.typed(text))

    # samples

    async def move_cursor(self, by: int) -> None:
        """Select the sample above or below."""
        if (column := self.column) is not None:
            indices = [sample.index for sample in self.bench.cell(column).ordered(column.n)]
            if indices:
                at = indices.index(self.cursor) if self.cursor in indices else 0
                self.cursor = indices[max(0, min(len(indices) - 1, at + by))]
                self.show()

    async def action_sample_up(self) -> None:
        await self.move_cursor(-1)

    async def action_sample_down(self) -> None:
        await self.move_cursor(1)

    def action_page_up(self) -> None:
        self._page(-1)

    def action_page_down(self) -> None:
        self._page(1)

    def _page(self, by: int) -> None:
        views = list(self.query(ColumnView))
        if views:
            views[self.bench.selected].samples.page(by)

    def action_whole(self) -> None:
        self.whole = not self.whole
        self.show()

    def action_view(self) -> None:
        if self.sample is not None:
            from alignbench.tui.screens.viewer import ViewerScreen

            self.app.push_screen(ViewerScreen(self))

    async def on_column_view_chosen(self, message: ColumnView.Chosen) -> None:
        if message.sample is not None:
            self.cursor = message.sample
        await self.choose(list(self.query(ColumnView)).index(message.view))
        if message.twice:
            self.action_view()

    def action_copy(self) -> None:
        copy_sample(self, self.sample)

    def action_save(self) -> None:
        save_sample(self, self.column, self.sample)

    # other screens

    def action_scores(self) -> None:
        from alignbench.tui.screens.scores import ScoresScreen

        self.app.push_screen(ScoresScreen(self))

    @work
    async def action_note(self) -> None:
        from alignbench.tui.screens.notes import NotesScreen

        await self.app.push_screen_wait(NotesScreen(self.workbench))

    @work
    async def action_sessions(self) -> None:
        from alignbench.tui.screens.sessions import NEW, SessionsScreen

        chosen = await self.app.push_screen_wait(SessionsScreen(self.workbench))
        if chosen == NEW:
            await self.leave(self._renew())
        elif chosen is not None and chosen != self.bench.session:
            await self.leave(self.workbench.open(chosen))
        else:
            await self.lay_out()

    @work
    async def action_new_session(self) -> None:
        await self.leave(self._renew())

    async def leave(self, what: Coroutine[Any, Any, str | None]) -> None:
        """Go on to another session, unless this one is sampling."""
        if self.workbench.busy:
            what.close()
            self.tell("Sampling is going on; Esc stops it, then change the session.", severity="warning")
            return
        self.cursor = 0
        self.do(what)

    async def _renew(self) -> None:
        await self.workbench.save()
        self.workbench.begin(self.bench.renewed())
