"""The records of a prompt file or a data set, one at a time, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from alignbench import answer_fields, prompt_fields
from alignbench.csv_files import column_name, stream_csv
from alignbench.errors import InputError, did_you_mean
from alignbench.prompt_files.json_lists import read_json
from alignbench.prompt_files.record import OBJECT, OTHER_FIELD, TEXT_FIELDS, Record, needed_columns, wanted_columns
from alignbench.prompt_files.source import PromptSource
from alignbench.textfiles import json_type, stream_json_lines, stream_lines


def read_records(source: PromptSource, path: Path | None) -> Iterator[Record]:
    """The records of a source with `prompt` and `id` where it says that they are.

    path: of the file, None for a data set of a hub. Raises InputError, naming file, place and field.
    """
    if source.is_dataset:
        from alignbench.prompt_files.datasets import read_dataset

        records = read_dataset(source)
    else:
        assert path is not None
        if path.is_dir():
            raise InputError(
                f"{path} is a folder; expected a file ({', '.join(READERS)}). A folder of a data set: dataset:{path}"
            )
        if (read := READERS.get(path.suffix.lower())) is None:
            raise InputError(f"{path}: unknown kind of file {path.suffix!r}; expected {', '.join(READERS)}.")
        records = read(path, source)
    where = str(path or source)
    for record in records:
        yield Record(record.place, _chosen(record.values, source, f"{where}, {record.place}"))


def _chosen(values: dict[str, object], source: PromptSource, where: str) -> dict[str, object]:
    """A record whose chosen fields stand where the usual ones do."""
    if not source.field and not source.id:
        return values
    chosen = dict(values)
    if source.id:
        chosen["id"] = _field(values, source.id, where)
        if chosen["id"] is None:
            raise InputError(f'{where}, field "{source.id}": null; expected an id.')
    if source.field:
        value = _field(values, source.field, where)
        for name in (*TEXT_FIELDS, "messages"):
            chosen.pop(name, None)
        if isinstance(value, list) or source.field == "messages":
            chosen["messages"] = value
        elif not isinstance(value, str) or not value.strip():
            what = json_type(value) if not isinstance(value, str) else "empty"
            raise InputError(f'{where}, field "{source.field}": {what}; expected a prompt.')
        else:
            chosen["prompt"] = value
    return chosen


def _field(values: dict[str, object], name: str, where: str) -> object:
    if name not in values:
        raise InputError(f'{where}: there is no field "{name}". {did_you_mean(name, values)}'.rstrip())
    return values[name]


def _read_jsonl(path: Path, _: PromptSource) -> Iterator[Record]:
    for number, record in stream_json_lines(path, OBJECT, "A list is a .json file."):
        yield Record(f"line {number}", record)


def _read_csv(path: Path, source: PromptSource) -> Iterator[Record]:
    given = {name: column_name(name) for name in (source.field, source.id) if name}
    known = (*TEXT_FIELDS, "id", *answer_fields.FIELDS, *prompt_fields.FIELDS, *given.values())
    needed = [tuple(given.get(name, name) for name in group) for group in needed_columns(source)]
    for row in stream_csv(path, known, needed, advice=OTHER_FIELD).rows:
        where = f"{path}, line {row.line}"
        values: dict[str, object] = {name: cell for name, cell in row.cells.items() if name in TEXT_FIELDS}
        if row.cells.get("id", "").strip():
            values["id"] = row.cells["id"]
        values |= answer_fields.from_cells(row.cells, where) | prompt_fields.from_cells(row.cells, where)
        for name, column in given.items():
            values.setdefault(name, row.cells[column])
        yield Record(f"line {row.line}", values)


def _read_txt(path: Path, source: PromptSource) -> Iterator[Record]:
    if name := source.field or source.id:
        raise InputError(f'{path}: a text file has no field "{name}"; it has one prompt a line.')
    for number, line in enumerate(stream_lines(path), start=1):
        if line.strip():
            yield Record(f"line {number}", {"prompt": line.strip()})


def _read_json(path: Path, source: PromptSource) -> Iterator[Record]:
    for place, value in read_json(path):
        yield Record(place, _object(path, place, value, source))


def _read_yaml(path: Path, source: PromptSource) -> Iterator[Record]:
    from alignbench.prompt_files.yaml_lists import read_yaml

    for place, value in read_yaml(path):
        yield Record(place, _object(path, place, value, source))


def _object(path: Path, place: str, value: object, source: PromptSource) -> dict[str, object]:
    """The record that an item of a list is: a text is a prompt."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and not source.field and not source.id:
        return {"prompt": value}
    name = source.field or source.id or "prompt"
    expected = f'an object with a field "{name}"' if source.field or source.id else f"a text, or {OBJECT}"
    raise InputError(f"{path}, {place}: {json_type(value)}; expected {expected}.")


def _read_parquet(path: Path, source: PromptSource) -> Iterator[Record]:
    from alignbench.prompt_files.parquet import read_parquet

    for number, row in enumerate(read_parquet(path, wanted_columns(source), needed_columns(source)), start=1):
        yield Record(f"row {number}", row)


READERS: dict[str, Callable[[Path, PromptSource], Iterator[Record]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".txt": _read_txt,
    ".json": _read_json,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".parquet": _read_parquet,
}
