"""Tables on stdout. What is in a cell is data: never markup, and no control character reaches the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from alignbench.cli import printing
from alignbench.display import text_table

if TYPE_CHECKING:
    from alignbench.reports.section import Section


def print_sections(sections: Iterable[Section]) -> None:
    """Tables without titles, a blank line between them."""
    for i, section in enumerate(sections):
        if i:
            printing.show()
        print_table(section.columns, section.rows)


def print_titled(sections: Iterable[Section]) -> None:
    """Each below its title, and its notes below it."""
    for section in sections:
        printing.show(f"\n{section.title}")
        if section.columns:
            print_table(section.columns, section.lines)
        for note in section.notes:
            printing.show(f"- {note}")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under a header, if a column has a name; long cells fold on a terminal and nowhere else.

    A row is one line of a file or a pipe, whatever its cells hold: line breaks and tabs become spaces.
    """
    printing.console(wide=True).print(text_table(columns, rows))
