"""The alignment ledger of one prompt: the reference's responses under a column, token by token, and what each piece of
the column's context costs and saves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from alignbench.errors import AlignbenchError
from alignbench.experiments.condition_changes import context_words
from alignbench.ledger.prompt_ledger import PromptLedger
from alignbench.tui.action import bindings
from alignbench.tui.ledger import model_jobs
from alignbench.tui.ledger.actions import LEDGER
from alignbench.tui.ledger.prompt_ledger import before, prompt_ledger, readers
from alignbench.tui.ledger.view import Names, account_lines, legend, response_runs, response_said, stretch_lines
from alignbench.tui.messages import Open
from alignbench.tui.reading_screen import ReadingScreen
from alignbench.tui.sizes import HEIGHTS
from alignbench.tui.styled import in_hue, plain
from alignbench.tui.text import one_line
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.marked_pane import MarkedPane, StyledRun
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.background_job import waiting
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.controller import Workbench


class LedgerScreen(ReadingScreen):
    """Nothing is sampled here: models read what the reference has said."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("ledger", LEDGER)]
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "Under each token of the reference's response: how many bits more it costs under this column's model and "
        "context than under the reference itself. ∎ is the end, where the response was not cut. Where the two cut "
        "text into different tokens, marks stand under the shortest parts that both end together. Responses that the "
        "context tells of are the source, the others are held out: what is saved on the source alone is leakage. F4 "
        "and F6 change the context, and the ledger shows what that closed. Over many prompts, with intervals: "
        "`alignbench ledger`."
    )

    def __init__(self, workbench: Workbench, sample: int | None) -> None:
        """sample: the response to begin with; None for a held-out one."""
        super().__init__(workbench)
        self._sample = sample
        self._column = self._first()
        self._place = 0
        self._shows_change = False
        self._ledger: PromptLedger | None = None
        self._on: object = None  # what the cursor stands in

    def compose(self) -> ComposeResult:
        yield ScreenTitle()
        yield SteadyText("", id="said", markup=False)
        yield SteadyText("", id="legend", markup=False)
        with Vertical(id="read", classes="section -selected"):
            yield MarkedPane(id="response")
            yield SteadyText("", id="stretch", markup=False)
        yield LineList(id="account", classes="section")
        yield Keys()

    def _first(self) -> int:
        """The selected column; from the reference the base column that was selected last, else the first one."""
        bench = self.workbench.bench
        able = readers(bench)
        chosen = next((column for column in (bench.column, bench.base_column, *able) if column in able), None)
        return bench.columns.index(chosen) if chosen is not None else -1

    @property
    def column(self) -> Column | None:
        columns = self.workbench.bench.columns
        return columns[self._column] if 0 <= self._column < len(columns) else None

    # showing

    def follow(self) -> None:
        self._jobs = []
        column = self.column
        if column is None:
            self._show_nothing("No column but the reference can read its responses: a on the Bench adds one.")
            return
        bench = self.workbench.bench
        bench.read.add(column.hash)
        try:
            self._ledger = ledger = prompt_ledger(bench, column)
        except AlignbenchError as error:
            self._ledger = None
            self._show_nothing(str(error))
            return
        held_out = sorted(ledger.held_out)
        if self._sample not in ledger.responses:
            self._sample = next(iter([*held_out, *ledger.responses]))
        sample = self._sample
        assert sample is not None
        self._show(column, ledger, sample)

    def _names(self, column: Column) -> Names:
        at = letter(self._column)
        teacher = letter(self._teacher)
        earlier = before(column)
        return Names(at, f"{teacher}*", f"{at}{column.version}" if earlier is not None else "")

    @property
    def _teacher(self) -> int:
        """Place of the reference."""
        bench = self.workbench.bench
        return next(at for at, column in enumerate(bench.columns) if column.name == bench.reference)

    def _head(self, column: Column, ledger: PromptLedger, sample: int) -> None:
        names = self._names(column)
        version = f"{column.version + 1}" if len(column.history) > 1 else ""
        place = "held out" if sample in ledger.held_out else "SOURCE"
        where = f"sample {sample + 1} of {max(ledger.responses) + 1}, {place}"
        self.query_one(ScreenTitle).show("Ledger", self.workbench.bench.prompt.text, where)
        reader = in_hue(f"{names.base}{version} {one_line(context_words(column.condition.context), 40)}", self._column)
        read = in_hue(names.teacher, self._teacher)
        self.query_one("#read").border_title = Content.assemble(reader, " reads ", read)

    def _show(self, column: Column, ledger: PromptLedger, sample: int) -> None:
        self._head(column, ledger, sample)
        names = self._names(column)
        on = (sample, column.condition.model.reference, ledger.base.prompt.key)
        if on != self._on:
            self._on, self._place = on, 0
        pane, account = self.query_one("#response", MarkedPane), self.query_one("#account", LineList)
        job = model_jobs.response(self.workbench, ledger, sample)
        self._jobs = [job]
        response = job.result
        if response is None:
            self._said(waiting(job, "Esc"), "")
            pane.show([StyledRun(ledger.responses[sample])])
            account.show([])
            self._detail([])
            return
        changed = self._shows_change and bool(names.earlier)
        self._place = max(0, min(len(response.stretches) - 1, self._place))
        self._said(response_said(response, names), legend(names, changed=changed))
        pane.show(response_runs(response, self._place, changed=changed), self._place)
        self._detail(stretch_lines(response, self._place, names))
        totals = model_jobs.totals(self.workbench, ledger)
        self._jobs.append(totals)
        if totals.result is None:
            account.show([plain(f" All responses: {waiting(totals, 'Esc')}")])
        else:
            account.show(account_lines(totals.result, names, self.size.width))
        self.refresh_bindings()

    def _show_nothing(self, message: str) -> None:
        """That there is nothing to read, and why."""
        self.query_one(ScreenTitle).show("Ledger", self.workbench.bench.prompt.text)
        self.query_one("#read").border_title = Content("")
        self._said(message, "")
        self.query_one("#response", MarkedPane).show([])
        self.query_one("#account", LineList).show([])
        self._detail([])

    def _said(self, said: str, legend: str) -> None:
        self.query_one("#said", SteadyText).update(plain(said))
        self.query_one("#legend", SteadyText).update(plain(legend))

    def _detail(self, lines: list[Content]) -> None:
        self.query_one("#stretch", SteadyText).update(Content("\n").join(lines))
        self.refresh_bindings()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "again":
            return self.can_read_again
        if action == "changed":
            return self.column is not None and before(self.column) is not None
        if action == "turn":
            return self.has_class("-low")
        return True

    # keys

    def action_left(self) -> None:
        self._place -= 1
        self.follow()

    def action_right(self) -> None:
        self._place += 1
        self.follow()

    def action_next_sample(self) -> None:
        self._step(1)

    def action_previous_sample(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        if self._ledger is not None and self._sample is not None:
            there = list(self._ledger.responses)
            self._sample = there[(there.index(self._sample) + by) % len(there)]
            self.follow()

    def action_changed(self) -> None:
        self._shows_change = not self._shows_change
        self.follow()

    def action_other(self) -> None:
        columns = self.workbench.bench.columns
        able = [columns.index(column) for column in readers(self.workbench.bench)]
        if able:
            at = able.index(self._column) if self._column in able else -1
            self._column = able[(at + 1) % len(able)]
            self.follow()

    def action_examples(self) -> None:
        if self._select():
            self.post_message(Open("examples"))

    def action_hint(self) -> None:
        if self._select():
            self.post_message(Open("hint"))

    def action_older_version(self) -> None:
        self._step_version(-1)

    def action_newer_version(self) -> None:
        self._step_version(1)

    def _step_version(self, by: int) -> None:
        if self._select():
            self.attempt(partial(self.workbench.bench.step_version, by))

    def _select(self) -> bool:
        """Select the column on the Bench: what changes a column changes the selected one."""
        if self.column is None:
            return False
        self.workbench.bench.select(self._column)
        self.workbench.changed()
        return True

    def action_turn(self) -> None:
        self.toggle_class("-turned")

    def panes(self) -> Iterable[Pane]:
        turned = self.has_class("-low") and self.has_class("-turned")
        return [self.query_one("#account", LineList) if turned else self.query_one("#response", MarkedPane)]
