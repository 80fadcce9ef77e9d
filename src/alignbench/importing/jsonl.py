"""Responses from anywhere: JSONL rows {"prompt_id", "prompt", "condition", "text"}, as one session.

A row may say more: `kind` (base or aligned, aligned where it is left out) and `finish_reason` (stop or length). A
`status` that is not done makes it an error with the message of `error`. The output of `alignbench sample --json` is
such a file; its last line of scores is left out. The n-th row of a cell is its sample n.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.importing.values import Finish, ImportedCell, ImportedCondition, ImportedSample, ImportedSession
from alignbench.spec import IMPORTED, Condition, Context, Kind, Model, Prompt
from alignbench.textfiles import json_lines, read_utf8

_FIELDS = ("prompt_id", "prompt", "condition", "text")
_EXPECTED = 'expected {"prompt_id": "1", "prompt": "...", "condition": "base", "text": "..."}'


def read_jsonl(path: Path) -> ImportedSession:
    """The whole file as one session, in order of first appearance. InputError names the line and the field."""
    rows = json_lines(path, read_utf8(path))
    return session_of_rows(path, "jsonl", ((f"{path}, line {line}", row) for line, row in rows))


def session_of_rows(path: Path, format: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> ImportedSession:
    """Rows of a file as one session; each comes with where it is. InputError says there what is wrong."""
    prompts: dict[str, Prompt] = {}
    kinds: dict[str, Kind] = {}
    cells: dict[str, dict[str, list[ImportedSample]]] = {}
    for where, row in rows:
        if row.keys() == {"scores"}:
            continue
        id, text, condition, answer = (_field(row, name, where) for name in _FIELDS)
        prompt = prompts.setdefault(id, Prompt(id, text.strip(), path.stem))
        if prompt.text != text.strip():
            raise InputError(f'{where}, field "prompt_id": {id!r} stood for another prompt before; expected one text.')
        kind = _kind(row, where)
        if kinds.setdefault(condition, kind) != kind:
            raise InputError(f'{where}, field "kind": {condition!r} was {kinds[condition]} before; expected one kind.')
        cells.setdefault(condition, {}).setdefault(id, []).append(_sample(row, answer, where))
    if not cells:
        raise InputError(f"{path} holds no responses; {_EXPECTED} a row.")
    conditions = tuple(
        ImportedCondition(
            Condition(name, Model(name, IMPORTED + name, kinds[name]), Context("imported", name)),
            tuple(ImportedCell(prompts[id], tuple(samples)) for id, samples in of_prompt.items()),
            {"settings": "not recorded"},
        )
        for name, of_prompt in cells.items()
    )
    return ImportedSession(
        name=path.stem,
        source={"format": format, "file": path.name},
        conditions=conditions,
        reference=next((name for name in cells if kinds[name] == "aligned"), None),
    )


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


def _kind(row: Mapping[str, Any], where: str) -> Kind:
    match row.get("kind", "aligned"):
        case "base":
            return "base"
        case "aligned":
            return "aligned"
        case other:
            raise InputError(f'{where}, field "kind": {other!r}; expected base or aligned.')


def _sample(row: Mapping[str, Any], text: str, where: str) -> ImportedSample:
    if row.get("status", "done") != "done":
        return ImportedSample(error=str(row.get("error") or row["status"]))
    match row.get("finish_reason"):
        case None:
            finish: Finish | None = None
        case "stop":
            finish = "stop"
        case "length":
            finish = "length"
        case other:
            raise InputError(f'{where}, field "finish_reason": {other!r}; expected stop or length.')
    return ImportedSample(text, text, finish)
