"""Points in a box of characters: told apart by their letters, whatever the colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from alignbench.tui.styled import DIM, hue_of
from alignbench.tui.text import number
from alignbench.tui.widgets.bars import Scale

LABEL = 6  # cells left of the box, for the ends of the y axis
HEIGHT = 12


@dataclass(frozen=True, slots=True)
class Point:
    """A mark in a plot.

    Attributes:
        x, y: Where it is.
        mark: One or more characters.
        faint: Whether it is drawn below the others.
    """

    x: float
    y: float
    mark: str
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, and from where to where. ends: what stands there in the place of the numbers."""

    title: str
    low: float
    high: float
    ends: tuple[str, str] | None = None

    @classmethod
    def around(cls, title: str, values: Sequence[float]) -> Axis:
        """From the lowest value to the highest, with a little room."""
        low, high = min(values), max(values)
        room = 0.05 * (high - low) or 0.05
        return cls(title, low - room, high + room)


def plot(points: Sequence[Point], x: Axis, y: Axis, width: int, height: int = HEIGHT) -> list[Content]:
    """A box with the points in it; what falls on another mark moves to the nearest free place in its row.

    Args:
        points: The marks.
        x, y: The axes.
        width: Cells of a line, the numbers of the axis included.
        height: Rows inside the box.
    """
    across, down = Scale(x.low, x.high, max(8, width - LABEL - 3)), Scale(y.low, y.high, height)
    grid = [[" "] * across.width for _ in range(height)]
    styles = [[DIM] * across.width for _ in range(height)]
    for point in sorted(points, key=lambda p: p.faint):
        row = height - 1 - down.at(point.y)
        first = _free(grid[row], across.at(point.x), len(point.mark), point.faint)
        for column, char in enumerate(point.mark, start=first) if first is not None else ():
            grid[row][column] = char
            styles[row][column] = DIM if point.faint else f"bold {hue_of(point.mark)}"
    lines = [Content.styled(f" {y.title}", "bold")]
    for row, (chars, style) in enumerate(zip(grid, styles, strict=True)):
        at = {0: _end(y.high), height - 1: _end(y.low)}.get(row, "")
        lines.append(Content.assemble((f"{at:>{LABEL}} │", DIM), *zip(chars, style, strict=True)))
    low, high = x.ends or (_end(x.low), _end(x.high))
    middle = f"{x.title:^{max(0, across.width - len(low) - len(high))}}"
    lines.append(Content.styled(f"{'':>{LABEL}} └{'─' * across.width}", DIM))
    lines.append(Content.assemble(f"{'':>{LABEL + 2}}", (low, DIM), (middle, "bold"), (high, DIM)))
    return lines


def _end(value: float) -> str:
    """The end of an axis."""
    return f"{value:.0f}" if value == int(value) else number(value)


def _free(row: Sequence[str], wanted: int, size: int, faint: bool) -> int | None:
    """The nearest cells that nothing stands on; a faint mark gives way instead of moving."""
    starts = sorted(range(len(row) - size + 1), key=lambda at: (abs(at - wanted), at < wanted))
    return next((at for at in starts[: 1 if faint else None] if not "".join(row[at : at + size]).strip()), None)


def interval_bar(value: float, interval: tuple[float, float] | None, scale: Scale) -> Content:
    """├──●──┤ on a line: a value and the interval around it."""
    line = [" "] * scale.width
    if interval is not None:
        first, last = scale.at(interval[0]), scale.at(interval[1])
        line[first : last + 1] = ["├", *"─" * max(0, last - first - 1), "┤"][: last - first + 1]
    line[scale.at(value)] = "●"
    return Content("".join(line))
