"""The Bench: a prompt, a column per condition, scores below. Here is what its keys do."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from alignbench.spec import Prompt
from alignbench.tui.action import bindings
from alignbench.tui.bench.actions import BENCH
from alignbench.tui.bench.column import ColumnView
from alignbench.tui.bench.context_keys import ContextKeys
from alignbench.tui.save_copy import copy_sample, save_sample
from alignbench.tui.workbench.state import Column

MORE = 5  # samples that + adds


class BenchScreen(ContextKeys):
    """Turns keys into what the workbench does."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("bench", BENCH)]
    HELP = (
        "A prompt on top, a column per condition, scores below. F5 draws samples from every column; "
        "* marks the reference, which the others are compared with. Everything that finished is in the database."
    )

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel":
            return self.workbench.busy
        if action == "sample_column":
            return self.column is None or not self.bench.cell(self.column).busy
        if action == "sample":
            return not self.bench.columns or not all(self.bench.cell(column).busy for column in self.bench.columns)
        if action == "cancel_sample":
            sample = self.sample
            return sample is not None and sample.status in ("waiting", "running")
        return True

    # sampling

    def action_sample(self) -> None:
        self.do(self.workbench.sample(list(self.bench.columns)))
        self.show()

    def action_sample_column(self) -> None:
        if (column := self.idle_column()) is not None:
            self.do(self.workbench.sample([column]))
            self.show()

    def action_cancel(self) -> None:
        self.workbench.cancel()

    def action_cancel_sample(self) -> None:
        if self.column is not None and (sample := self.sample) is not None:
            self.workbench.cancel(self.bench.cell(self.column), sample.index)

    async def action_resample(self) -> None:
        if (column := self.idle_column()) is None:
            return
        self.bench.put(self.bench.reseeded(column))
        await self.lay_out()
        self.do(self.workbench.sample([self.bench.columns[self.bench.selected]]))

    async def action_more(self) -> None:
        if (column := self.column) is not None:
            self.bench.put(replace(column, n=column.n + MORE))
            await self.changed_columns()

    # columns

    async def choose(self, at: int) -> None:
        """Select a column."""
        if self.bench.columns:
            self.bench.selected = at % len(self.bench.columns)
            self.remember_base()
            await self.lay_out()
            self.refresh_bindings()

    async def action_column_left(self) -> None:
        await self.choose(self.bench.selected - 1)

    async def action_column_right(self) -> None:
        await self.choose(self.bench.selected + 1)

    async def action_duplicate_column(self) -> None:
        if (column := self.column) is not None:
            self.bench.add(self.bench.reseeded(column))
            await self.changed_columns()

    async def action_remove_column(self) -> None:
        if self.idle_column() is not None:
            gone = self.bench.remove()
            await self.changed_columns()
            if self.bench.has_samples(gone.condition):
                self.tell(f"The samples of {gone.name} stay in the session.")

    async def action_reference(self) -> None:
        if (column := self.column) is not None:
            self.bench.reference = column.name
            await self.changed_columns()

    def action_condition(self) -> None:
        if self.idle_column() is not None:
            self._edit_condition(self.column)

    def action_add_column(self) -> None:
        self._edit_condition(None)

    @work
    async def _edit_condition(self, column: Column | None) -> None:
        from alignbench.tui.dialogs.condition import ConditionScreen

        edited = await self.app.push_screen_wait(ConditionScreen(column))
        if edited is None:
            return
        self.do(self.change(column, edited))

    # prompts

    async def set_prompt(self, prompt: Prompt) -> None:
        """Put a prompt on the Bench; the columns show its cells."""
        self.bench.prompt = prompt
        self.cursor = 0
        await self.changed_columns()

    async def action_next_prompt(self) -> None:
        self.bench.step_prompt(1)
        await self.set_prompt(self.bench.prompt)

    async def action_previous_prompt(self) -> None:
        self.bench.step_prompt(-1)
        await self.set_prompt(self.bench.prompt)

    @work
    async def action_prompts(self) -> None:
        from alignbench.tui.dialogs.prompts import PromptsScreen

        bench = self.bench
        picked = await self.app.push_screen_wait(PromptsScreen(bench.prompt_set, bench.prompt, bench.asked))
        if picked is not None:
            bench.prompt_set, bench.prompts = picked.set, picked.prompts
            await self.set_prompt(picked.prompt)

    @work
    async def action_edit_prompt(self) -> None:
        from alignbench.tui.dialogs.text_editor import EditorScreen

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
                self.show(scores=False)

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
            from alignbench.tui.viewer.screen import ViewerScreen

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
        from alignbench.tui.scores.screen import ScoresScreen

        self.app.push_screen(ScoresScreen(self))

    def action_investigation(self) -> None:
        from alignbench.tui.investigation.screen import InvestigationScreen

        self.app.push_screen(InvestigationScreen(self))

    @work
    async def action_ledger(self, sample: int | None = None) -> None:
        """sample: the response of the reference to begin with."""
        from alignbench.tui.ledger.screen import LedgerScreen

        selected = self.bench.selected
        await self.app.push_screen_wait(LedgerScreen(self, sample))
        await self.choose(selected)

    @work
    async def action_note(self) -> None:
        from alignbench.tui.sessions.notes_dialog import NotesScreen

        await self.app.push_screen_wait(NotesScreen(self.workbench))

    @work
    async def action_sessions(self) -> None:
        from alignbench.tui.sessions.screen import NEW, SessionsScreen

        chosen = await self.app.push_screen_wait(SessionsScreen(self.workbench))
        if chosen == NEW:
            self.do(self._renew())
        elif chosen is not None and chosen.session != self.bench.session:
            self.do(self.workbench.open(chosen.session, chosen.prompt))
        elif chosen is not None and chosen.prompt:
            await self.set_prompt(self.bench.asked_prompt(chosen.prompt))
        else:
            await self.lay_out()

    def action_new_session(self) -> None:
        self.do(self._renew())

    async def _renew(self) -> None:
        await self.workbench.save()
        self.workbench.begin(self.bench.renewed())
