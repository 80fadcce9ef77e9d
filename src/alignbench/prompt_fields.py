"""The fields `messages`, `constraints` and `rung` of a prompt, as a JSONL or CSV file has them.

- messages: a list of {"role", "content"}; perhaps one of the system first, then user and assistant in turn, the last
  one from the user. Beside a `prompt` it counts where its last message is that prompt, and is left alone where it is
  not, as in files of conversations with answers; in CSV the same as JSON
- constraints: a list of texts, which makes a ladder of the prompt (`ladder`); in CSV the same as JSON, or texts with |
  between them
- rung, in files that this program wrote: {"of", "constraints"}, what a prompt is a rung of
- filled, in those too: {"of", "template", "values"}, what a prompt with variables was made of
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from alignbench.csv_files import json_cells
from alignbench.errors import InputError
from alignbench.prompt_parts import Filled, Rung, Turn, why_no_prompt
from alignbench.spec import Prompt
from alignbench.textfiles import json_type, writable

FIELDS = ("messages", "constraints", "rung", "filled")
RUNGS = (0, 1, 3, 6, 12)  # how many constraints the prompts of a ladder have

_MESSAGE = 'an object like {"role": "user", "content": "Why?"}'
_ROLES = ("system", "user", "assistant")
_HEADING = "Keep to all of these constraints:"


def messages_of(record: Mapping[str, object], where: str) -> tuple[Turn, ...]:
    """The messages of a record that has them in place of a prompt. InputError names what is wrong."""
    messages = record["messages"]
    if not isinstance(messages, list):
        raise InputError(f'{where}, field "messages": {json_type(messages)}; expected a list of messages.')
    turns = tuple(_turn(each, f'{where}, field "messages[{i}]') for i, each in enumerate(messages))
    if why := why_no_prompt(turns):
        raise InputError(f'{where}, field "messages": {why}.')
    return turns


def messages_beside(record: Mapping[str, object], prompt: str, where: str) -> tuple[Turn, ...]:
    """The messages before a prompt that stands in a field of its own; none where its `messages` are other ones."""
    messages = record.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict) or last.get("role") != "user" or not isinstance(last.get("content"), str):
        return ()
    return messages_of(record, where)[:-1] if last["content"].strip() == prompt.strip() else ()


def constraints_of(record: Mapping[str, object], where: str) -> tuple[str, ...]:
    """The constraints of a record; none where it has no such field."""
    given = record.get("constraints")
    return () if given is None else _texts(given, f'{where}, field "constraints')


def rung_of(record: Mapping[str, object], where: str) -> Rung | None:
    """The rung that a record is; None where it is none."""
    given = record.get("rung")
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("of"), str) or not given["of"].strip():
        raise InputError(f'{where}, field "rung": expected an object like {{"of": "story-01", "constraints": [...]}}.')
    constraints = given.get("constraints", [])
    return Rung(given["of"], _texts(constraints, f'{where}, field "rung.constraints') if constraints else ())


def filled_of(record: Mapping[str, object], where: str) -> Filled | None:
    """The template and the values that a record was made of; None where it was made of none."""
    given = record.get("filled")
    if given is None:
        return None
    values = given.get("values") if isinstance(given, dict) else None
    if (
        not isinstance(given, dict)
        or not isinstance(of := given.get("of"), str)
        or not isinstance(template := given.get("template"), str)
        or not isinstance(values, dict)
        or not all(isinstance(each, str) for each in values.values())
    ):
        expected = '{"of": "q1", "template": "Why {{ x }}?", "values": {"x": "tea"}}'
        raise InputError(f'{where}, field "filled": expected an object like {expected}.')
    return Filled(of, template, tuple(sorted(values.items())))


def from_cells(cells: Mapping[str, str], where: str) -> dict[str, object]:
    """The fields of a CSV row, as JSON has them; empty ones are left out. InputError for what is no JSON."""
    return json_cells(cells, where, dict.fromkeys(FIELDS, ""), listed="constraints")


def ladder(prompt: Prompt, constraints: Sequence[str]) -> list[Prompt]:
    """The prompt with its first 0, 1, 3, 6 and 12 constraints, as far as it has them; each has the prompt's id with a
    slash and their number."""
    return [
        replace(
            prompt,
            id=f"{prompt.id}/{k}",
            text=with_constraints(prompt.text, constraints[:k]),
            rung=Rung(prompt.id, tuple(constraints[:k])),
        )
        for k in RUNGS
        if k <= len(constraints)
    ]


def with_constraints(text: str, constraints: Sequence[str]) -> str:
    """A prompt's text with constraints below it, numbered; without any it is the text."""
    if not constraints:
        return text
    return f"{text}\n\n{_HEADING}\n" + "\n".join(f"{i}. {each}" for i, each in enumerate(constraints, start=1))


def prompt_json(prompt: Prompt) -> dict[str, Any]:
    """What a prompt has beside id and text, as a prompt file has it; nothing of one that has nothing."""
    value: dict[str, Any] = prompt.answers.to_json() if prompt.answers else {}
    if prompt.earlier:
        value["messages"] = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
    if prompt.rung is not None:
        value["rung"] = {"of": prompt.rung.of, "constraints": [*prompt.rung.constraints]}
    if prompt.filled is not None:
        value["filled"] = {**asdict(prompt.filled), "values": dict(prompt.filled.values)}
    return value


def _turn(message: object, where: str) -> Turn:
    """where: begins a name that stands in quotes."""
    if not isinstance(message, dict):
        raise InputError(f'{where}": {json_type(message)}; expected {_MESSAGE}.')
    role = message.get("role")
    if role not in _ROLES:
        raise InputError(f'{where}.role": {role!r}; expected {", ".join(_ROLES[:-1])} or {_ROLES[-1]}.')
    return Turn(role, _text(message.get("content"), f'{where}.content"'))


def _texts(given: object, where: str) -> tuple[str, ...]:
    """where: begins a name that stands in quotes."""
    if not isinstance(given, list) or not given:
        raise InputError(f'{where}": {json_type(given)}; expected a list of texts, one or more.')
    texts = tuple(" ".join(_text(each, f'{where}[{i}]"').split()) for i, each in enumerate(given))
    if twice := next((text for i, text in enumerate(texts) if text in texts[:i]), ""):
        raise InputError(f'{where}": {twice!r} is there twice; expected each once.')
    return texts


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: {json_type(value)}; expected a text.")
    if not value.strip():
        raise InputError(f"{where}: empty; expected a text.")
    return writable(value, where).strip()
