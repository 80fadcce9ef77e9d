"""Responses from a CSV file with a header: the columns of `importing.jsonl`, and what it says of them holds here.

An empty cell says nothing, save in the column `text`. Cells of a file that `alignbench export csv` has written are read
as they were before: the apostrophe that keeps a spreadsheet from taking one for a formula is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from alignbench.csv_files import CsvTable, read_csv_table
from alignbench.display import from_spreadsheet_cell
from alignbench.errors import InputError
from alignbench.importing.jsonl import FIELDS, session_of_rows
from alignbench.importing.values import ImportedSession

_OUR_OWN = frozenset({"sample", "seed", "status", "finish_reason", "n_prompt_tokens", "n_tokens"})
"""Columns that an export of ours has, and no table that somebody else wrote."""


def read_csv(path: Path) -> ImportedSession:
    """The whole file as one session, in order of first appearance. InputError names the line and the field."""
    table = read_csv_table(path, FIELDS, [FIELDS])
    if table.rows and (missing := [name for name in FIELDS if name not in table.columns]):
        where = f'{path}, line {table.rows[0].line}, field "{missing[0]}"'
        raise InputError(f"{where}: missing; the header has {', '.join(table.columns)}, expected {', '.join(FIELDS)}.")
    session = session_of_rows(path, "csv", _rows(path, table))
    if not table.empty:
        return session
    skipped = "1 empty row was" if table.empty == 1 else f"{table.empty} empty rows were"
    return replace(session, notes=(*session.notes, f"{skipped} left out"))


def _rows(path: Path, table: CsvTable) -> Iterator[tuple[str, dict[str, str]]]:
    """The position of each row, and its cells that are not empty, by column."""
    written = from_spreadsheet_cell if {*table.columns} >= _OUR_OWN else str
    for row in table.rows:
        cells = {name: written(cell) for name, cell in row.cells.items()}
        yield f"{path}, line {row.line}", {name: cell for name, cell in cells.items() if cell or name == "text"}
