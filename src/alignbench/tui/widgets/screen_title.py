"""The first line of a screen."""

from __future__ import annotations

from textual.content import Content

from alignbench.tui.styled import DIM
from alignbench.tui.text import cells, one_line
from alignbench.tui.widgets.steady_text import SteadyText


class ScreenTitle(SteadyText):
    """What the screen is, what it is about, and at the right end where one stands."""

    DEFAULT_CSS = "ScreenTitle { height: 1; background: $panel; }"

    def __init__(self, name: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._parts = (name, "", "")

    def show(self, name: str, about: str = "", state: str = "") -> None:
        """Say it; `about` is data, and is cut where there is no room."""
        if (name, about, state) != self._parts:
            self._parts = (name, about, state)
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        name, about, state = self._parts
        room = self.size.width - cells(name) - cells(state) - 6
        said = one_line(about, room) if room > 3 else ""
        gap = " " * max(1, room - cells(said) + 1)
        self.update(Content.assemble((f" {name}  ", "bold"), said, gap, (state, DIM), " "), layout=False)
