"""Write a text of several lines: a prompt, an instruction, a hint."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.types import CSSPathType

from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import EDITOR
from alignbench.tui.dialogs.base import DIALOG_CSS, DialogScreen
from alignbench.tui.widgets.inputs import PlainArea

EMPTY_PROMPT = "The prompt is empty; write what the models should answer."


class EditorScreen(DialogScreen[str | None]):
    """Returns the text, stripped, or None if it was left. A text that was not changed comes back as it was."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "text_editor.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("editor", EDITOR)]
    HELP = "Write the text; Enter begins a new line. F10 takes it, Esc leaves the one that was there."

    def __init__(self, text: str, what: str = "Prompt", *, empty: str = EMPTY_PROMPT) -> None:
        """what: the text is. empty: what to say where nothing is written; an empty text is taken where it is empty."""
        super().__init__()
        self._text = text
        self._what = what
        self._empty = empty

    @property
    def heading(self) -> str:
        return f"{self._what}: F10 takes it, Esc leaves the old one"

    def body(self) -> ComposeResult:
        area = PlainArea(self._text, soft_wrap=True, show_line_numbers=False, compact=True)
        area.move_cursor(area.document.end)
        self._loaded = area.text
        yield area

    def action_accept(self) -> None:
        text = self.query_one(PlainArea).text
        if text == self._loaded:
            self.dismiss(self._text or None)
        elif text.strip() or not self._empty:
            self.dismiss(text.strip())
        else:
            self.complain(self._empty)
