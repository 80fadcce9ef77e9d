"""A text that scrolls, parts of it marked; nothing in it is markup."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import split_graphemes
from rich.segment import Segment
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from alignbench.tui.text import printable, raw_part
from alignbench.tui.widgets.pane import Pane, marked_segments, place_in, selected_of, span_of
from alignbench.tui.wrap import WrappedText

STYLES = ("plain", "shared", "strong", "covered", "missing", "marginal", "shifted", "chosen", "more", "less")


@dataclass(frozen=True, slots=True)
class StyledRun:
    """A piece of text in one style.

    Attributes:
        text: The piece.
        style: One of `STYLES`.
        mark: A character that stands below each of its cells.
        mark_style: The style of the marks.
    """

    text: str
    style: str = "plain"
    mark: str = ""
    mark_style: str = "plain"


class MarkedPane(Pane):
    """Runs of text, wrapped as one. Where runs have marks, every line of text has a line of marks below it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"marked--{style}" for style in STYLES}
    DEFAULT_CSS = """
    MarkedPane {
        height: 1fr;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        overflow-x: hidden;
        .marked--plain { color: $foreground; background: $background; }
        .marked--shared { color: $text-success; background: $background; text-style: underline; }
        .marked--strong { color: $text-success; background: $background; text-style: reverse; }
        .marked--covered { color: $text-success; background: $background; text-style: bold; }
        .marked--missing { color: $text-muted; background: $background; text-style: bold; }
        .marked--marginal { color: $text-primary; background: $background; text-style: underline; }
        .marked--chosen {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
        .marked--more { color: $text-error; background: $background; }
        .marked--less { color: $text-success; background: $background; }
        .marked--shifted { color: $text-error; background: $background; text-style: reverse; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._runs: tuple[StyledRun, ...] = ()
        self._starts: list[int] = []
        self._wrapped = WrappedText(1)
        self._cursor: int | None = None
        self._rows = 1  # of the screen for a line of text

    def show(self, runs: Sequence[StyledRun], cursor: int | None = None) -> None:
        """Show these runs. cursor: the one to keep in sight."""
        if (tuple(runs), cursor) != (self._runs, self._cursor):
            if [run.text for run in runs] != [run.text for run in self._runs]:
                self.drop_selection()
            self._runs, self._cursor = tuple(runs), cursor
            self._wrap()

    def on_resize(self) -> None:
        self._wrap()

    def _wrap(self) -> None:
        self._starts, pieces, at = [], [], 0
        for run in self._runs:
            self._starts.append(at)
            pieces.append(printable(run.text))
            at += len(pieces[-1])
        self._wrapped = WrappedText(self.scrollable_size.width, "".join(pieces))
        self._rows = 2 if any(run.mark for run in self._runs) else 1
        self.resize_content(len(self._wrapped) * self._rows)
        if self._cursor is not None and self._cursor < len(self._starts):
            self._reveal(self._wrapped.line_of(self._starts[self._cursor]) * self._rows)

    def _reveal(self, line: int) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= line < top + height - 1:
            self.bring(max(0, line - height // 3))

    def render_line(self, y: int) -> Strip:
        row, below = divmod(y + self.scroll_offset.y, self._rows)
        width = self.scrollable_size.width
        plain = self.get_component_rich_style("marked--plain")
        if row >= len(self._wrapped):
            return Strip.blank(width, plain)
        at, end = self._wrapped.span(row)
        first, last = (at + place for place in selected_of(self._wrapped, row, self.text_selection))
        segments: list[Segment] = []
        while at < end:
            run = bisect_right(self._starts, at) - 1
            stop = min(end, self._starts[run + 1] if run + 1 < len(self._starts) else end)
            text, of = self._wrapped.text[at:stop], self._runs[run]
            if below:
                text = "".join(
                    (" " if text[first].isspace() else of.mark or " ") * cells
                    for first, _, cells in split_graphemes(text)[0]
                )
            style = self.get_component_rich_style(f"marked--{of.mark_style if below else of.style}")
            selected = (0, 0) if below else (max(0, first - at), min(last, stop) - at)
            segments += marked_segments(text, selected, style)
            at = stop
        return Strip(segments).adjust_cell_length(width, plain)

    # selecting text

    def place_at(self, x: int, y: int) -> Offset:
        return place_in(self._wrapped, x, (y + self.scroll_offset.y) // self._rows)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        span = span_of(selection, 0)
        return None if span is None else (raw_part("".join(run.text for run in self._runs), *span), "\n")
