"""Notes on the session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.types import CSSPathType

from alignbench.errors import AlignbenchError
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import NOTES
from alignbench.tui.dialogs.base import DIALOG_CSS, DialogScreen
from alignbench.tui.widgets.inputs import LinesInput
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from alignbench.tui.workbench.controller import Workbench


class NotesScreen(DialogScreen[None]):
    """The notes so far, oldest first, and a line for another one."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "notes_dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("notes", NOTES)]
    HELP = "Enter adds what is written to the session's notes, with all lines of what is pasted (␊); Esc closes."

    def __init__(self, workbench: Workbench, session: int | None = None) -> None:
        """session: its number; the open one without it."""
        super().__init__()
        self._workbench, self._session = workbench, session

    @property
    def heading(self) -> str:
        return f"Notes on {'this session' if self._session is None else f'session {self._session}'}"

    def body(self) -> ComposeResult:
        yield TextPane()
        yield LinesInput(placeholder="a note; Enter adds it", compact=True)

    def on_mount(self) -> None:
        self._work("")

    def panes(self) -> Iterable[Pane]:
        return self.query(TextPane)

    @work
    async def _work(self, text: str) -> None:
        try:
            notes = await self._workbench.notes(text, self._session)
        except AlignbenchError as error:
            self.complain(str(error))
            return
        lines = [f"{note.created[:16].replace('T', ' ')}  {note.text}" for note in notes]
        pane = self.query_one(TextPane)
        pane.show("\n".join(lines) or "No notes yet: Enter keeps what is written below.")
        pane.scroll_end(animate=False)
        if text:
            self.query_one(LinesInput).value = ""
        self.complain("")

    def action_accept(self) -> None:
        if text := self.query_one(LinesInput).text.strip():
            self._work(text)
        else:
            self.complain("Write a note first; Esc closes.")
