"""Rows that are cut through a wide character, as by a toast over them, stay as long as they are.

Rich takes a text to pieces by characters but measures it by graphemes: cut inside `❤️` or a joined emoji, the pieces
are not as wide as the whole. Here a grapheme is one piece; one that is cut is blank on both sides of the cut.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import split_graphemes
from rich.segment import Segment


@lru_cache(4096)
def split_cells(segment: Segment, cut: int) -> tuple[Segment, Segment]:
    """What stands before and behind a cell."""
    text, style, control = segment
    at = 0
    for first, last, width in split_graphemes(text)[0]:
        if at < cut < at + width:
            before, behind = text[:first] + " " * (cut - at), " " * (at + width - cut) + text[last:]
            return Segment(before, style, control), Segment(behind, style, control)
        if at >= cut and width:
            return Segment(text[:first], style, control), Segment(text[first:], style, control)
        at += width
    return segment, Segment("", style, control)


def keep_widths() -> None:
    """Have every row of the app cut like that: strips, their crops and the compositor all come to this one place."""
    setattr(Segment, "_split_cells", staticmethod(split_cells))  # noqa: B010
