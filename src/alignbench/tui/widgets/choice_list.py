"""Textual's lists of options, in which what is selected looks as everywhere."""

from __future__ import annotations

from typing import TypeVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import OptionList, SelectionList

SelectionT = TypeVar("SelectionT")


class _OneLook(OptionList):
    """Nothing in the highlighted option keeps a colour of its own, which may not be told from what is behind it."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        first = next(iter(strip), None)
        if first is None or first.style is None or first.style.meta.get("option") != self.highlighted:
            return strip
        style = self.get_component_rich_style("option-list--option-highlighted")
        return Strip(Segment.apply_style(strip, post_style=style), strip.cell_length)


class ChoiceList(_OneLook):
    """One of its options is chosen."""

    DEFAULT_CSS = """
    ChoiceList {
        height: 1fr;
        border: none;
        padding: 0;
        background: transparent;
        background-tint: transparent;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: transparent; }
    }
    """


class ChecksList(_OneLook, SelectionList[SelectionT]):
    """Any of its options are checked."""

    DEFAULT_CSS = """
    ChecksList {
        border: none;
        padding: 0;
        background: transparent;
        background-tint: transparent;
        & > .selection-list--button, & > .selection-list--button-highlighted { color: $panel; background: $panel; }
        &:focus { border: none; background-tint: transparent; }
    }
    """
