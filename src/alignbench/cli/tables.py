"""Tables on stdout. What is in a cell is data: never markup, and no control character reaches the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alignbench.display import visible

_UNLIMITED = 1_000_000  # columns of a file or a pipe
_SHORT = 24  # cells up to this many characters stay on one line on a terminal too


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under a header, if a column has a name; long cells fold on a terminal and nowhere else.

    A row is one line of a file or a pipe, whatever its cells hold: line breaks and tabs become spaces.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    header, *cells = [[" ".join(visible(cell).split()) for cell in row] for row in (columns, *rows)]
    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for i, column in enumerate(header):
        table.add_column(Text(column), overflow="fold", no_wrap=all(len(row[i]) <= _SHORT for row in cells))
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNLIMITED
    console.print(table)
