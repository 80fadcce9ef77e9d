"""The scores below the columns: diversity per column, similarity to the reference with its ceiling."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from alignbench.tui.scoretable import CROSS, WITHIN, Metric, Score, ScoreTable
from alignbench.tui.sizes import NARROW
from alignbench.tui.state import letter
from alignbench.tui.text import one_line, plain

LABEL = 18
COLUMN = 11
BAR = 14
SIDE = 18  # names beside the bars


class ScoreStrip(Static):
    """Draws a `ScoreTable` in the room it has; columns that do not fit are left to the scores screen (F7)."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._table = ScoreTable()
        self._drawn: tuple[ScoreTable, int] | None = None

    def show(self, table: ScoreTable) -> None:
        """Draw a table, if it is another one than before."""
        if table != self._table:
            self._table = table
            self.tooltip = plain("\n".join(table.missing())) or None
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self.size.width
        if width < 20 or self._drawn == (self._table, width):
            return
        self._drawn = (self._table, width)
        table = self._table
        if width >= NARROW:
            room = max(1, min(len(table.names), (width - LABEL - 58) // COLUMN))
            left = self._columns(table, _visible(table, room), ())
            right = self._similarity(table, width - left[0].cell_length - 3, len(left))
            lines = [
                Content.assemble(row, " " * (left[0].cell_length - row.cell_length), ("   ", ""), beside)
                for row, beside in zip(left, right, strict=True)
            ]
        else:
            room = max(1, (width - LABEL) // COLUMN)
            lines = self._columns(table, _visible(table, room), CROSS)
        self.update(Content("\n").join(lines), layout=False)

    def _columns(self, table: ScoreTable, columns: list[int], cross: tuple[Metric, ...]) -> list[Content]:
        """A line of names and a line a score, for these columns."""
        head = [Content.styled(f" {'Scores':<{LABEL - 1}}", "bold")]
        for at in columns:
            name = f"{letter(at)}{'*' if at == table.reference else ''} n {table.n[at]}"
            head.append(Content.styled(f"{name:>{COLUMN}}", "bold" if at == table.selected else "$foreground 60%"))
        lines = [Content("").join(head)]
        for metric in WITHIN:
            scores = (table.within or {}).get(metric.key, ())
            texts = [(scores[at], "") for at in columns] if scores else []
            lines.append(_row(f"{metric.short} {metric.arrow}".rstrip(), texts))
        for metric in cross:
            row = (table.cross or {}).get(metric.key)
            label = f"{metric.short} to {letter(table.reference)}*" if table.reference is not None else metric.short
            ceiling_or = [row.scores[at] for at in columns] if row else []
            texts = [(row.ceiling, "max ") if score is None else (score, "") for score in ceiling_or] if row else []
            lines.append(_row(label, texts))
        return lines

    def _similarity(self, table: ScoreTable, width: int, lines: int) -> list[Content]:
        """Bars from 0 to 1 for every other column, the ceiling marked in them."""
        if table.reference is None or not table.cross:
            text = "Mark a reference column with * to compare the others with it." if table.names else ""
            return _filled([Content.styled(text, "$foreground 60%")], lines)
        reference = letter(table.reference)
        bar = max(8, min(BAR * 2, (width - SIDE) // 2 - 7))
        head = Content.assemble(
            (f"{f'similarity to {reference}*':<{SIDE}}", "bold"),
            *[(f"{metric.short:<{bar + 7}}", "bold") for metric in CROSS],
        )
        ceilings = [table.cross[metric.key].ceiling for metric in CROSS]
        rows = [head]
        rows.append(
            Content.assemble(
                (f"{f'ceiling {reference}-{reference}':<{SIDE}}", "$foreground 60%"),
                *[_bar(score, score, bar, "$foreground 60%") for score in ceilings],
            )
        )
        others = [at for at in range(len(table.names)) if at != table.reference]
        if not others:
            rows.append(Content.styled("Another column (a) gives something to compare.", "$foreground 60%"))
        fitting = others if len(others) <= lines - 2 else others[: lines - 3]
        for at in fitting:
            name = f"{letter(at)} {one_line(table.names[at], SIDE - 4)}"
            scores = [table.cross[metric.key].scores[at] or Score() for metric in CROSS]
            rows.append(
                Content.assemble(
                    (f"{name:<{SIDE}}", "bold" if at == table.selected else ""),
                    *[_bar(score, ceiling, bar, "") for score, ceiling in zip(scores, ceilings, strict=True)],
                )
            )
        if len(fitting) < len(others):
            rows.append(Content.styled(f"and {len(others) - len(fitting)} more: F7", "$foreground 60%"))
        return _filled(rows, lines)


def _row(label: str, scores: list[tuple[Score, str]]) -> Content:
    """A label and scores, each with a word before it."""
    parts = [Content.styled(f" {label:<{LABEL - 1}}", "$foreground 60%")]
    for score, word in scores:
        parts.append(
            Content.styled(f"{word + score.text:>{COLUMN}}", "$foreground 60%" if score.value is None or word else "")
        )
    return Content("").join(parts)


def _visible(table: ScoreTable, room: int) -> list[int]:
    """The columns to show where not all fit: the reference, and those around the selected one."""
    count = len(table.names)
    if count <= room:
        return list(range(count))
    first = max(0, min(table.selected - room // 2, count - room))
    shown = list(range(first, first + room))
    if table.reference is not None and table.reference not in shown and room > 1:
        shown[0 if table.reference < first else -1] = table.reference
    return sorted({*shown, table.selected})


def _filled(rows: list[Content], lines: int) -> list[Content]:
    return [*rows, *[Content("")] * (lines - len(rows))]


def _bar(score: Score, ceiling: Score, width: int, style: str) -> Content:
    """A number and its bar, with a mark where the ceiling is."""
    if score.value is None:
        return Content.styled(f"{score.text:>4} {' ' * width}  ", "$foreground 60%")
    full = round(_unit(score.value) * width)
    mark = None if ceiling.value is None else min(width - 1, round(_unit(ceiling.value) * width))
    parts = [Content.styled(f"{score.text:>4} ", style)]
    for at in range(width):
        if at == mark:
            parts.append(Content.styled("┃", "bold $warning"))
        elif at < full:
            parts.append(Content.styled("━", style or "$primary"))
        else:
            parts.append(Content.styled("─", "$foreground 30%"))
    return Content.assemble(*parts, "  ")


def _unit(value: float) -> float:
    return max(0.0, min(1.0, value))
