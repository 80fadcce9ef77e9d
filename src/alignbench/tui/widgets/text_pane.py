"""A long text that scrolls, wrapped line by line; more of it can arrive while it is shown."""

from __future__ import annotations

from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from alignbench.tui.text import printable, raw_part
from alignbench.tui.widgets.pane import Pane, marked_segments, place_in, selected_of, span_of
from alignbench.tui.wrap import WrappedText


class TextPane(Pane):
    """Plain text; nothing in it is markup."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._source = ""
        self._wrapped = WrappedText(1)

    def show(self, text: str) -> None:
        """Show a text. One that continues the text before it stays where it was scrolled to."""
        if text == self._source:
            return
        if text.startswith(self._source) and self._source:
            self._wrapped.append(printable(text[len(self._source) :]))
            self._source = text
        else:
            self._source = text
            self._wrapped = WrappedText(self._wrapped.width, printable(text))
            self.scroll_home(animate=False)
            self.drop_selection()
        self._measure()

    def on_resize(self) -> None:
        if self.scrollable_size.width != self._wrapped.width:
            self._wrapped = WrappedText(self.scrollable_size.width, printable(self._source))
        self._measure()

    def _measure(self) -> None:
        self.resize_content(len(self._wrapped))

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        text = self._wrapped[row] if row < len(self._wrapped) else ""
        segments = marked_segments(text, selected_of(self._wrapped, row, self.text_selection), self.rich_style)
        return Strip(segments).adjust_cell_length(self.scrollable_size.width, self.rich_style)

    # selecting text

    def place_at(self, x: int, y: int) -> Offset:
        return place_in(self._wrapped, x, y + self.scroll_offset.y)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        span = span_of(selection, 0)
        return None if span is None else (raw_part(self._source, *span), "\n")
