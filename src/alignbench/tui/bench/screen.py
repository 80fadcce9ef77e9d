"""The Bench: a prompt, a column per condition, scores below."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from alignbench.errors import AlignbenchError, InputError
from alignbench.spec import Prompt
from alignbench.tui.action import bindings
from alignbench.tui.bench.actions import BENCH
from alignbench.tui.bench.column import ColumnView
from alignbench.tui.bench.column_tabs import ColumnTabs
from alignbench.tui.bench.columns import ColumnsView
from alignbench.tui.bench.last_session_line import LastSessionLine
from alignbench.tui.bench.prompt_box import PromptBox
from alignbench.tui.bench.recovery_band import RecoveryBand
from alignbench.tui.bench.score_strip import ScoreStrip
from alignbench.tui.bench.title_bar import TitleBar
from alignbench.tui.messages import Open
from alignbench.tui.save_copy import copy_sample, save_sample
from alignbench.tui.screen import WorkbenchScreen, finish
from alignbench.tui.sizes import BENCH_WIDTHS, HEIGHTS
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.adapter_dial import turned
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.changed_column import changed_words
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.context_edits import own_examples_words, take_example
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.prompt_history import remember_typed
from alignbench.tui.workbench.state import Bench

if TYPE_CHECKING:
    from alignbench.store import LastSession

MORE = 5  # samples that + adds


class BenchScreen(WorkbenchScreen[None]):
    """Draws the workbench, follows what happens in it, and turns keys into what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("bench", BENCH)]
    HORIZONTAL_BREAKPOINTS = BENCH_WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "A prompt on top, a column per condition, scores below. F5 draws samples from every column; "
        "* marks the reference, which the others are compared with. Everything that finished is in the database."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._offered: tuple[bool | None, ...] = ()

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        yield PromptBox(id="prompt")
        yield ColumnTabs(id="tabs")
        yield ColumnsView(self.workbench, id="columns")
        yield SteadyText("No column. Press a to add one.", id="none", markup=False)
        yield RecoveryBand(self.workbench, id="recovery")
        yield ScoreStrip(id="scores")
        yield LastSessionLine(id="offer")
        yield Keys()

    @property
    def bench(self) -> Bench:
        return self.workbench.bench

    @property
    def sample(self) -> BenchSample | None:
        """The selected sample."""
        return self.bench.sample

    @property
    def _last(self) -> LastSession | None:
        """The session that can be continued: none where one is open."""
        return self.workbench.last if self.bench.session is None and not self.workbench.busy else None

    # showing

    def follow(self) -> None:
        self.set_class(not self.bench.columns, "-empty")
        self.query_one(RecoveryBand).show()
        self.query_one(ScoreStrip).show(self.workbench.table)
        self.query_one(PromptBox).show(self.bench.prompt)
        self.query_one(ColumnsView).show()
        self.query_one(TitleBar).show(self.workbench)
        self.query_one(ColumnTabs).show(self.bench)
        self.query_one(LastSessionLine).show(self._last)
        offered = tuple(self.check_action(name, ()) for name in ("cancel", "sample", "continue_last", "view"))
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        column, cell = self.bench.column, self.bench.cell
        if action == "cancel":
            return self.workbench.busy
        if action == "continue_last":
            return self._last is not None
        if action == "view":
            return self.bench.sample is not None
        if action == "sample_column":
            return column is None or not cell(column).busy
        if action == "sample" and not self.workbench.set_state:
            return not self.bench.columns or not all(cell(column).busy for column in self.bench.columns)
        return self.workbench.can_cancel_sample if action == "cancel_sample" else True

    # sampling

    def action_sample(self) -> None:
        """What is missing of this prompt; where nothing is, more prompts are offered."""
        bench = self.bench
        idle = [column for column in bench.columns if not bench.cell(column).busy]
        if bench.columns and not any(column.asked for column in bench.columns):
            self.tell("All responses here were imported, and none can be drawn; a adds a column of a model.")
        elif bench.columns and all(bench.cell(column).has(column.asked) for column in idle):
            self.action_sample_set()
        else:
            self.do(self.workbench.sample(list(bench.columns)))

    def action_sample_set(self) -> None:
        if state := self.workbench.set_state:
            self.tell(f"Sampling goes on: {state}. Esc stops it; what is drawn stays.")
        else:
            self._offer_samples()

    @work
    async def _offer_samples(self) -> None:
        from alignbench.tui.dialogs.sample import SampleScreen

        offer = await self.app.push_screen_wait(SampleScreen(self.workbench))
        if offer is not None:
            self.do(self.workbench.draw(offer.columns, offer.scope.prompts))

    def action_sample_column(self) -> None:
        if (column := self._idle_column()) is not None:
            self.do(self.workbench.sample([column]))

    def action_cancel(self) -> None:
        self.workbench.cancel()

    def action_cancel_sample(self) -> None:
        self.workbench.cancel_sample()

    def action_resample(self) -> None:
        if (column := self._idle_column()) is not None:
            self.bench.put(self.bench.reseeded(column))
            now = self.bench.columns[self.bench.selected]
            self.tell(changed_words(self.bench.selected, column, now))
            self.do(self.workbench.sample([now]))

    def action_more(self) -> None:
        if (column := self.bench.column) is not None:
            self.bench.put(replace(column, n=column.n + MORE))
            self.keep()

    # columns

    def _idle_column(self) -> Column | None:
        """The selected column, unless it is being sampled."""
        try:
            return self.bench.idle_column()
        except InputError as error:
            self.tell(str(error), "warning")
            return None

    def action_duplicate_column(self) -> None:
        if (column := self.bench.column) is not None:
            self.bench.add(self.bench.reseeded(column))
            self.keep()

    def action_remove_column(self) -> None:
        if self._idle_column() is not None:
            at, reference = self.bench.selected, self.bench.reference
            gone = self.bench.remove()
            self.keep()
            stay = "; its samples stay in the session" if self.bench.has_samples(gone.condition) else ""
            back = partial(self._put_back, self.bench, gone, at, is_reference=reference == gone.name)
            self.offer_undo(f"{gone.name} is taken away{stay}.", back)

    def _put_back(self, bench: Bench, column: Column, at: int, *, is_reference: bool) -> None:
        if bench is self.bench:
            self.attempt(partial(bench.put_back, column, at, is_reference=is_reference))
        else:
            self.tell("Another session is open by now.", "warning")

    def action_reference(self) -> None:
        if (column := self.bench.column) is not None:
            again = self.bench.reference == column.name
            self.tell(f"{letter(self.bench.selected)} is the reference{' already' if again else ' now'}.")
            self.bench.reference = column.name
            self.keep()

    def action_condition(self) -> None:
        if (column := self._idle_column()) is not None:
            self._edit_condition(column)
        else:
            self.drop_keys()

    def action_add_column(self) -> None:
        self._edit_condition(None)

    @work
    async def _edit_condition(self, column: Column | None) -> None:
        from alignbench.tui.dialogs.condition import ConditionScreen

        at = self.bench.selected
        edited = await self.app.push_screen_wait(ConditionScreen(self.workbench, column))
        if edited is not None:
            now = self.bench.columns[at] if column is not None and at < len(self.bench.columns) else column
            await finish(self.app, self.workbench, self._change(now, edited))

    async def _change(self, column: Column | None, to: Column) -> str:
        said = await self.workbench.change(column, to)
        await self.workbench.save()
        if column is None:
            return said
        at = self.bench.selected
        return " ".join(filter(None, (changed_words(at, column, self.bench.columns[at]), said)))

    def action_scale_down(self) -> None:
        self._turn_dial(-1)

    def action_scale_up(self) -> None:
        self._turn_dial(1)

    @work
    async def _turn_dial(self, by: int) -> None:
        if (column := self._idle_column()) is None:
            return
        bench = self.bench
        try:
            to = await asyncio.to_thread(turned, column, by)
            said = await self._change(column, to)
        except AlignbenchError as error:
            self.tell(str(error), "warning")
            return
        self.workbench.changed()
        now = bench.columns[bench.selected]
        if now.hash == column.hash:
            self.tell(said)
        else:
            self.offer_undo(said, partial(self._change_back, bench, now, column))

    def _change_back(self, bench: Bench, column: Column, before: Column) -> None:
        if bench is self.bench:
            self.attempt(partial(bench.change_back, column, before))
        else:
            self.tell("Another session is open by now.", "warning")

    def action_take_example(self) -> None:
        self.attempt(partial(take_example, self.bench))

    def action_older_version(self) -> None:
        self.attempt(partial(self.bench.step_version, -1))

    def action_newer_version(self) -> None:
        self.attempt(partial(self.bench.step_version, 1))

    # prompts

    def _ask(self, prompt: Prompt) -> None:
        self.bench.ask(prompt)
        self._asked()

    def _asked(self) -> None:
        """Keep the prompt that is on the Bench now; where a column has it as an example, that is said."""
        if said := own_examples_words(self.bench):
            self.tell(said, "warning")
        self.keep()

    def action_next_prompt(self) -> None:
        self._step_prompt(1)

    def action_previous_prompt(self) -> None:
        self._step_prompt(-1)

    def _step_prompt(self, by: int) -> None:
        before = self.bench.prompt
        self.bench.step_prompt(by)
        if self.bench.prompt == before:
            self.tell("There is no other prompt here. F2 picks a set, e writes a prompt.")
        self._asked()

    @work
    async def action_prompts(self) -> None:
        from alignbench.tui.dialogs.prompts import PromptsScreen

        bench = self.bench
        picked = await self.app.push_screen_wait(PromptsScreen(bench))
        if picked is not None:
            bench.prompt_set, bench.prompts = picked.set, picked.prompts
            self._ask(picked.prompt)

    @work
    async def action_edit_prompt(self) -> None:
        from alignbench.tui.dialogs.text_editor import EditorScreen

        text = await self.app.push_screen_wait(EditorScreen(self.bench.prompt.text))
        if text is not None and text != self.bench.prompt.text:
            typed = Prompt.typed(text, self.bench.prompt.earlier)
            same = next((prompt for prompt in self.bench.prompts if prompt.hash == typed.hash), None)
            self._ask(same or typed)
            if same is None and (said := await asyncio.to_thread(remember_typed, typed)):
                self.tell(said, "warning")

    def action_column(self, at: int) -> None:
        """Where a letter is clicked."""
        self.select(at)

    def action_column_left(self) -> None:
        self.select(self.query_one(ColumnsView).beside(-1))

    def action_column_right(self) -> None:
        self.select(self.query_one(ColumnsView).beside(1))

    # samples

    def panes(self) -> Iterable[Pane]:
        selected = self.query_one(ColumnsView).selected
        return [selected.samples] if selected is not None else []

    def action_recovery(self) -> None:
        self.query_one(RecoveryBand).turn()

    def action_whole(self) -> None:
        self.workbench.whole = not self.workbench.whole
        self.tell("Samples are shown whole." if self.workbench.whole else "Samples are shown as far as they fit.")
        self.workbench.changed(scores=False)

    def on_column_view_chosen(self, message: ColumnView.Chosen) -> None:
        if message.sample is not None:
            self.bench.cursor = message.sample
        self.select(self.query_one(ColumnsView).place_of(message.view))
        if message.twice:
            self.action_view()

    def action_copy(self) -> None:
        copy_sample(self, self.sample)

    @work
    async def action_save(self) -> None:
        await save_sample(self, self.bench.column, self.sample)

    # other screens

    def action_view(self) -> None:
        self.post_message(Open("viewer"))

    def action_examples(self) -> None:
        self.post_message(Open("examples"))

    def action_hint(self) -> None:
        self.post_message(Open("hint"))

    def action_versions(self) -> None:
        self.post_message(Open("versions"))

    def action_audit(self) -> None:
        self.post_message(Open("audit"))

    def action_scores(self) -> None:
        self.post_message(Open("scores"))

    def action_investigation(self) -> None:
        self.post_message(Open("investigation"))

    def action_ledger(self) -> None:
        self.post_message(Open("ledger"))

    def action_survey(self) -> None:
        self.post_message(Open("survey"))

    def action_note(self) -> None:
        self.post_message(Open("notes"))

    def action_sessions(self) -> None:
        self.post_message(Open("sessions"))

    @work
    async def action_continue_last(self) -> None:
        if (last := self._last) is not None:
            await finish(self.app, self.workbench, self.workbench.open(last.info.id))

    @work
    async def action_new_session(self) -> None:
        await finish(self.app, self.workbench, self._renew())

    async def _renew(self) -> str:
        before = self.bench.session
        await self.workbench.renew()
        return "A new session, with these columns." + (" The one before is kept: F8." if before is not None else "")
