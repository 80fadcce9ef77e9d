"""What all panes that draw their own lines share."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView


class Pane(ScrollView):
    """Scrolls by pages, and never takes the focus from the screen, whose keys move it."""

    can_focus = False

    def page(self, by: int) -> None:
        """Scroll by pages."""
        self.scroll_relative(y=by * max(1, self.size.height - 2), animate=False)

    def bring(self, row: int) -> None:
        """Scroll to a row, also where the content came just now: its scroll bar is not there before it is drawn."""
        self.scroll_to(y=row, animate=False, force=True)

    def resize_content(self, height: int) -> None:
        """Have room for this many rows, as wide as the pane, and draw them."""
        size = Size(self.scrollable_size.width, height)
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()
