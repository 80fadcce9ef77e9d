"""Responses from a CSV file with a header: the columns of `importing.jsonl`, and what it says of them holds here.

An empty cell says nothing, save in the column `text`. Cells of a file that `alignbench export csv` has written are read
as they were before: the apostrophe that keeps a spreadsheet from taking one for a formula is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from alignbench.csv_files import stream_csv
from alignbench.display import from_spreadsheet_cell
from alignbench.errors import InputError
from alignbench.importing.jsonl import no_responses, row_responses
from alignbench.importing.mapping import FieldMap
from alignbench.importing.responses import ImportedResponse, ImportedResponses
from alignbench.importing.rows import FIELDS
from alignbench.importing.sources import source_of

_OUR_OWN = frozenset({"sample", "seed", "status", "finish_reason", "n_prompt_tokens", "n_tokens"})
"""Columns that an export of ours has, and no table that somebody else wrote."""


def stream_spreadsheets(paths: Sequence[Path], mapped: FieldMap | None = None) -> ImportedResponses:
    """The rows of files. mapped: which of their columns is which, where they are not called as here."""
    responses = ImportedResponses(paths[0].stem, source_of("csv", paths), ())
    responses.rows = (response for path in paths for response in _responses(path, mapped, responses))
    return responses


def _responses(path: Path, mapped: FieldMap | None, responses: ImportedResponses) -> Iterator[ImportedResponse]:
    known = FIELDS if mapped is None else mapped.columns
    stream = stream_csv(path, known, [known] if known else [])
    written = from_spreadsheet_cell if {*stream.columns} >= _OUR_OWN else str
    missing = [name for name in FIELDS if name not in stream.columns] if mapped is None else []
    empty = True
    for row in stream.rows:
        empty = False
        where = f"{path}, line {row.line}"
        if missing:
            there = ", ".join(stream.columns)
            raise InputError(
                f'{where}, field "{missing[0]}": missing; the header has {there}, expected {", ".join(FIELDS)}, '
                "or --map for other columns."
            )
        cells = {name: written(cell) for name, cell in row.cells.items()}
        if mapped is None:
            there_cells: dict[str, str | None] = {name: cell for name, cell in cells.items() if cell or name == "text"}
        else:
            there_cells = {name: cell if cell or name == mapped.columns[0] else None for name, cell in cells.items()}
        yield from row_responses(there_cells, path, where, mapped, responses)
    if empty:
        raise no_responses(path, mapped)
    if stream.empty:
        skipped = "1 empty row was" if stream.empty == 1 else f"{stream.empty:,} empty rows were"
        responses.notes.append(f"{skipped} left out")
