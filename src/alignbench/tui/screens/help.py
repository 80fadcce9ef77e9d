"""F1: what the screen below is for, and every key of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from alignbench.tui.actions import HELP, Action, bindings


class HelpScreen(Screen[None]):
    """The actions of another screen, made from the same list as its key bindings."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", HELP)]
    HELP = ""

    def __init__(self, about: str, actions: Sequence[Action]) -> None:
        super().__init__()
        self._about = about
        self._actions = actions

    def compose(self) -> ComposeResult:
        yield Static(" Help", id="heading", markup=False)
        lines = [Content(self._about), Content("")] if self._about else []
        width = max(len(action.shown) for action in self._actions)
        for action in self._actions:
            lines.append(
                Content.assemble(
                    (f"{action.shown:>{width}}  ", "bold $primary"), (f"{action.called:<18}", "bold"), action.help
                )
            )
        with VerticalScroll():
            yield Static(Content("\n").join(lines), markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_back(self) -> None:
        self.dismiss(None)
