"""Where only one column fits: one line that names them all."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from alignbench.tui.state import letter
from alignbench.tui.text import one_line


class ColumnTabs(Static):
    """The columns' letters and names; the selected one is marked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def show(self, names: Sequence[str], states: Sequence[str], selected: int, reference: str | None) -> None:
        """states: how far each has got, in a few characters."""
        if not names:
            self.update("", layout=False)
            return
        room = max(6, self.size.width // len(names) - 14)
        parts: list[Content] = []
        for at, (name, state) in enumerate(zip(names, states, strict=True)):
            mark = "*" if name == reference else ""
            text = f" {'▶' if at == selected else ' '}{letter(at)} {one_line(name, room)}{mark} {state} "
            parts.append(Content.styled(text, "bold $text on $primary" if at == selected else "$foreground 60%"))
        self.update(Content("").join(parts), layout=False)
