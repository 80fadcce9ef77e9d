"""A text that is drawn again only where it is another one."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static


class SteadyText(Static):
    """Shows what it is given. Screens say ten times a second what they show, while samples arrive."""

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        shown = self.content
        if not (isinstance(content, Content) and isinstance(shown, Content) and shown.is_same(content)):
            super().update(content, layout=layout)
