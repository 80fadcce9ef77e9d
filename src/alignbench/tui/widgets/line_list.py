"""Lines of content that scroll; one of them may be kept in sight."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import Visual

from alignbench.tui.text import char_at, raw_part, whole_graphemes
from alignbench.tui.widgets.pane import Pane, span_of


class LineList(Pane):
    """Draws the lines it is given, each on one row and cut at the right."""

    DEFAULT_CSS = """
    LineList { height: 1fr; background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Content] = ()
        self._cursor = (0, 0)

    def show(self, lines: Sequence[Content], cursor: tuple[int, int] = (0, 0)) -> None:
        """cursor: the first row to keep in sight, and the one after the last. It scrolls only when the cursor moves."""
        moved, before = cursor != self._cursor, self._lines
        self._lines, self._cursor = lines, cursor
        if len(lines) != len(before):
            self._measure()
        else:
            for row, (old, new) in enumerate(zip(before, lines, strict=True)):
                if not old.is_same(new):
                    self.refresh_line(row)
        if moved:
            self._reveal()

    def on_resize(self) -> None:
        self._measure()
        self._reveal()

    def _measure(self) -> None:
        self.resize_content(len(self._lines))

    def _reveal(self) -> None:
        first, end = self._cursor
        top, height = self.scroll_offset.y, self.size.height
        if end > top + height:
            self.bring(min(first, end - height))
            top = min(first, end - height)
        if first < top:
            self.bring(first)

    def render_line(self, y: int) -> Strip:
        row, width = y + self.scroll_offset.y, self.scrollable_size.width
        style = self.visual_style
        if row >= len(self._lines):
            return Strip.blank(width, style.rich_style)
        strips = Visual.to_strips(self, self._marked(row), max(width, 1), 1, style, apply_selection=False)
        return strips[0].adjust_cell_length(width, style.rich_style) if strips else Strip.blank(width)

    # selecting text

    def _marked(self, row: int) -> Content:
        """A line with what a mouse has selected of it."""
        line = self._lines[row]
        span = span_of(self.text_selection, row)
        if span is None:
            return line
        first, last = whole_graphemes(line.plain, span[0], len(line.plain) if span[1] is None else span[1])
        return line.stylize("reverse", first, last) if first < last else line

    def place_at(self, x: int, y: int) -> Offset:
        row = y + self.scroll_offset.y
        if row >= len(self._lines):
            return Offset(0, len(self._lines))
        return Offset(char_at(self._lines[row].plain, x), row)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        parts = [
            raw_part(line.plain, *span).rstrip()
            for row, line in enumerate(self._lines)
            if (span := span_of(selection, row)) is not None
        ]
        return "\n".join(parts), "\n"
