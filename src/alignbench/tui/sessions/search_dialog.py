"""Samples of all sessions, found by the words in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.base import DIALOG_CSS, ListScreen
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.sessions.actions import SEARCH
from alignbench.tui.styled import DIM
from alignbench.tui.text import one_line
from alignbench.tui.widgets.choice_list import ChoiceList
from alignbench.tui.widgets.inputs import PlainInput

if TYPE_CHECKING:
    from alignbench.store import SearchHit
    from alignbench.tui.workbench.controller import Workbench

MOST = 200


class SearchScreen(ListScreen["SearchHit | None"]):
    """Returns the sample that was chosen, or None."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "search_dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("search", SEARCH)]
    HELP = 'All words must occur, in any order; "words in quotes" stand side by side. The newest samples come first.'
    HEADING = "Search all samples"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._found: list[SearchHit] = []

    def body(self) -> ComposeResult:
        yield PlainInput(placeholder='words, or "words side by side"', compact=True)
        listing = ChoiceList(markup=False, compact=True)
        listing.can_focus = False
        yield listing

    def on_input_changed(self, event: PlainInput.Changed) -> None:
        self._search(event.value)

    @work(exclusive=True, group=BACKGROUND)
    async def _search(self, text: str) -> None:
        hits: list[SearchHit] = []
        message = ""
        if any(map(str.isalnum, text)):
            try:
                hits = await self._workbench.database.run(lambda store: store.search(text, MOST + 1))
            except AlignbenchError as error:
                message = str(error)
            else:
                none = "No sample has these words: Esc clears them."
                message = f"The newest {MOST}." if len(hits) > MOST else "" if hits else none
        self._found = hits[:MOST]
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options(Option(_line(each)) for each in self._found)
        listing.highlighted = 0 if self._found else None
        self.complain(message)

    def on_option_list_option_selected(self) -> None:
        self.action_open()

    # keys

    def action_open(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._found):
            self.dismiss(self._found[at])


def _line(hit: SearchHit) -> Content:
    where = f"session {hit.session}  {one_line(hit.condition, 24)}, prompt {one_line(hit.prompt_id, 16)}  "
    return Content.assemble((where, DIM), one_line(hit.snippet, 300))
