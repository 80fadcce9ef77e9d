"""Numbers as marks on a line: where conditions stand between floor and ceiling, how a score spreads over prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from alignbench.tui.styled import DIM, hue_of

_STACK = ("·", ":", "⁝", "#")  # one, two, three, more prompts at one place


@dataclass(frozen=True, slots=True)
class Scale:
    """From a number to a cell of a line of `width` cells."""

    low: float
    high: float
    width: int

    def at(self, value: float) -> int:
        """The cell of a value, 0 to width - 1."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return min(self.width - 1, max(0, round(share * (self.width - 1))))


def recovery_bar(
    width: int, marks: Mapping[str, float], *, floor: float | None, ceiling: float | None, null: float | None
) -> Content:
    """Marks on a line with bars at floor and ceiling and a dotted one at the null.

    Between floor and ceiling the line is double. Marks that fall together stand side by side, in order.

    Args:
        width: Cells of the line.
        marks: A letter or two each, with their values.
        floor, ceiling, null: Values, None where there is none.
    """
    known = [value for value in (floor, ceiling, null, *marks.values()) if value is not None]
    if not known or width < 8:
        return Content("")
    scale = Scale(min(known), max(known), width)
    line = ["─"] * width
    styles = [DIM] * width
    if floor is not None and ceiling is not None and floor < ceiling:
        for cell in range(scale.at(floor), scale.at(ceiling) + 1):
            line[cell], styles[cell] = "═", "$foreground"
    taken: set[int] = set()
    for sign, value, style in (("┊", null, "bold"), ("|", floor, "bold"), ("|", ceiling, "bold")):
        if value is not None:
            cell = scale.at(value)
            line[cell], styles[cell] = sign, style
            taken.add(cell)
    for letter, value in sorted(marks.items(), key=lambda mark: mark[1]):
        at = _free(scale.at(value), len(letter), taken, width)
        for cell, char in enumerate(letter, start=at):
            line[cell], styles[cell] = char, f"bold {hue_of(letter)}"
            taken.add(cell)
    return Content.assemble(*zip(line, styles, strict=True))


def _free(cell: int, size: int, taken: set[int], width: int) -> int:
    """Where the nearest `size` cells begin that nothing stands on."""
    for away in range(width):
        for at in (cell + away, cell - away):
            if 0 <= at <= width - size and taken.isdisjoint(range(at, at + size)):
                return at
    return min(cell, width - size)


def dot_plot(
    values: Sequence[float], scale: Scale, *, mean: float | None, current: float | None, style: str = ""
) -> Content:
    """A dot a prompt, more in one place by the shape.

    Args:
        values: A number for each prompt.
        scale: The line.
        mean: Is marked by |.
        current: Of the prompt on the screen, marked by ◆.
        style: Of the marks.
    """
    line = ["─"] * scale.width
    styles = [DIM] * scale.width
    for cell, count in Counter(scale.at(value) for value in values).items():
        line[cell], styles[cell] = _STACK[min(count, len(_STACK)) - 1], f"bold {style}".rstrip()
    if mean is not None:
        line[scale.at(mean)], styles[scale.at(mean)] = "|", "bold"
    if current is not None:
        line[scale.at(current)], styles[scale.at(current)] = "◆", "bold"
    return Content.assemble(*zip(line, styles, strict=True))
