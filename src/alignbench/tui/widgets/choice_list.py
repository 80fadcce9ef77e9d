"""Textual's lists of options; what is selected looks as everywhere, and no colour alone tells what is checked."""

from __future__ import annotations

from typing import TypeVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import OptionList, SelectionList

SelectionT = TypeVar("SelectionT")
_BOX = 4  # segments that Textual's box and the space behind it take


class _OneLook(OptionList):
    """Nothing in the highlighted option keeps a colour of its own, which may not be told from what is behind it."""

    DEFAULT_CSS = """
    _OneLook {
        border: none;
        padding: 0;
        background: transparent;
        background-tint: transparent;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: transparent; }
    }
    """

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self._clear_caches()  # they know an option by its own style, not by the colours in its text

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if (at := _option(strip)) is None or at != self.highlighted:
            return strip
        style = self.get_component_rich_style("option-list--option-highlighted")
        return Strip(Segment.apply_style(strip, post_style=style), strip.cell_length)


class ChoiceList(_OneLook):
    """One of its options is chosen."""

    DEFAULT_CSS = """
    ChoiceList { height: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """


class ChecksList(SelectionList[SelectionT], _OneLook):
    """Any of its options are checked: [x]."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if (at := _option(strip)) is None:
            return strip
        mark = "x" if self.get_option_at_index(at).value in self.selected else " "
        segments = list(strip)
        return Strip([Segment(f"[{mark}] ", segments[_BOX].style), *segments[_BOX:]], strip.cell_length)


def _option(strip: Strip) -> int | None:
    """Place of the option that a line belongs to."""
    style = next((segment.style for segment in strip), None)
    return style.meta.get("option") if style is not None else None
