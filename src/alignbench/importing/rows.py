"""A row {"prompt_id", "prompt", "condition", "text"} as a response; `importing.jsonl` says what else it may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignbench import answer_fields, prompt_fields
from alignbench.answer_options import AnswerOptions
from alignbench.errors import InputError
from alignbench.importing import fields
from alignbench.importing.responses import ImportedResponse, Origin
from alignbench.importing.values import Finish, ImportedSample
from alignbench.spec import Kind, Prompt
from alignbench.store import GenerationFacts

FIELDS = ("prompt_id", "prompt", "condition", "text")
EXPECTED = 'expected {"prompt_id": "1", "prompt": "...", "condition": "base", "text": "..."}'
_MOST_SAMPLES = 100_000  # of a cell: a larger number is no index


def response_of(row: Mapping[str, Any], set: str, where: str) -> ImportedResponse:
    """The response of a row. set: name of the prompt set. InputError names the field that is wrong."""
    id, text, condition, answer = (_field(row, name, where) for name in FIELDS)
    prompt = _prompt(row, id, text.strip(), set, where)
    return ImportedResponse(
        where, prompt, Origin(condition, _kind(row, where)), _sample(row, answer, where), _number(row)
    )


def number_in(row: Mapping[str, Any], name: str) -> Any:
    """A field that holds a number, of a spreadsheet as a text; None where it is left out or says nothing."""
    value = row.get(name)
    if not isinstance(value, str):
        return value
    try:
        return int(value) if value.lstrip("+-").isascii() and value.lstrip("+-").isdigit() else float(value)
    except ValueError:
        return None


def _field(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if name not in row:
        raise InputError(f'{where}, field "{name}": missing; {EXPECTED}, or --map for other fields.')
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
    there = {**row, **prompt_fields.from_cells(cells, where)}
    earlier, rung = prompt_fields.messages_beside(there, text, where), prompt_fields.rung_of(there, where)
    return Prompt(id, text, set, _answers(row, where), earlier, rung, prompt_fields.filled_of(there, where))


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
    return ImportedSample(
        text, text, finish, thinking=thinking, refused=refused, note=note, facts=generation_facts(row)
    )


def generation_facts(row: Mapping[str, Any]) -> GenerationFacts:
    """What a row says of how its text was generated; what cannot be read as a number is not recorded."""
    return GenerationFacts(
        seed=fields.seed_of(number_in(row, "seed")),
        n_prompt_tokens=fields.count(number_in(row, "n_prompt_tokens")),
        n_tokens=fields.count(number_in(row, "n_tokens")),
        n_thinking_tokens=fields.count(number_in(row, "n_thinking_tokens")),
        seconds=fields.seconds_of(number_in(row, "seconds")),
        logprob=fields.logprob_of(number_in(row, "logprob")),
    )


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
