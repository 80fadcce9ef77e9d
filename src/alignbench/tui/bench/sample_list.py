"""The samples of one column as one widget that draws its own lines.

A widget per sample would be laid out again at every new word of every sample; here a new word costs the wrapping of
one line and the drawing of the lines on the screen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip

from alignbench.tui.text import cells, char_at, end, printable, raw_part, start, whole_graphemes
from alignbench.tui.widgets.pane import Pane, marked_segments, span_of
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.wrap import WrappedText

LEAST_LINES = 2  # of a sample, however many there are
NOTICE = -1  # stands for the notice among the numbers of samples


@dataclass(slots=True)
class _Block:
    """A sample on the screen.

    Attributes:
        index: Of the sample.
        source: The text that `wrapped` was made from.
        wrapped: Its lines.
        status: Its state in words.
        style: Of these words.
        tail: Whether the end is shown where not all of it fits.
        top, lines: Rows that it takes in the list.
        cut: Whether not all of it is shown.
        status_row: Whether its state stands on a row of its own.
    """

    index: int
    source: str
    wrapped: WrappedText
    status: str = ""
    style: str = "dim"
    tail: bool = False  # show the end where not all of it fits
    top: int = 0
    lines: int = 1
    cut: bool = False
    status_row: bool = False  # the state stands on a row of its own

    def line(self, row: int) -> tuple[int, str]:
        """The text of a row of the block, after where it begins in all of it."""
        total = len(self.wrapped)
        if (self.status_row and row == self.lines - 1) or (not self.cut and row >= total):
            return len(self.wrapped.text), ""
        line = total - self.lines + row if self.cut and self.tail else row
        return self.wrapped.span(line)[0], self.wrapped[line]


class SampleList(Pane):
    """Samples of a cell. In `whole` mode all of every text, else as many lines of each as fit."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "samples--text",
        "samples--index",
        "samples--dim",
        "samples--running",
        "samples--warning",
        "samples--error",
        "samples--cursor",
        "samples--notice",
    }

    class Clicked(Message):
        """A sample was clicked; `twice` for a double click."""

        def __init__(self, samples: SampleList, index: int | None, twice: bool) -> None:
            super().__init__()
            self.samples = samples
            self.index = index
            self.twice = twice

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._samples: Sequence[BenchSample] = ()
        self._blocks: list[_Block] = []
        self._tops: list[int] = []
        self._notice = WrappedText(1)
        self._notice_text = ""
        self._hint = ""
        self._max_tokens: int | None = None
        self._of: object = None
        self._shared = ""
        self._cursor: int | None = None
        self._whole = False
        self._styles: dict[str, Style] = {}
        self._drawn: list[tuple[_ListRow | None, Strip]] = []  # by line of the widget
        self._gutter = 4

    # what to show

    def show(
        self,
        samples: Sequence[BenchSample],
        *,
        of: object,
        max_tokens: int | None,
        shared: str = "",
        cursor: int | None,
        whole: bool,
        notice: str = "",
        hint: str = "",
    ) -> None:
        """Show these samples.

        Args:
            samples: In order.
            of: What they are samples of; where it is another one than before, the list begins at its top again.
            max_tokens: The most of one of them, None where it is not recorded.
            shared: How all of them ended, where that is said elsewhere.
            cursor: Index of the selected one.
            whole: Whether all of every text is shown.
            notice: What stands above them where something is wrong.
            hint: What stands there where there are none.
        """
        moved = cursor != self._cursor or whole != self._whole
        self._samples, self._max_tokens, self._cursor, self._whole = samples, max_tokens, cursor, whole
        self._notice_text, self._hint, self._shared = notice, hint, shared
        if of != self._of:
            self._of, moved = of, True
            self._blocks = []
            self.scroll_home(animate=False)
            self.drop_selection()
        self._arrange()
        if moved:
            self._reveal_cursor()

    def _arrange(self) -> None:
        width = self.scrollable_size.width
        if width < 8:
            return
        digits = len(str(max((sample.index + 1 for sample in self._samples), default=1)))
        self._gutter = digits + 2
        text_width = width - self._gutter
        notice = printable(self._notice_text or ("" if self._samples else self._hint))
        if notice != self._notice.text or self._notice.width != width - 2:
            self._notice = WrappedText(width - 2, notice)
        top = len(self._notice) + 1 if notice else 0
        known = {block.index: block for block in self._blocks}
        self._blocks = [self._block(known.get(s.index), s, text_width) for s in self._samples]
        self._place(top, text_width)
        self._tops = [block.top for block in self._blocks]
        bottom = self._blocks[-1].top + self._blocks[-1].lines if self._blocks else top
        size = Size(width, bottom)
        if size != self.virtual_size:
            self.virtual_size = size
        self._refresh_rows()

    def _refresh_rows(self) -> None:
        """Draw again the rows on the screen that are not what was drawn."""
        first = self.scroll_offset.y
        rows = [self._row(first + y) for y in range(self.size.height)]
        drawn = self._drawn
        if len(drawn) != len(rows):
            self.refresh()
            return
        width = self.size.width
        changed = [
            Region(0, y, width, 1) for y, (row, strip) in enumerate(zip(rows, drawn, strict=True)) if strip[0] != row
        ]
        if changed:
            self.refresh(*changed)

    def _block(self, block: _Block | None, sample: BenchSample, width: int) -> _Block:
        source = sample.text
        if sample.status == "error" and sample.row is not None and not self._notice_text:
            source = sample.row.error or ""
        if block is None or block.wrapped.width != width or not source.startswith(block.source):
            block = _Block(sample.index, source, WrappedText(width, printable(source)))
        elif len(source) > len(block.source):
            block.wrapped.append(printable(source[len(block.source) :]))
            block.source = source
        words = sample.words(self._max_tokens)
        block.status = "" if self._shared and words.startswith(self._shared) else words
        block.tail = sample.status == "running"
        block.style = _STATUS_STYLES.get(sample.status, "dim")
        if block.status.startswith("cut"):
            block.style = "warning"
        return block

    def _place(self, top: int, width: int) -> None:
        """Give every block its rows."""
        room = self.size.height - top
        count = len(self._blocks)
        gap = 1 if self._whole or count * (LEAST_LINES + 2) <= room + 1 else 0
        cap = _cap([len(block.wrapped) for block in self._blocks], room - gap * (count - 1))
        for block in self._blocks:
            total = len(block.wrapped)
            block.cut = not self._whole and total > cap
            block.lines = cap if block.cut else total
            block.status_row = False
            if not block.cut and cells(block.wrapped[total - 1]) + cells(block.status) + 2 > width:
                if self._whole or total < cap:
                    block.status_row = True
                    block.lines += 1
                else:
                    block.cut = True
            block.top = top
            top += block.lines + gap

    # scrolling

    def _reveal_cursor(self) -> None:
        block = next((b for b in self._blocks if b.index == self._cursor), None)
        if block is None:
            return
        first, height = self.scroll_offset.y, self.size.height
        if block.top < first or block.lines > height:
            self.bring(block.top)
        elif block.top + block.lines > first + height:
            self.bring(block.top + block.lines - height)

    # events

    def on_resize(self) -> None:
        self._arrange()
        self._reveal_cursor()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}
        self._drawn = []

    def on_click(self, event: events.Click) -> None:
        event.stop()
        event.prevent_default()  # two clicks open a sample; Textual would select all texts
        if self.text_selection is not None:
            return
        row = event.y + self.scroll_offset.y
        at = bisect_right(self._tops, row) - 1
        index = self._blocks[at].index if at >= 0 and self._blocks else None
        self.post_message(self.Clicked(self, index, event.chain > 1))

    # drawing

    def _style(self, name: str) -> Style:
        if not self._styles:
            self._styles = {
                part: self.get_component_rich_style(f"samples--{part}")
                for part in ("text", "index", "dim", "running", "warning", "error", "cursor", "notice")
            }
        return self._styles[name]

    def _row(self, row: int) -> _ListRow:
        """What a row of the list shows."""
        if not self._tops or row < self._tops[0]:
            if self._notice.text and row < len(self._notice):
                at = self._notice.span(row)[0]
                style = "notice" if self._notice_text else "dim"
                return self._marked(_ListRow(" ", self._notice[row], style, block=NOTICE, at=at))
            return _BLANK
        number = bisect_right(self._tops, row) - 1
        block = self._blocks[number]
        line = row - block.top
        if line >= block.lines:
            return _BLANK
        chosen = block.index == self._cursor
        at, text = block.line(line)
        tail = block.cut and block.tail
        status = block.status if line == (0 if tail else block.lines - 1) else ""
        if block.cut and line == (0 if tail else block.lines - 1):
            room = self.scrollable_size.width - self._gutter - len(status) - (3 if status else 1)
            if tail:
                kept = _end(text, room)
                at, text = max(0, at + len(text) - len(kept) - 1), f"…{kept}"
            else:
                text = f"{start(text, room).rstrip()}…"
        digits = self._gutter - 2
        margin = f"{block.index + 1:>{digits}} " if line == 0 else " " * (digits + 1)
        sign = "▸" if chosen and line == 0 else " "
        return self._marked(_ListRow(sign + margin, text, "text", status, block.style, chosen, number, at))

    def _marked(self, row: _ListRow) -> _ListRow:
        """The row with the part of its text that a mouse has selected."""
        span = span_of(self.text_selection, row.block)
        if span is None:
            return row
        first, last = span
        until = len(row.text) if last is None else last - row.at
        return replace(row, selected=whole_graphemes(row.text, first - row.at, until))

    # selecting text

    def place_at(self, x: int, y: int) -> Offset | None:
        row = self._row(y + self.scroll_offset.y)
        if row.block is None:
            above = [place for up in range(y - 1, -1, -1) if (place := self._row_end(up)) is not None]
            return above[0] if above else None
        return Offset(row.at + char_at(row.text, x - len(row.margin)), row.block)

    def _row_end(self, y: int) -> Offset | None:
        row = self._row(y + self.scroll_offset.y)
        return None if row.block is None else Offset(row.at + len(row.text), row.block)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        numbers = range(NOTICE if self._notice.text else 0, len(self._blocks))
        texts = [
            raw_part(self._source_of(number), *span)
            for number in numbers
            if (span := span_of(selection, number)) is not None
        ]
        return "\n\n".join(texts), "\n"

    def _source_of(self, number: int) -> str:
        return self._notice.text if number == NOTICE else self._blocks[number].source

    def render_line(self, y: int) -> Strip:
        row = self._row(y + self.scroll_offset.y)
        width = self.scrollable_size.width
        height = self.size.height
        if len(self._drawn) != height:
            self._drawn = [(None, Strip([]))] * height
        if y < height:
            known, strip = self._drawn[y]
            if known == row and strip.cell_length == width:
                return strip
        strip = self._draw(row, width)
        if y < height:
            self._drawn[y] = (row, strip)
        return strip

    def _draw(self, row: _ListRow, width: int) -> Strip:
        style = self._style(row.text_style)
        room = width - len(row.margin)
        space = room - len(row.status)
        segments = [
            Segment(row.margin, self._style("cursor" if row.chosen else "index")),
            *marked_segments(set_cell_size(row.text, space), row.selected, style),
        ]
        if row.status:
            segments.append(Segment(row.status, self._style(row.status_style)))
        return Strip(segments, width)


@dataclass(frozen=True, slots=True)
class _ListRow:
    """What one row shows; two rows that are equal look the same.

    Attributes:
        margin: Before the text.
        text, text_style: The text.
        status, status_style: Behind it.
        chosen: Whether it belongs to the selected sample.
        block: Number of the text that it is from, `NOTICE` or that of a sample; None where it is blank.
        at: Where it begins in that.
        selected: The part of it that a mouse has selected.
    """

    margin: str = ""
    text: str = ""
    text_style: str = "text"
    status: str = ""
    status_style: str = "dim"
    chosen: bool = False
    block: int | None = None
    at: int = 0
    selected: tuple[int, int] = (0, 0)


_BLANK = _ListRow()


def _end(text: str, width: int) -> str:
    """The end of a text, as much as fits into `width` cells, from a word's beginning if there is one."""
    if cells(text) <= width:
        return text
    kept = end(text, width)
    _, space, rest = kept.partition(" ")
    return rest if space and rest.strip() else kept


_STATUS_STYLES = {"running": "running", "cancelled": "warning", "error": "error"}


def _cap(heights: Sequence[int], room: int) -> int:
    """The most lines a sample may take so that all of them fit into the room; never under `LEAST_LINES`."""
    cap = LEAST_LINES
    most = max(heights, default=0)
    while cap < most and sum(min(height, cap + 1) for height in heights) <= room:
        cap += 1
    return cap
