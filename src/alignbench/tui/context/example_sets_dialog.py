"""Pick what examples are taken from: a set that ships, one of the database, the samples of a condition, a file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.spec import ExampleSet
from alignbench.textfiles import home_expanded
from alignbench.tui.action import bindings
from alignbench.tui.context.actions import SETS
from alignbench.tui.dialogs.base import DIALOG_CSS, DialogScreen, LineScreen
from alignbench.tui.styled import DIM
from alignbench.tui.text import count, one_line
from alignbench.tui.widgets.choice_list import ChoiceList

if TYPE_CHECKING:
    from alignbench.store import Store
    from alignbench.tui.workbench.preparer_thread import ContextPreparerThread


@dataclass(frozen=True, slots=True)
class ExampleSource:
    """A pool, or the condition of the session whose samples are one. Both empty: no examples."""

    pool: ExampleSet
    condition: str = ""

    def words(self) -> tuple[str, str]:
        """Its name and what it is."""
        if self.condition:
            return f"samples of {self.condition}", "its first answer to each of the other prompts of this session"
        if not self.pool.items:
            return "no examples", ""
        return self.pool.name, f"{count(len(self.pool.items), 'example')}, {self.pool.origin}"


class SetsScreen(DialogScreen[ExampleSource | None]):
    """What is known, in a list."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "example_sets_dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sets", SETS)]
    HELP = (
        "Sets that ship, sets of the database (`alignbench examples build` and `import` make them), and the samples of "
        "this session's conditions. F2 reads a file. What is edited afterwards is a copy."
    )
    HEADING = "Examples from"

    def __init__(self, preparer: ContextPreparerThread, conditions: Sequence[str]) -> None:
        """conditions: of the session, those that have samples."""
        super().__init__()
        self._preparer = preparer
        self._sources = [*(ExampleSource(ExampleSet(), name) for name in conditions), ExampleSource(ExampleSet())]

    def body(self) -> ComposeResult:
        yield ChoiceList(markup=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._begin()

    @work
    async def _begin(self) -> None:
        try:
            sets = await self._preparer.run(lambda _, store: known_sets(store))
        except AlignbenchError as error:
            self.complain(str(error))
            sets = []
        self._sources = [*(ExampleSource(pool) for pool in sets), *self._sources]
        listing = self.query_one(OptionList)
        for source in self._sources:
            name, what = source.words()
            listing.add_option(Option(Content.assemble(one_line(name, 40), (f"  {one_line(what, 100)}", DIM))))
        listing.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._sources[event.option_index])

    def action_pick(self) -> None:
        self.query_one(OptionList).action_select()

    @work
    async def action_open_file(self) -> None:
        path = await self.app.push_screen_wait(
            LineScreen(
                "Example file (.jsonl, .csv, .txt)", "", empty="Write the path of a file, or press Esc.", asked="path"
            )
        )
        if path is None:
            return
        from alignbench.contexts.example_files import read_examples

        try:
            pool = await asyncio.to_thread(read_examples, home_expanded(path))
        except AlignbenchError as error:
            self.complain(str(error))
        else:
            self.dismiss(ExampleSource(pool))


def known_sets(store: Store) -> list[ExampleSet]:
    """The sets that ship, then those of the database that have a name."""
    from dataclasses import replace

    from alignbench.contexts.example_files import shipped_example_set, shipped_example_sets

    shipped = [replace(shipped_example_set(name), origin="ships") for name in shipped_example_sets()]
    return [*shipped, *(store.example_set(info.hash) for info in store.example_sets() if info.name)]
