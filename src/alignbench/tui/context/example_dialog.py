"""Write an example: a prompt, its response, and perhaps a hint."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.types import CSSPathType
from textual.widgets import Label

from alignbench.errors import InputError
from alignbench.spec import Example
from alignbench.tui.action import bindings
from alignbench.tui.context.actions import EXAMPLE
from alignbench.tui.dialogs.base import DIALOG_CSS, DialogScreen
from alignbench.tui.widgets.inputs import PlainArea

_FIELDS = ("prompt", "response", "hint")


class ExampleScreen(DialogScreen[Example | None]):
    """Returns the example, or None if it was left."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "example_dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("example", EXAMPLE)]
    HELP = "Tab goes from prompt to response to hint. A hint stands in the prompt only where the query has one too."
    HEADING = "Example: F5 takes it, Esc leaves"

    def __init__(self, example: Example | None) -> None:
        super().__init__()
        self._example = example

    def body(self) -> ComposeResult:
        for name in _FIELDS:
            yield Label(name if name != "hint" else "hint (may be empty)", markup=False)
            text = getattr(self._example, name) if self._example is not None else ""
            yield PlainArea(text, id=name, soft_wrap=True, show_line_numbers=False, compact=True)

    def on_mount(self) -> None:
        self.query_one("#response" if self._example else "#prompt").focus()

    def action_turn(self) -> None:
        self.focus_next(PlainArea)

    def action_accept(self) -> None:
        try:
            self.dismiss(Example(*(self.query_one(f"#{name}", PlainArea).text for name in _FIELDS)))
        except InputError as error:
            self.complain(str(error))
