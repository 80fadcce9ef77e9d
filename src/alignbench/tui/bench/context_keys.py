"""The Bench's keys for contexts: examples and hints of a column, its versions, and how it differs from another one."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from textual import work

from alignbench.errors import AlignbenchError, InputError
from alignbench.spec import Context, Example
from alignbench.tui.bench.view import BenchView
from alignbench.tui.condition_text import context_words
from alignbench.tui.context.edits import with_example
from alignbench.tui.workbench.state import Column, letter


class ContextKeys(BenchView):
    """What changes the context of a column, and what changing a column takes."""

    _base = ""  # name of the base column that was selected last

    @work
    async def do(self, what: Coroutine[Any, Any, str | None]) -> None:
        """Wait for work of the workbench without holding a key; what goes wrong is told."""
        try:
            if said := await what:
                self.tell(said)
        except AlignbenchError as error:
            self.tell(str(error), severity="error")
        await self.lay_out()

    async def changed_columns(self) -> None:
        """Draw the columns and keep them."""
        await self.lay_out()
        self.do(self.workbench.save())

    def idle_column(self) -> Column | None:
        """The selected column, unless it is being sampled."""
        column = self.column
        if column is not None and self.bench.cell(column).busy:
            self.tell("This column is being sampled; Esc stops it.", severity="warning")
            return None
        return column

    async def change(self, column: Column | None, to: Column) -> str:
        """Put a column in the place of another one, and keep that."""
        said = await self.workbench.change(column, to)
        await self.workbench.save()
        return said

    # contexts

    @work
    async def action_examples(self) -> None:
        if (column := self._composable()) is not None:
            from alignbench.tui.context.examples_screen import ExamplesScreen

            await self._give(column, await self.app.push_screen_wait(ExamplesScreen(self.workbench, column)))

    @work
    async def action_hint(self) -> None:
        if (column := self._composable()) is not None:
            from alignbench.tui.context.hint_screen import HintScreen

            await self._give(column, await self.app.push_screen_wait(HintScreen(self.workbench, column)))

    def _composable(self) -> Column | None:
        """The selected column, where a context can be made for it."""
        if (column := self.idle_column()) is None:
            return None
        if column.condition.model.is_imported:
            self.tell(f"The responses of {column.name} were imported: no context can be put before them.", "warning")
            return None
        if not self.bench.prompt.text.strip():
            self.tell("The prompt is empty. e writes one, F2 picks one.", "warning")
            return None
        return column

    async def _give(self, column: Column, context: Context | None) -> None:
        """The column under this context; its samples without it stay, as a version."""
        if context is None or context == column.condition.context:
            return
        n_before = len(column.history)
        self.bench.change(column, Column(replace(column.condition, context=context), column.n))
        await self.changed_columns()
        now = self.bench.columns[self.bench.selected]
        kept = f"; {column.name} stays, < goes back" if len(now.history) > n_before else ""
        self.tell(f"{now.name}: {context_words(context)}{kept}. s samples it.")

    # a sample as an example

    def remember_base(self) -> None:
        """The base column that samples are given to, until another one is selected."""
        column = self.column
        if column is not None and column.condition.model.kind == "base":
            self._base = column.name

    async def action_take_example(self) -> None:
        """The sample that is selected, for the examples of the base column."""
        bench, sample = self.bench, self.sample
        if sample is None or sample.status != "done" or not sample.text.strip():
            self.tell("There is no finished sample here to take as an example.", "warning")
            return
        if (target := self.target()) is None:
            self.tell("No base column is there to take the example; a adds one.", "warning")
            return
        if bench.cell(target).busy:
            self.tell(f"{target.name} is being sampled; Esc stops it.", "warning")
            return
        selected = bench.selected
        try:
            context = with_example(target.condition.context, Example(bench.prompt.text, sample.text))
        except InputError as error:
            self.tell(str(error), "warning")
            return
        self.bench.change(target, Column(replace(target.condition, context=context), target.n))
        now = self.bench.columns[bench.selected]
        self._base = now.name
        at, bench.selected = bench.selected, selected
        await self.changed_columns()
        self.tell(f"Now {context_words(context)} in {letter(at)} {now.name}. F4 edits them, s samples that column.")

    def target(self) -> Column | None:
        base = [column for column in self.bench.columns if column.condition.model.kind == "base"]
        return next((column for column in base if column.name == self._base), next(iter(base), None))

    # versions

    async def action_older_version(self) -> None:
        await self._step_version(-1)

    async def action_newer_version(self) -> None:
        await self._step_version(1)

    async def _step_version(self, by: int) -> None:
        if (column := self.idle_column()) is not None:
            await self._show_version(column.version + by)

    async def _show_version(self, version: int) -> None:
        if said := self.bench.show_version(version):
            self.tell(said)
        await self.changed_columns()
        self.remember_base()

    @work
    async def action_versions(self) -> None:
        if self.idle_column() is not None:
            from alignbench.tui.versions.screen import VersionsScreen

            version = await self.app.push_screen_wait(VersionsScreen(self.workbench))
            if version is not None:
                await self._show_version(version)

    @work
    async def action_audit(self) -> None:
        if self.column is not None:
            from alignbench.tui.audit.screen import AuditScreen

            await self.app.push_screen_wait(AuditScreen(self.workbench))
