"""What the dialogs share: a box over the Bench, a heading, the keys at the bottom.

Every dialog is accepted by F10 (`accepting` in `tui/action.py` makes the action), and by Enter too where it has only a
list or fields of one line. It is opened with `await self.app.push_screen_wait(...)` in a `@work` method. No dialog has
to guard itself against keys that come too early or twice: `tui/key_queue.py` does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.types import CSSPathType
from textual.widgets import Input, OptionList, SelectionList, TextArea

from alignbench.errors import InputError
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import CONFIRM, LINE
from alignbench.tui.dialogs.backdrop import Backdrop
from alignbench.tui.screen import AppScreen, ResultT
from alignbench.tui.sizes import WIDTHS
from alignbench.tui.styled import plain
from alignbench.tui.text import one_line
from alignbench.tui.widgets.inputs import LinesInput, PlainArea, PlainInput
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.path_input import ModelInput, PathInput
from alignbench.tui.widgets.steady_text import SteadyText

DIALOG_CSS = Path(__file__).with_name("base.tcss")  # absolute: Textual looks beside the subclass otherwise


class DialogScreen(ModalScreen[ResultT], AppScreen[ResultT]):
    """A modal screen with a heading and a line for what is wrong. Subclasses give `body`."""

    CSS_PATH: ClassVar[CSSPathType | None] = DIALOG_CSS
    COMPONENT_CLASSES: ClassVar[set[str]] = {"dialog--backdrop"}
    HORIZONTAL_BREAKPOINTS = WIDTHS
    HEADING = ""
    IS_DRAFT: ClassVar[bool] = True  # whether what is written here would be missed

    def on_mount(self) -> None:
        self.remember()

    def compose(self) -> ComposeResult:
        with Vertical(id="box", classes="panel") as box:
            box.border_title = Content(self.heading)
            yield from self.body()
            yield SteadyText("", id="message", markup=False)
        yield Keys()

    def render(self) -> RenderableType:
        """The screen below, quiet, behind the box."""
        below = super().render()
        if not isinstance(below, BackgroundScreen):
            return below
        return Backdrop(below.screen, self.get_component_rich_style("dialog--backdrop"))

    @property
    def heading(self) -> str:
        return self.HEADING

    def body(self) -> ComposeResult:
        """The widgets between heading and message."""
        yield from ()

    def action_external_editor(self) -> None:
        """Write a text of several lines in an editor: the one that has the focus, else the first."""
        from alignbench.tui.other_programs import edited

        areas = [each for each in self.query("*") if isinstance(each, PlainArea | LinesInput)]
        area = next((each for each in areas if each.has_focus), areas[0])
        try:
            text = edited(self.app, area.text)
        except InputError as error:
            self.complain(str(error))
            return
        self.complain("" if text is not None else "The editor left the text as it was.")
        if text is not None:
            area.write(text)
        area.focus()

    def on_path_input_choices(self, message: PathInput.Choices) -> None:
        self.complain(one_line(", ".join(message.names), 400))

    def remember(self) -> None:
        """What stands in the fields now is no change."""
        self._at_first = self._written()

    def _written(self) -> list[object]:
        return [
            [field.value for field in self.query(Input)],
            [area.text for area in self.query(TextArea)],
            [chosen.selected for chosen in self.query(SelectionList)],
        ]

    @property
    def is_changed(self) -> bool:
        return self.IS_DRAFT and self.is_mounted and self._written() != self._at_first

    def complain(self, message: str) -> None:
        """Say what is wrong; nothing that was typed is lost."""
        self.query_one("#message", SteadyText).update(plain(message))


class ListScreen(DialogScreen[ResultT]):
    """A dialog in which a line is typed while keys move in the list below it."""

    IS_DRAFT = False

    def action_back(self) -> None:
        """Leave, or clear the words for which nothing was found."""
        typed = self.query(PlainInput)
        if typed and typed.first().value and not self.query_one(OptionList).option_count:
            typed.first().value = ""
        else:
            super().action_back()

    def action_page_down(self) -> None:
        self.query_one(OptionList).action_page_down()

    def action_page_up(self) -> None:
        self.query_one(OptionList).action_page_up()


class ConfirmScreen(DialogScreen[bool]):
    """A question that y or n answers."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("confirm", CONFIRM)]
    HELP = "y or F10 does it, n or Esc leaves everything as it is."

    def __init__(self, question: str, detail: str) -> None:
        super().__init__()
        self._question = question
        self._detail = detail

    @property
    def heading(self) -> str:
        return self._question

    def body(self) -> ComposeResult:
        yield SteadyText(plain(self._detail))

    def action_yes(self) -> None:
        self.dismiss(True)

    def action_no(self) -> None:
        self.dismiss(False)


class LineScreen(DialogScreen[str | None]):
    """One line of text to write."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("line", LINE)]
    HELP = "F10 or Enter takes what is written, Esc leaves everything as it was."

    def __init__(
        self,
        heading: str,
        value: str,
        *,
        empty: str,
        check: Callable[[str], object] = str,
        asked: Literal["text", "path", "model"] = "text",
    ) -> None:
        """
        Args:
            heading: What is asked for.
            value: What is written there at first.
            empty: What to say where nothing is written; empty where that is an answer.
            check: Raises InputError for what cannot be taken.
            asked: What is written; paths are completed, also those of models.
        """
        super().__init__()
        self._check, self._asked = check, asked
        self._heading = heading
        self._value = value
        self._empty = empty

    @property
    def heading(self) -> str:
        return self._heading

    def body(self) -> ComposeResult:
        if self._asked == "text":
            yield PlainInput(self._value, select_on_focus=False)
        else:
            yield (PathInput if self._asked == "path" else ModelInput)(self._value)

    def action_accept(self) -> None:
        value = self.query_one(PlainInput).value.strip()
        if not value and self._empty:
            self.complain(self._empty)
            return
        try:
            self._check(value)
        except InputError as error:
            self.complain(str(error))
        else:
            self.dismiss(value)
