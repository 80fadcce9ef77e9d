"""CSV files as survey archives publish them, and the Python values in their cells."""

from __future__ import annotations

import ast
import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from alignbench.csv_files import csv_records
from alignbench.errors import InputError
from alignbench.textfiles import read_utf8

_SEPARATORS = (",", ";", "\t")
_MOST = 1_000_000  # characters of a cell that are read as a Python value


@dataclass(frozen=True, slots=True)
class ArchiveTable:
    """A table whose names are kept as they are. A column without a name, as pandas writes its row numbers, is left out.

    Attributes:
        path: of its file
        columns: names
        rows: each with the line on which it begins, from 1
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]

    def need(self, *names: str) -> None:
        """InputError where a column is missing."""
        if missing := next((name for name in names if name not in self.columns), ""):
            raise InputError(
                f"{self.path}, line 1: columns {', '.join(self.columns[:20])}; expected one called {missing}."
            )


def columns_of(path: Path) -> tuple[str, ...]:
    """The names in the first line of a CSV file."""
    header = read_utf8(path).partition("\n")[0].strip()
    return tuple(cell.strip() for cell in next(csv.reader([header], delimiter=_separator(header)), ()))


def read_table(path: Path) -> ArchiveTable:
    """The table of a file separated by commas, semicolons or tabs. InputError where it is none."""
    csv.field_size_limit(sys.maxsize)
    text = read_utf8(path)
    separator = _separator(text.partition("\n")[0])
    there = csv_records(path, io.StringIO(text, newline=""), separator)
    records = ((line, record) for line, record in there if any(cell.strip() for cell in record))
    _, header = next(records, (1, []))
    names = [name.strip() for name in header]
    if twice := next((name for name in names if name and names.count(name) > 1), ""):
        raise InputError(f"{path}, line 1: column {twice!r} is there twice; expected each column once.")
    rows = []
    for line, record in records:
        if len(record) != len(names):
            raise InputError(f"{path}, line {line}: {len(record)} fields; expected {len(names)} as in the header.")
        rows.append((line, {name: cell.strip() for name, cell in zip(names, record, strict=True) if name}))
    return ArchiveTable(path, tuple(filter(None, names)), tuple(rows))


def python_value(text: str, where: str, expected: str) -> object:
    """What a cell says in Python's notation; a dict may stand in `defaultdict(<class 'list'>, ...)`. Nothing is run."""
    if text.startswith("defaultdict("):
        text = text[text.find("{") : text.rfind("}") + 1]
    try:
        if len(text) > _MOST:
            raise ValueError
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise InputError(f"{where}: {text[:60]!r}; expected {expected}.") from None


def python_list(text: str, where: str) -> list[object]:
    """The list that a cell holds in Python's notation."""
    expected = "a list like ['Yes', 'No']"
    value = python_value(text, where, expected)
    if not isinstance(value, list | tuple):
        raise InputError(f"{where}: {text[:60]!r}; expected {expected}.")
    return [*value]


def _separator(header: str) -> str:
    return max(_SEPARATORS, key=header.count)
