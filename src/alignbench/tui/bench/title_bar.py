"""The first line of the Bench: which session, which prompt of which set, and what the machine is doing."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content
from textual.widgets import Static

from alignbench.tui.text import one_line
from alignbench.tui.workbench.state import Bench


def place(bench: Bench) -> str:
    """Where the prompt stands: its set and its number in it."""
    if (position := bench.position) is None:
        return "own prompt"
    return f"{Path(bench.prompt_set).stem} {position + 1}/{len(bench.prompts)}"


class TitleBar(Static):
    """One line, drawn again only when something in it changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._parts = ("", "", "")
        self._width = 0

    def show(self, session: str, place: str, state: str) -> None:
        """session: its name, empty before there is one. place: the prompt's. state: models, speed, time."""
        parts = (session, place, state)
        if parts == self._parts and self._width == self.size.width:
            return
        self._parts, self._width = parts, self.size.width
        self._draw()

    def on_resize(self) -> None:
        self._width = self.size.width
        self._draw()

    def _draw(self) -> None:
        session, place, state = self._parts
        width = max(20, self._width)
        right = "   ".join(part for part in (one_line(place, 28), state) if part)
        room = width - len(right) - 15
        name = one_line(session or "new session", max(4, room)) if room > 6 else ""
        left = Content.assemble((" alignbench ", "bold"), "  ", (name, "" if session else "$foreground 60%"))
        gap = max(1, width - left.cell_length - len(right) - 1)
        self.update(Content.assemble(left, " " * gap, (right, "$foreground 60%"), " "), layout=False)
