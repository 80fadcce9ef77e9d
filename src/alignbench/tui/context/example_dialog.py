"""Write an example: a prompt, its response, and perhaps a hint."""

from __future__ import annotations

from collections.abc import Callable
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
    HEADING = "Example: F10 takes it, Esc leaves"

    def __init__(self, example: Example | None, refuse: Callable[[Example], None]) -> None:
        """refuse: raises InputError for an example that cannot be taken."""
        super().__init__()
        self._example = example
        self._refuse = refuse

    def body(self) -> ComposeResult:
        for name in _FIELDS:
            yield Label(name if name != "hint" else "hint (may be empty)", markup=False)
            text = getattr(self._example, name) if self._example is not None else ""
            yield PlainArea(text, id=name, soft_wrap=True, show_line_numbers=False, compact=True)

    def on_mount(self) -> None:
        self.query_one("#response" if self._example else "#prompt").focus()

    def action_turn(self) -> None:
        self.focus_next(PlainArea)

    def on_text_area_changed(self, event: PlainArea.Changed) -> None:
        """An example that cannot be taken is refused as soon as its prompt is written."""
        if event.text_area.id == "prompt" and self.is_mounted:
            prompt = event.text_area.text
            self.complain(self._why_not(Example(prompt, "…")) if prompt.strip() else "")

    def _why_not(self, example: Example) -> str:
        """Why this example cannot be taken; empty where it can, also where its prompt is the one that it had."""
        if self._example is not None and example.prompt == self._example.prompt:
            return ""
        try:
            self._refuse(example)
        except InputError as error:
            return str(error)
        return ""

    def action_accept(self) -> None:
        try:
            example = Example(*(self.query_one(f"#{name}", PlainArea).text for name in _FIELDS))
        except InputError as error:
            self.complain(str(error))
            return
        if why := self._why_not(example):
            self.complain(why)
            self.query_one("#prompt").focus()
        else:
            self.dismiss(example)
