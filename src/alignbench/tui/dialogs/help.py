"""F1: what the screen below is for, and every key of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from alignbench.tui.action import Action, bindings
from alignbench.tui.dialogs.actions import HELP
from alignbench.tui.screen import AppScreen
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.wrap import WrappedText


class HelpScreen(AppScreen[None]):
    """The actions of another screen, made from the same list as its key bindings."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", HELP)]
    HELP = ""

    def __init__(self, about: str, actions: Sequence[Action]) -> None:
        super().__init__()
        self._about = about
        self._actions = actions

    def compose(self) -> ComposeResult:
        yield ScreenTitle("Help")
        with VerticalScroll(classes="section"):
            yield Static("", id="keys", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_resize(self, event: events.Resize) -> None:
        width = max(len(action.shown) for action in self._actions)
        title = max(len(action.called) for action in self._actions) + 2
        room = max(20, event.size.width - width - title - 8)
        lines = [Content(self._about), Content("")] if self._about else []
        for action in self._actions:
            text = WrappedText(room, action.help)
            head = Content.assemble(
                (f"{action.shown:>{width}}  ", "bold $text-primary"), (f"{action.called:<{title}}", "bold")
            )
            lines.append(Content.assemble(head, text[0]))
            lines += [Content(" " * (width + 2 + title) + text[i]) for i in range(1, len(text))]
        self.query_one("#keys", Static).update(Content("\n").join(lines))
