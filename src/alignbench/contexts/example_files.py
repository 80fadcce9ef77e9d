"""Example sets in files, and the ones that ship.

- .jsonl: one object a line: {"prompt": "...", "response": "...", "hint": "..."}; the hint may be left out
- .csv: a header with the columns prompt, response and perhaps hint
- .txt: a prompt in URIAL's layout; its instruction is left out, and a query without an answer too

All UTF-8. Texts are stripped of outer white space.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from alignbench import paths
from alignbench.contexts.urial import parse_urial
from alignbench.csv_files import read_csv_table
from alignbench.errors import InputError, did_you_mean
from alignbench.spec import Example, ExampleSet
from alignbench.textfiles import json_lines, read_utf8

EXAMPLE_FIELDS = ("prompt", "response", "hint")
_EXPECTED = 'an object like {"prompt": "...", "response": "..."}'
_FOLDERS = ("examples", "tuning")


def shipped_example_sets() -> list[str]:
    """Names of the example sets that ship, in alphabetical order."""
    return sorted(_shipped())


def shipped_example_set(name: str) -> ExampleSet:
    """A set that ships. InputError, with the nearest names, where there is none."""
    files = _shipped()
    if name not in files:
        near = did_you_mean(name, sorted(files))
        raise InputError(f"There is no example set or file {name!r}. {near}".rstrip())
    return read_examples(files[name])


def read_examples(path: Path) -> ExampleSet:
    """The set of a file, called as the file is. Raises InputError, naming file, line and field."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected a file ({', '.join(_READERS)}).")
    if (read := _READERS.get(path.suffix.lower())) is None:
        raise InputError(f"{path}: unknown kind of file {path.suffix!r}; expected {', '.join(_READERS)}.")
    items = tuple(read(path))
    if not items:
        raise InputError(f"{path} holds no examples.")
    return ExampleSet(items, path.stem, str(path))


def write_examples(examples: ExampleSet) -> str:
    """A set as JSON Lines that `read_examples` reads."""
    return "".join(_line(item) + "\n" for item in examples.items)


def example_of(record: Mapping[str, object], where: str) -> Example:
    """The example of a JSON object or a TOML table. InputError, naming the field, where it is none."""
    if unknown := [name for name in record if name not in EXAMPLE_FIELDS]:
        raise InputError(f"{where}, field {unknown[0]!r}: unknown; expected prompt, response and perhaps hint.")
    texts = []
    for name in EXAMPLE_FIELDS:
        value = record.get(name, "" if name == "hint" else None)
        if not isinstance(value, str):
            what = "missing" if value is None else "not a text"
            raise InputError(f"{where}, field {name!r}: {what}; expected a text.")
        if name != "hint" and not value.strip():
            raise InputError(f"{where}, field {name!r}: empty; expected a text.")
        texts.append(value)
    return Example(*texts)


def _line(item: Example) -> str:
    record = {"prompt": item.prompt, "response": item.response}
    if item.hint:
        record["hint"] = item.hint
    return json.dumps(record, ensure_ascii=False)


def _read_jsonl(path: Path) -> Iterator[Example]:
    for number, record in json_lines(path, read_utf8(path), _EXPECTED):
        known = {name: record[name] for name in EXAMPLE_FIELDS if name in record}
        yield example_of(known, f"{path}, line {number}")


def _read_csv(path: Path) -> Iterator[Example]:
    for row in read_csv_table(path, EXAMPLE_FIELDS, [("prompt",), ("response",)]).rows:
        yield example_of(
            {name: row.cells[name] for name in EXAMPLE_FIELDS if name in row.cells}, f"{path}, line {row.line}"
        )


def _read_urial(path: Path) -> Iterator[Example]:
    yield from parse_urial(read_utf8(path), str(path)).examples


_READERS: dict[str, Callable[[Path], Iterator[Example]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".txt": _read_urial,
}


def _shipped() -> dict[str, Path]:
    """The files of the sets that ship, by name."""
    return {path.stem: path for folder in _FOLDERS for path in (paths.shipped_prompts() / folder).glob("*.jsonl")}
