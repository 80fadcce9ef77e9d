"""CSV files as spreadsheets and programs write them: one reader for all of them.

- separated by commas, semicolons, tabs or bars, by what the header tells, or by a first line `sep=;`
- names of columns in any case, with space around them and spaces or hyphens in them
- rows without any content are skipped, cells may be of any length and have line breaks in quotes
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from alignbench.errors import InputError, did_you_mean
from alignbench.parsing import RepeatedKey, parse_json
from alignbench.textfiles import stream_lines

_SEPARATORS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
_INNER = re.compile(r"[\s-]+")
_HEAD = 1_000  # lines in which the header is looked for


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row under the header.

    Attributes:
        line: on which it begins, from 1
        cells: by column, as they stand in the file
    """

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """What a file holds. empty: rows without any content, which are left out."""

    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]
    empty: int = 0


@dataclass(slots=True)
class CsvStream:
    """A file whose rows are read one at a time.

    Attributes:
        columns: their names, none of a file without any line
        rows: to be gone through once; InputError names file and line
        empty: rows without any content so far, which are left out
    """

    columns: tuple[str, ...]
    rows: Iterator[CsvRow]
    empty: int = 0


def read_csv_table(path: Path, known: Collection[str], needed: Sequence[Collection[str]]) -> CsvTable:
    """The table of a file, as `stream_csv` reads it."""
    stream = stream_csv(path, known, needed)
    rows = tuple(stream.rows)
    return CsvTable(stream.columns, rows, stream.empty)


def stream_csv(path: Path, known: Collection[str], needed: Sequence[Collection[str]], advice: str = "") -> CsvStream:
    """A file with a header, never all in memory. InputError names file and line.

    Args:
        path: the file
        known: names of columns that tell how it is separated
        needed: of each of these groups the header has to have a name
        advice: what can be done where it has none
    """
    csv.field_size_limit(sys.maxsize)  # a response may be long
    lines = stream_lines(path)
    head = [*islice(lines, _HEAD)]
    offset = 0
    separators: tuple[str, ...] = _SEPARATORS
    if head and (given := _SEP_LINE.match(head[0])):
        separators, offset = (given[1],), 1
        del head[0]
    separator = max(separators, key=lambda each: len({*_header(head, each)} & {*known}))
    records = csv_records(path, chain(head, lines), separator, offset)
    named = (_columns(f"{path}, line {line}", record, needed, advice) for line, record in records if _is_filled(record))
    columns = next(named, ())
    stream = CsvStream(tuple(filter(None, columns)), iter(()))
    stream.rows = _rows(path, columns, records, stream)
    return stream


def _rows(
    path: Path, columns: tuple[str, ...], records: Iterator[tuple[int, list[str]]], stream: CsvStream
) -> Iterator[CsvRow]:
    for line, record in records:
        if _is_filled(record):
            yield CsvRow(line, _cells(f"{path}, line {line}", columns, record))
        else:
            stream.empty += 1


def _is_filled(record: Sequence[str]) -> bool:
    return any(cell.strip() for cell in record)


def _header(head: Sequence[str], separator: str) -> list[str]:
    """The names that the first row with content has, if this separates them. head: the first lines of the file."""
    try:
        for record in csv.reader(head, delimiter=separator, strict=True):
            if _is_filled(record):
                return [*map(column_name, record)]
    except csv.Error:
        pass
    return []


def csv_records(path: Path, lines: Iterable[str], separator: str, offset: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Records, each with the line on which it begins. InputError names file and line.

    lines: with their ends. offset: lines of the file before them
    """
    reader = csv.reader(lines, delimiter=separator, strict=True)
    end = 0  # line on which the record before ended
    try:
        for record in reader:
            start, end = end + 1, reader.line_num
            yield start + offset, record
    except csv.Error as error:
        raise InputError(f"{path}, line {end + 1 + offset}: not CSV: {error}.") from None


def json_cells(cells: Mapping[str, str], where: str, fields: Mapping[str, str], *, listed: str) -> dict[str, object]:
    """The fields of a row that hold JSON; empty ones are left out. InputError for what is no JSON.

    Args:
        cells: by column
        where: file and line
        fields: their names, and what each holds, in words; nothing where that need not be said
        listed: the one that may also be texts with | between them
    """
    values: dict[str, object] = {}
    for name, holds in fields.items():
        text = cells.get(name, "").strip()
        if not text:
            continue
        if name == listed and not text.startswith("["):
            values[name] = [each.strip() for each in text.split("|")]
            continue
        try:
            values[name] = parse_json(text, once=True)
        except RepeatedKey as error:
            raise InputError(f'{where}, field "{name}": {error}; expected it once.') from None
        except ValueError as error:
            what = error.msg if isinstance(error, json.JSONDecodeError) else error
            expected = f"; expected {holds}" if holds else ""
            raise InputError(f'{where}, field "{name}": not JSON: {what}{expected}.') from None
    return values


def _columns(where: str, record: Sequence[str], needed: Sequence[Collection[str]], advice: str) -> tuple[str, ...]:
    columns = tuple(map(column_name, record))
    if repeated := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise InputError(f"{where}: column {repeated[0]!r} is there twice; expected each column once.")
    for group in needed:
        if not {*group} & {*columns}:
            there = ", ".join(filter(None, columns))
            near = did_you_mean(next(iter(group)), filter(None, columns))
            more = near if near.startswith("Did") else advice
            raise InputError(f"{where}: columns {there}; expected one called {' or '.join(group)}. {more}".rstrip())
    return columns


def _cells(where: str, columns: Sequence[str], record: Sequence[str]) -> dict[str, str]:
    """Cells by column. Empty ones may follow the last column, as a spreadsheet writes them."""
    if len(record) < len(columns) or any(cell.strip() for cell in record[len(columns) :]):
        raise InputError(
            f"{where}: {len(record)} fields; expected {len(columns)} as in the header. "
            "A text with a comma or another separator in it needs quotes around it."
        )
    for name, cell in zip(columns, record, strict=False):
        if not name and cell.strip():
            raise InputError(f"{where}: {cell.strip()[:40]!r} stands in a column without a name.")
    return {name: cell for name, cell in zip(columns, record, strict=False) if name}


def column_name(cell: str) -> str:
    """A column as it is called here, however a spreadsheet writes it: `Prompt ID ` is prompt_id."""
    return _INNER.sub("_", cell.strip().strip("\ufeff").strip().casefold())
