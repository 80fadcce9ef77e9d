"""What all panes that draw their own lines share."""

from __future__ import annotations

from collections.abc import Iterator

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection

from alignbench.tui.text import char_at, whole_graphemes
from alignbench.tui.wrap import WrappedText

SELECTED_TEXT = Style(reverse=True)


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

    # selecting text with the mouse

    def place_at(self, x: int, y: int) -> Offset | None:
        """Where in its texts a cell is: the character as x, the number of the text as y; None where no text is near.

        x, y: of the cell, from the top left of what is in sight.
        """
        raise NotImplementedError

    def drop_selection(self) -> None:
        """What was selected is no longer what is shown."""
        if self.text_selection is not None:
            self.screen.clear_selection()


def span_of(selection: Selection | None, text: int | None) -> tuple[int, int | None] | None:
    """The part of one text that is selected, by its number; None where nothing of it is.

    Its end is None where it goes to the end of the text.
    """
    if selection is None or text is None:
        return None
    first, last = selection
    if (first is not None and text < first.y) or (last is not None and text > last.y):
        return None
    begin = first.x if first is not None and text == first.y else 0
    return begin, (last.x if last is not None and text == last.y else None)


def place_in(text: WrappedText, x: int, row: int) -> Offset:
    """Where in a wrapped text a cell of one of its rows is."""
    if row >= len(text):
        return Offset(len(text.text), 0)
    return Offset(text.span(row)[0] + char_at(text[row], x), 0)


def selected_of(text: WrappedText, row: int, selection: Selection | None) -> tuple[int, int]:
    """The part of a row of a wrapped text that is selected."""
    span = span_of(selection, 0)
    if span is None or row >= len(text):
        return 0, 0
    (at, _), (first, last) = text.span(row), span
    return whole_graphemes(text[row], first - at, len(text[row]) if last is None else last - at)


def marked_segments(text: str, selected: tuple[int, int], style: Style) -> Iterator[Segment]:
    """A text in one style, the selected part of it marked. selected: where it begins and ends in it"""
    first, last = selected
    if first >= last:
        yield Segment(text, style)
        return
    for part, of in ((text[:first], style), (text[first:last], style + SELECTED_TEXT), (text[last:], style)):
        if part:
            yield Segment(part, of)
