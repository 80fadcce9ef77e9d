"""Responses from anywhere: JSONL rows {"prompt_id", "prompt", "condition", "text"}, as one session.

A row may say more: `kind` (base or aligned, aligned where it is left out), `finish_reason` (stop or length), `sample`,
its number among those of its prompt and condition, from 0, `thinking` (what the model thought before its answer),
`refused` (true of a refusal) and `note`; `options` and `groups` make its prompt a survey question, `messages` that end
with it a conversation, `rung` one of a ladder. A `status` that is not done makes it an error with the message of
`error`. The output of `alignbench sample --json` is such a file; its last line of scores is left out. Where rows do not
number the samples of a cell, or give one number twice, the n-th row is sample n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignbench import answer_fields, prompt_fields
from alignbench.answer_options import AnswerOptions
from alignbench.errors import InputError
from alignbench.importing.values import Finish, ImportedCell, ImportedCondition, ImportedSample, ImportedSession
from alignbench.spec import IMPORTED, NOT_RECORDED, SETTINGS, Condition, Context, Kind, Model, Prompt
from alignbench.textfiles import json_lines, read_utf8

FIELDS = ("prompt_id", "prompt", "condition", "text")
_MOST_SAMPLES = 100_000  # of a cell: a larger number is no index
_EXPECTED = 'expected {"prompt_id": "1", "prompt": "...", "condition": "base", "text": "..."}'


def read_jsonl(path: Path) -> ImportedSession:
    """The whole file as one session, in order of first appearance. InputError names the line and the field."""
    rows = json_lines(path, read_utf8(path))
    return session_of_rows(path, "jsonl", ((f"{path}, line {line}", row) for line, row in rows))


def session_of_rows(path: Path, format: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> ImportedSession:
    """Rows of a file as one session; each comes with where it is. InputError says there what is wrong."""
    prompts: dict[str, Prompt] = {}
    kinds: dict[str, Kind] = {}
    cells: dict[str, dict[str, _Cell]] = {}
    for where, row in rows:
        if row.keys() == {"scores"}:
            continue
        id, text, condition, answer = (_field(row, name, where) for name in FIELDS)
        prompt = prompts.get(id)
        if prompt is None:
            prompt = prompts[id] = _prompt(row, id, text.strip(), path.stem, where)
        if prompt.text != text.strip():
            raise InputError(f'{where}, field "prompt_id": {id!r} stood for another prompt before; expected one text.')
        kind = _kind(row, where)
        if kinds.setdefault(condition, kind) != kind:
            raise InputError(f'{where}, field "kind": {condition!r} was {kinds[condition]} before; expected one kind.')
        cell = cells.setdefault(condition, {}).setdefault(id, _Cell())
        cell.samples.append(_sample(row, answer, where))
        cell.numbers.append(_number(row))
    if not cells:
        raise InputError(f"{path} holds no responses; {_EXPECTED} a row.")
    conditions = tuple(
        ImportedCondition(
            Condition(
                name,
                Model(name, IMPORTED + name, kinds[name]),
                Context("imported", name),
                unrecorded=frozenset(SETTINGS),
            ),
            tuple(
                ImportedCell(prompts[id], tuple(cell.samples), indices=cell.indices) for id, cell in of_prompt.items()
            ),
            {"settings": NOT_RECORDED},
        )
        for name, of_prompt in cells.items()
    )
    return ImportedSession(
        name=path.stem,
        source={"format": format, "file": path.name},
        conditions=conditions,
        reference=next((name for name in cells if kinds[name] == "aligned"), None),
        notes=tuple(_repeated(cells)),
    )


@dataclass(slots=True)
class _Cell:
    """Samples of a prompt under a condition as they come, and what the rows call their numbers."""

    samples: list[ImportedSample] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)

    @property
    def indices(self) -> tuple[int, ...]:
        """The numbers, where every row has one of its own."""
        there = tuple(number for number in self.numbers if number is not None)
        return there if len(set(there)) == len(self.numbers) else ()

    @property
    def is_repeated(self) -> bool:
        there = [number for number in self.numbers if number is not None]
        return len(set(there)) < len(there)


def _repeated(cells: Mapping[str, Mapping[str, _Cell]]) -> Iterator[str]:
    """Of the conditions that have a number twice, that all of their samples are there."""
    for name, of_prompt in cells.items():
        if n := sum(cell.is_repeated for cell in of_prompt.values()):
            prompts = "1 prompt" if n == 1 else f"{n} prompts"
            yield f"{name}: rows of {prompts} give one sample number twice; all are kept, numbered in their order"


def _field(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if name not in row:
        raise InputError(f'{where}, field "{name}": missing; {_EXPECTED}.')
    if name == "prompt_id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f'{where}, field "{name}": {value!r}; expected a text.')
    if name != "text" and not value.strip():
        raise InputError(f'{where}, field "{name}": empty; expected a text.')
    return value


def _prompt(row: Mapping[str, Any], id: str, text: str, set: str, where: str) -> Prompt:
    """A row's prompt with all that belongs to it. In a CSV file the fields are texts."""
    cells = {name: value for name, value in row.items() if isinstance(value, str)}
    fields = {**row, **prompt_fields.from_cells(cells, where)}
    earlier, rung = prompt_fields.messages_beside(fields, text, where), prompt_fields.rung_of(fields, where)
    return Prompt(id, text, set, _answers(row, where), earlier, rung, prompt_fields.filled_of(fields, where))


def _answers(row: Mapping[str, Any], where: str) -> AnswerOptions | None:
    """Of a row of a survey question. In a CSV file the fields are texts."""
    if row.get("options") is None:
        return None
    cells = {name: value for name, value in row.items() if isinstance(value, str)}
    return answer_fields.answer_options({**row, **answer_fields.from_cells(cells, where)}, where)


def _kind(row: Mapping[str, Any], where: str) -> Kind:
    match row.get("kind", "aligned"):
        case "base":
            return "base"
        case "aligned":
            return "aligned"
        case other:
            raise InputError(f'{where}, field "kind": {other!r}; expected base or aligned.')


def _number(row: Mapping[str, Any]) -> int | None:
    """The number that a row gives its sample; None where it gives none."""
    value = row.get("sample")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:  # of a spreadsheet
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < _MOST_SAMPLES else None


def _sample(row: Mapping[str, Any], text: str, where: str) -> ImportedSample:
    thinking = _optional(row, "thinking", where)
    if row.get("status", "done") != "done":
        return ImportedSample(text, text, error=str(row.get("error") or row["status"]), thinking=thinking)
    match row.get("finish_reason"):
        case None:
            finish: Finish | None = None
        case "stop":
            finish = "stop"
        case "length":
            finish = "length"
        case other:
            raise InputError(f'{where}, field "finish_reason": {other!r}; expected stop or length.')
    refused, note = _refused(row, where), _optional(row, "note", where)
    return ImportedSample(text, text, finish, thinking=thinking, refused=refused, note=note)


def _optional(row: Mapping[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f'{where}, field "{name}": {value!r}; expected a text.')
    return value or None


def _refused(row: Mapping[str, Any], where: str) -> bool:
    match row.get("refused"):
        case True | "True" | "true" | "TRUE":
            return True
        case None | False | "False" | "false" | "FALSE":
            return False
        case other:
            raise InputError(f'{where}, field "refused": {other!r}; expected true or false.')
