"""Responses from a CSV file with a header: the columns of `importing.jsonl`, and what it says of them holds here.

An empty cell says nothing, save in the column `text`. A cell is read as `alignbench export csv` has written it: the
apostrophe that keeps a spreadsheet from taking it for a formula is taken away.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from alignbench.display import from_spreadsheet_cell
from alignbench.errors import InputError
from alignbench.importing.jsonl import session_of_rows
from alignbench.importing.values import ImportedSession
from alignbench.textfiles import read_utf8


def read_csv(path: Path) -> ImportedSession:
    """The whole file as one session, in order of first appearance. InputError names the line and the field."""
    return session_of_rows(path, "csv", _rows(path))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The position of each row, and its cells that are not empty, by column."""
    csv.field_size_limit(sys.maxsize)  # a response may be long
    reader = csv.reader(io.StringIO(read_utf8(path), newline=""), strict=True)
    columns: list[str] = []
    end = 0  # line on which the record before ended
    try:
        for record in reader:
            start, end = end + 1, reader.line_num
            where = f"{path}, line {start}"
            if not record:
                continue
            if not columns:
                columns = [name.strip() for name in record]
                if repeated := sorted({name for name in columns if columns.count(name) > 1}):
                    raise InputError(f"{where}: column {repeated[0]!r} is there twice; expected each column once.")
                continue
            if len(record) != len(columns):
                raise InputError(f"{where}: {len(record)} fields; expected {len(columns)} as in the header.")
            cells = zip(columns, map(from_spreadsheet_cell, record), strict=True)
            yield where, {name: cell for name, cell in cells if cell or name == "text"}
    except csv.Error as error:
        raise InputError(f"{path}, line {end + 1}: not CSV: {error}.") from None
