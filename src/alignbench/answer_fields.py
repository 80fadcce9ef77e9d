"""The fields `options`, `groups` and `paraphrase_of` of a survey prompt, as a JSONL or CSV file has them.

- options: a list of texts or of objects {"text", "value", "refusal"}; in CSV the same as JSON, or texts with | between
- groups: an object of group names, each with a list of shares, one of each option, or {"shares": [...], "n": people};
  in CSV the same as JSON
- paraphrase_of: id of another question of the file, which this one asks in other words or in another language, with as
  many options in the same order
- shown and question, in files that this program wrote: the order in which the prompt's text lists the options, and the
  id of the question that it asks so
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.csv_files import json_cells
from alignbench.errors import InputError
from alignbench.textfiles import json_type

FIELDS = ("options", "groups", "paraphrase_of", "shown", "question")
_OPTION = 'a text or an object like {"text": "Yes", "value": 1, "refusal": false}'
_GROUPS = 'an object like {"adults": [0.6, 0.4]} or {"adults": {"shares": [0.6, 0.4], "n": 812}}'
_SHOWN = "a list of the places of all options, from 0"
_CELLS = {"options": "a JSON list, or texts with | between them", "groups": _GROUPS, "shown": _SHOWN}


def answer_options(record: Mapping[str, object], where: str) -> AnswerOptions | None:
    """The options and groups of a record; None where it has none. InputError names the field that is wrong."""
    if record.get("options") is None:
        if isinstance(record.get("groups"), dict):
            raise InputError(f'{where}, field "groups": there are no "options" that the shares could be of.')
        if isinstance(record.get("paraphrase_of"), str):
            raise InputError(f'{where}, field "paraphrase_of": there are no "options"; expected those of the question.')
        return None
    options = _options(record["options"], where)
    try:
        alone = AnswerOptions(options)
    except ValueError as error:
        raise InputError(f'{where}, field "options": {error}.') from None
    try:
        groups = () if record.get("groups") is None else _groups(record["groups"], where)
        answers = AnswerOptions(alone.options, groups, paraphrase_of=_paraphrase_of(record, where))
    except ValueError as error:
        raise InputError(f'{where}, field "groups": {error}.') from None
    return answers if record.get("shown") is None else _in_order(answers, record, where)


def from_cells(cells: Mapping[str, str], where: str) -> dict[str, object]:
    """The fields of a CSV row, as JSON has them; empty ones are left out. InputError for what is no JSON."""
    fields = json_cells(cells, where, _CELLS, listed="options")
    named = {name: cells.get(name, "").strip() for name in ("question", "paraphrase_of")}
    return fields | {name: id for name, id in named.items() if id}


def _options(value: object, where: str) -> tuple[AnswerOption, ...]:
    if not isinstance(value, list):
        raise InputError(f'{where}, field "options": {json_type(value)}; expected a list of options.')
    return tuple(_option(each, f'{where}, field "options[{i}]"') for i, each in enumerate(value))


def _option(value: object, where: str) -> AnswerOption:
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        raise InputError(f"{where}: {json_type(value)}; expected {_OPTION}.")
    if unknown := [key for key in value if key not in ("text", "value", "refusal")]:
        raise InputError(f"{where}: the key {unknown[0]!r} is not known; expected {_OPTION}.")
    text, number, refusal = value.get("text"), value.get("value"), value.get("refusal", False)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: no text; expected {_OPTION}.")
    if number is not None and not _is_number(number):
        raise InputError(f"{where}: the value is {json_type(number)}; expected a number.")
    if not isinstance(refusal, bool):
        raise InputError(f"{where}: refusal is {json_type(refusal)}; expected true or false.")
    return AnswerOption(" ".join(text.split()), None if number is None else float(number), refusal)


def _groups(value: object, where: str) -> tuple[HumanGroup, ...]:
    if not isinstance(value, dict):
        raise InputError(f'{where}, field "groups": {json_type(value)}; expected {_GROUPS}.')
    return tuple(_group(name.strip(), each, f'{where}, field "groups.{name}"') for name, each in value.items())


def _group(name: str, value: object, where: str) -> HumanGroup:
    record: dict[str, Any] = value if isinstance(value, dict) else {"shares": value}
    if unknown := [key for key in record if key not in ("shares", "n")]:
        raise InputError(f"{where}: the key {unknown[0]!r} is not known; expected {_GROUPS}.")
    shares, n = record.get("shares"), record.get("n")
    if not isinstance(shares, list) or not all(map(_is_number, shares)):
        raise InputError(f"{where}: expected a list of shares, numbers from 0 to 1 with a sum of 1.")
    if n is not None and (isinstance(n, bool) or not isinstance(n, int)):
        raise InputError(f"{where}: n is {json_type(n)}; expected a whole number of people.")
    return HumanGroup(name, tuple(map(float, shares)), n)


def _in_order(answers: AnswerOptions, record: Mapping[str, object], where: str) -> AnswerOptions:
    shown, question = record["shown"], record.get("question", "")
    if not isinstance(shown, list) or not all(isinstance(each, int) for each in shown):
        raise InputError(f'{where}, field "shown": {json_type(shown)}; expected {_SHOWN}.')
    if not isinstance(question, str):
        raise InputError(f'{where}, field "question": {json_type(question)}; expected the id of a question.')
    try:
        return answers.in_order(shown, question)
    except ValueError as error:
        raise InputError(f'{where}, field "shown": {error}.') from None


def _paraphrase_of(record: Mapping[str, object], where: str) -> str:
    id = record.get("paraphrase_of")
    if isinstance(id, int) and not isinstance(id, bool):
        return str(id)
    if id is not None and (not isinstance(id, str) or not id.strip()):
        what = "empty" if isinstance(id, str) else json_type(id)
        raise InputError(f'{where}, field "paraphrase_of": {what}; expected the id of another question of the file.')
    return id or ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
