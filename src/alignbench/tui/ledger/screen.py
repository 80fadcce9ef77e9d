"""The alignment ledger of one prompt: the reference's responses under a column, token by token, and what each piece of
the column's context costs and saves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from alignbench.errors import AlignbenchError
from alignbench.ledger.prompt_ledger import PromptLedger
from alignbench.tui.action import bindings
from alignbench.tui.background_job import BackgroundJob, waiting
from alignbench.tui.condition_text import context_words
from alignbench.tui.ledger.actions import LEDGER
from alignbench.tui.ledger.prompt_ledger import before, page_of, readers
from alignbench.tui.ledger.view import Names, account_lines, legend, response_runs, response_said, stretch_lines
from alignbench.tui.sizes import HEIGHTS
from alignbench.tui.text import one_line, plain
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.marked_pane import MarkedPane, StyledRun
from alignbench.tui.workbench.state import Column, letter

if TYPE_CHECKING:
    from alignbench.tui.bench.screen import BenchScreen


class LedgerScreen(Screen[None]):
    """Nothing is sampled here: models read what the reference has said. Follows the Bench, whose composers it opens."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("ledger", LEDGER)]
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "Under each token of the reference's response: how many bits more it costs under this column's model and "
        "context than under the reference itself. Where the two cut text into different tokens, marks stand under the "
        "shortest parts that both end together. Responses that the context tells of are the source, the others are "
        "held out: what is saved on the source alone is leakage. F4 and F6 change the context, and the ledger shows "
        "what that closed. Over many prompts, with intervals: `alignbench ledger`."
    )

    def __init__(self, bench: BenchScreen, sample: int | None) -> None:
        """sample: the response to begin with; None for a held-out one."""
        super().__init__()
        self._bench = bench
        self._sample = sample
        self._column = self._first()
        self._place = 0
        self._changed = False
        self._page: PromptLedger | None = None
        self._jobs: list[BackgroundJob[Any]] = []
        self._on: object = None  # what the cursor stands in

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        yield Static("", id="said", markup=False)
        yield Static("", id="legend", markup=False)
        yield MarkedPane(id="response")
        yield Static("", id="stretch", markup=False)
        yield LineList(id="account")
        yield Keys()

    def on_mount(self) -> None:
        self._bench.changed.subscribe(self, self._update)
        self._update()

    def on_resize(self) -> None:
        self._update()

    def _first(self) -> int:
        """The selected column; from the reference the base column that was selected last, else the first one."""
        bench = self._bench.bench
        able = readers(bench)
        chosen = next((column for column in (bench.column, self._bench.target(), *able) if column in able), None)
        return bench.columns.index(chosen) if chosen is not None else -1

    @property
    def column(self) -> Column | None:
        columns = self._bench.bench.columns
        return columns[self._column] if 0 <= self._column < len(columns) else None

    # showing

    def _update(self, _: None = None) -> None:
        self._jobs = []
        column = self.column
        if column is None:
            self._say("No column but the reference can read its responses: a on the Bench adds one.")
            return
        bench = self._bench.bench
        bench.read.add(column.hash)
        try:
            self._page = page = page_of(bench, column)
        except AlignbenchError as error:
            self._page = None
            self._say(str(error))
            return
        held_out = sorted(page.held_out)
        if self._sample not in page.responses:
            self._sample = next(iter([*held_out, *page.responses]))
        sample = self._sample
        assert sample is not None
        self._show(column, page, sample)

    def _names(self, column: Column) -> Names:
        bench = self._bench.bench
        at = letter(self._column)
        teacher = next(letter(i) for i, each in enumerate(bench.columns) if each.name == bench.reference)
        earlier = before(column)
        return Names(at, f"{teacher}*", f"{at}{column.version}" if earlier is not None else "")

    def _head(self, column: Column, page: PromptLedger, sample: int) -> None:
        names = self._names(column)
        version = f"{column.version + 1}" if len(column.history) > 1 else ""
        place = "held out" if sample in page.held_out else "SOURCE"
        head = f" Ledger  {names.base}{version} {context_words(column.condition.context)} reads {names.teacher}"
        tail = f"sample {sample + 1} of {max(page.responses) + 1}, {place} "
        room = max(10, self.size.width - len(tail) - 1)
        self.query_one("#head", Static).update(Content(f"{one_line(head.strip(), room - 1):<{room}}{tail}"))

    def _show(self, column: Column, page: PromptLedger, sample: int) -> None:
        self._head(column, page, sample)
        names, workbench = self._names(column), self._bench.workbench
        on = (sample, column.condition.model.reference, page.base.prompt.hash)
        if on != self._on:
            self._on, self._place = on, 0
        pane, account = self.query_one("#response", MarkedPane), self.query_one("#account", LineList)
        job = workbench.readings().response(workbench.bench.session, page, sample)
        self._jobs = [job]
        response = job.result
        if response is None:
            self._said(waiting(job, "Esc"), "")
            pane.show([StyledRun(page.responses[sample])])
            account.show([])
            self._detail([])
            return
        changed = self._changed and bool(names.earlier)
        self._place = max(0, min(len(response.stretches) - 1, self._place))
        self._said(response_said(response, names), legend(names, changed=changed))
        pane.show(response_runs(response, self._place, changed=changed), self._place)
        self._detail(stretch_lines(response, self._place, names))
        totals = workbench.readings().totals(workbench.bench.session, page)
        self._jobs.append(totals)
        if totals.result is None:
            account.show([plain(f" All responses: {waiting(totals, 'Esc')}")])
        else:
            account.show(account_lines(totals.result, names, self.size.width))
        self.refresh_bindings()

    def _say(self, message: str) -> None:
        """That there is nothing to read, and why."""
        self.query_one("#head", Static).update(Content(" Ledger"))
        self._said(message, "")
        self.query_one("#response", MarkedPane).show([])
        self.query_one("#account", LineList).show([])
        self._detail([])

    def _said(self, said: str, legend: str) -> None:
        self.query_one("#said", Static).update(plain(said))
        self.query_one("#legend", Static).update(plain(legend))

    def _detail(self, lines: list[Content]) -> None:
        self.query_one("#stretch", Static).update(Content("\n").join(lines))
        self.refresh_bindings()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "again":
            return any(not job.running and job.result is None for job in self._jobs)
        if action == "changed":
            return self.column is not None and before(self.column) is not None
        if action == "turn":
            return self.has_class("-low")
        return True

    # keys

    def action_back(self) -> None:
        running = [job for job in self._jobs if job.running]
        for job in running:
            job.cancel()
        if running:
            self._update()
        else:
            self.dismiss(None)

    def action_again(self) -> None:
        for job in self._jobs:
            if not job.running and job.result is None:
                self._bench.workbench.readings().again(job)
        self._update()

    def action_left(self) -> None:
        self._place -= 1
        self._update()

    def action_right(self) -> None:
        self._place += 1
        self._update()

    def action_next_sample(self) -> None:
        self._step(1)

    def action_previous_sample(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        if self._page is not None and self._sample is not None:
            there = list(self._page.responses)
            self._sample = there[(there.index(self._sample) + by) % len(there)]
            self._update()

    def action_changed(self) -> None:
        self._changed = not self._changed
        self._update()

    def action_other(self) -> None:
        columns = self._bench.bench.columns
        able = [columns.index(column) for column in readers(self._bench.bench)]
        if able:
            at = able.index(self._column) if self._column in able else -1
            self._column = able[(at + 1) % len(able)]
            self._update()

    async def action_examples(self) -> None:
        if await self._chosen():
            self._bench.action_examples()

    async def action_hint(self) -> None:
        if await self._chosen():
            self._bench.action_hint()

    async def action_older_version(self) -> None:
        if await self._chosen():
            await self._bench.action_older_version()

    async def action_newer_version(self) -> None:
        if await self._chosen():
            await self._bench.action_newer_version()

    async def _chosen(self) -> bool:
        """Select the column on the Bench, whose keys change the selected one."""
        if self.column is None:
            return False
        await self._bench.choose(self._column)
        return True

    def action_turn(self) -> None:
        self.toggle_class("-turned")

    def action_page_up(self) -> None:
        self._page_by(-1)

    def action_page_down(self) -> None:
        self._page_by(1)

    def _page_by(self, by: int) -> None:
        if self.has_class("-low") and self.has_class("-turned"):
            self.query_one("#account", LineList).page(by)
        else:
            self.query_one("#response", MarkedPane).page(by)
