"""Floor, columns with their versions, and ceiling, as bars beside the scores; recovery stands on the band above."""

from __future__ import annotations

from textual.content import Content

from alignbench.tui.styled import DIM, hue_of
from alignbench.tui.text import fitted, one_line
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.comparison_values import HELD_OUT, ReferenceComparison, Score, ScoreTable

BAR = 14
SIDE, WIDE_SIDE = 18, 32  # names beside the bars; where versions are named too
BESIDE = 8  # a number before a bar, and space behind it


def comparison_lines(table: ScoreTable, width: int, lines: int) -> list[Content]:
    """A line each, with bars from 0 to 1 and the ceiling marked in them; at most as many lines as there are."""
    if table.reference is None or not table.cross:
        text = "Mark a reference column with * to compare the others with it." if table.names else ""
        return [Content.styled(text, DIM)]
    reference = letter(table.reference)
    many = any(comparison.role != "floor" for comparison in table.comparisons)
    side = WIDE_SIDE if many and width >= WIDE_SIDE + 2 * (BESIDE + 8) else SIDE
    bar = max(8, min(BAR * 2, (width - side) // 2 - BESIDE))
    ceilings = [table.cross[metric.key].ceiling for metric in table.similarities]
    legend = f"{HELD_OUT} held out" if any(comparison.held_out for comparison in table.comparisons) else ""
    held = f"  {legend}" if side > SIDE else ""
    head = Content.assemble(
        (f"{f'similarity to {reference}*{held}':<{side}}", "bold"),
        *[(f"{metric.short:<{bar + BESIDE}}", "bold") for metric in table.similarities],
    )
    top = Content.assemble(
        (f"{f'ceiling {reference}-{reference}':<{side}}", DIM),
        *[bar_line(score, score, bar, DIM) for score in ceilings],
    )
    rows = [head, top]
    if not table.comparisons:
        return [*rows, Content.styled("Another column (a) gives something to compare.", DIM)]
    room = lines - len(rows)
    fitting = list(table.comparisons) if len(table.comparisons) <= room else _shown_first(table.comparisons, room - 1)
    for comparison in fitting:
        parts: list[Content | tuple[str, str]] = [(fitted(_named(comparison), side - 1) + " ", _style(comparison))]
        style = DIM if comparison.role == "floor" else ""
        pairs = zip(comparison.scores, ceilings, strict=True)
        parts += [bar_line(score, ceiling, bar, style) for score, ceiling in pairs]
        rows.append(Content.assemble(*parts))
    more = len(table.comparisons) - len(fitting)
    said = [f"and {more} more: F7, v"] if more else []
    if legend and not held and (said or len(rows) < lines):
        said.append(legend)
    return [*rows, Content.styled("   ".join(said), DIM)] if said else rows


def _named(comparison: ReferenceComparison) -> str:
    role = "floor " if comparison.role == "floor" else ""
    held = HELD_OUT if comparison.held_out else ""
    mark = "▸" if comparison.selected and comparison.current else " "
    return f"{mark}{role}{comparison.sign}{held} {one_line(comparison.words)}"


def _style(comparison: ReferenceComparison) -> str:
    return f"{'bold ' if comparison.selected and comparison.current else ''}{hue_of(comparison.sign)}"


def _shown_first(comparisons: tuple[ReferenceComparison, ...], room: int) -> list[ReferenceComparison]:
    """The floor, what is on the Bench, and of the older versions the newest ones."""
    order = sorted(
        range(len(comparisons)), key=lambda i: (comparisons[i].role != "floor", not comparisons[i].current, -i)
    )
    return [comparisons[i] for i in sorted(order[: max(1, room)])]


def bar_line(score: Score, ceiling: Score, width: int, style: str) -> Content:
    """A number and its bar, with a mark where the ceiling is.

    Args:
        score: The number, 0 to 1.
        ceiling: The ceiling.
        width: Cells of the bar.
        style: Of what is full; empty for the colour of numbers.
    """
    if score.value is None:
        return Content.styled(f"{score.text:>5} {' ' * width}  ", DIM)
    full = round(_unit(score.value) * width)
    mark = None if ceiling.value is None else min(width - 1, round(_unit(ceiling.value) * width))
    parts = [Content.styled(f"{score.text:>5} ", style)]
    for at in range(width):
        if at == mark:
            parts.append(Content.styled("┃", "bold"))
        elif at < full:
            parts.append(Content.styled("━", style or "$primary"))
        else:
            parts.append(Content.styled("─", "$border-blurred"))
    return Content.assemble(*parts, "  ")


def _unit(value: float) -> float:
    return max(0.0, min(1.0, value))
