"""A report as text of a given width, without a colour: what the app shows."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from textwrap import fill

from rich.cells import cell_len
from rich.console import Console

from alignbench.display import text_table, visible
from alignbench.reports.contents import Report
from alignbench.reports.section import Section
from alignbench.reports.sections import listed, sections


def plain_report(report: Report, width: int) -> str:
    """The whole report in lines of at most `width` characters."""
    return plain_sections(sections(report, by_condition=True), width)


def plain_sections(shown: Iterable[Section], width: int) -> str:
    """Tables and notes below their titles, those that have something to show."""
    parts = []
    for section in listed(shown):
        parts.append(section.title)
        if section.columns:
            parts.append(plain_table(section.columns, section.lines, width))
        parts += [fill(visible(note), width, initial_indent="- ", subsequent_indent="  ") for note in section.notes]
        parts.append("")
    return "\n".join(parts)


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> str:
    """Rows under a header. Columns that do not fit beside each other stand in a table below, whose rows begin as those
    above do; a cell folds where it alone is too wide."""
    listed = [*rows]
    room = [min(max(map(cell_len, map(visible, column))), width // 2) for column in zip(columns, *listed, strict=True)]
    parts: list[list[int]] = [[]]
    for i in range(1, len(columns)):
        if parts[-1] and room[0] + sum(room[j] + 1 for j in (*parts[-1], i)) > width:
            parts.append([])
        parts[-1].append(i)
    tables = [[[row[0], *(row[i] for i in part)] for row in (columns, *listed)] for part in parts]
    return "\n\n".join(_table(head, *(row for row in rest if any(row)), width=width) for head, *rest in tables)


def _table(header: Sequence[str], *rows: Sequence[str], width: int) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, markup=False, highlight=False, emoji=False)
    console.print(text_table(header, rows, fold=True))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
