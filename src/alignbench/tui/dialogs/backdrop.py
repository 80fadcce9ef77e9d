"""What a dialog stands before: the screen below it, all in one quiet colour."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult  # noqa: TID251
from rich.segment import Segment
from rich.style import Style
from textual.screen import Screen


class Backdrop:
    """Draws a screen without its colours."""

    def __init__(self, screen: Screen[object], style: Style) -> None:
        self._screen = screen
        self._style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._screen._compositor, options):
            yield segment if segment.control else Segment(segment.text, self._style)
