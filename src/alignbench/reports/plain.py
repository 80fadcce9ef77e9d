"""A report as text of a given width, without a colour: what the app shows."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

from rich.console import Console

from alignbench.display import text_table, visible
from alignbench.reports.sections import Section, listed, sections


def plain_report(report: Mapping[str, Any], width: int) -> str:
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
    """Rows under a header, folded into the width."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, markup=False, highlight=False, emoji=False).print(
        text_table(columns, rows)
    )
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
