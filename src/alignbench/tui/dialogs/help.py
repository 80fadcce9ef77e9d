"""F1: what the screen below is for, every key of it, and the words on it that need a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from alignbench.tui.action import Action, bindings
from alignbench.tui.dialogs.actions import HELP
from alignbench.tui.glossary import GLOSSARY
from alignbench.tui.screen import AppScreen
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.wrap import WrappedText

MARGIN = 4  # cells at both sides, and the scroll bar


class HelpScreen(AppScreen[None]):
    """The actions of another screen, made from the same list as its key bindings."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("help", HELP)]
    AUTO_FOCUS = None
    HELP = ""

    def __init__(self, about: str, actions: Sequence[Action], words: Sequence[str]) -> None:
        """words: of the glossary, those that the screen shows."""
        super().__init__()
        self._about = about
        self._actions = actions
        self._words = words

    def compose(self) -> ComposeResult:
        yield ScreenTitle("Help")
        yield LineList(classes="section")
        yield Keys()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(LineList).show([*self._lines(event.size.width - MARGIN)])

    def _lines(self, width: int) -> Iterator[Content]:
        if self._about:
            more = "  End: what the words on that screen mean." if self._words else ""
            yield from (Content(line) for line in _wrapped(self._about + more, width))
            yield Content("")
        keys = max(len(action.shown) for action in self._actions)
        titles = max(len(action.called) for action in self._actions) + 2
        for action in self._actions:
            head = Content.assemble(
                (f"{action.shown:>{keys}}  ", "bold $text-primary"), (f"{action.called:<{titles}}", "bold")
            )
            yield from _beside(head, action.help, width)
        if self._words:
            yield Content("")
            yield Content.styled("Words on that screen", "bold")
        columns = max(map(len, self._words), default=0) + 2
        for word in self._words:
            yield from _beside(Content.styled(f"{word:<{columns}}", "bold $text-primary"), GLOSSARY[word], width)

    def panes(self) -> Iterable[Pane]:
        return self.query(LineList)


def _beside(head: Content, text: str, width: int) -> Iterator[Content]:
    """A text beside its head; lines that follow stand below the text."""
    for i, line in enumerate(_wrapped(text, width - head.cell_length)):
        yield Content.assemble(head if i == 0 else " " * head.cell_length, line)


def _wrapped(text: str, width: int) -> Iterator[str]:
    wrapped = WrappedText(max(20, width), text)
    return (wrapped[row] for row in range(len(wrapped)))
