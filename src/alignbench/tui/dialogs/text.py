"""A text of some length, to read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.types import CSSPathType

from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import TEXT
from alignbench.tui.screen import AppScreen
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.text_pane import TextPane


class TextScreen(AppScreen[None]):
    """Subclasses, or whoever pushes it, give the text; `text` may depend on the width."""

    CSS_PATH: ClassVar[CSSPathType | None] = Path(__file__).with_name("text.tcss")  # whatever folder a subclass is in
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("text", TEXT)]
    HELP = ""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading

    def compose(self) -> ComposeResult:
        yield ScreenTitle(self._heading)
        yield TextPane(classes="section -selected")
        yield Keys()

    def text(self, width: int) -> str:
        """What is shown at this width."""
        raise NotImplementedError

    def paged_text(self) -> str:
        return self.text(self.size.width)

    def on_resize(self) -> None:
        self.show()

    def show(self) -> None:
        """Show the text as it is now."""
        self.query_one(TextPane).show(self.text(max(40, self.size.width - 4)))

    def panes(self) -> Iterable[Pane]:
        return self.query(TextPane)
