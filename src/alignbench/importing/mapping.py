"""Which field of a file is which: `text=completion,prompt=question`, with dots into nested ones (`choices.0.text`).

A field that the map does not name is looked for under its own name. Without one for `prompt_id`, ids are made of the
texts; without one for `condition`, the condition is called as the file. A `text` that is a list is so many samples, a
`prompt` that is a list of messages a conversation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alignbench.csv_files import column_name
from alignbench.errors import InputError, did_you_mean
from alignbench.importing.fields import NoPrompt, conversation, end_of, prompt_of_text, settings_of, shown_value
from alignbench.importing.responses import ImportedResponse, Origin
from alignbench.importing.rows import generation_facts, number_in, response_of
from alignbench.spec import SAMPLING_BOUNDS, made_id
from alignbench.textfiles import json_type

_NEEDED = ("text", "prompt")
_FACTS = ("seed", "n_prompt_tokens", "n_tokens", "n_thinking_tokens", "seconds", "logprob")
_OTHERS = ("thinking", "refused", "note", "status", "error", "sample", "kind")
_OWN = ("prompt_id", "condition", "system", "finish_reason")
NAMES = (*_NEEDED, *_OWN, *_OTHERS, *_FACTS, *SAMPLING_BOUNDS)
_MISSING = object()


@dataclass(frozen=True, slots=True)
class FieldMap:
    """fields: of a file, by the names of `NAMES`."""

    fields: Mapping[str, str]

    @classmethod
    def parsed(cls, text: str) -> FieldMap:
        """What `--map` was given. InputError where it is not of this form, or has a name that is not known."""
        fields: dict[str, str] = {}
        for part in text.split(","):
            name, equals, field = (each.strip() for each in part.partition("="))
            if not equals or not name or not field:
                raise InputError(f"--map: {part.strip()!r}; expected NAME=FIELD, such as text=completion.")
            if name not in NAMES:
                raise InputError(f"--map: {name!r} is no field of a response. {did_you_mean(name, NAMES)}".rstrip())
            if name in fields:
                raise InputError(f"--map: {name} is there twice; expected each name once.")
            fields[name] = field
        return cls(fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a CSV file that it names, that of the text first, as a header is read."""
        named = [self.fields.get("text", "text"), *self.fields.values()]
        return tuple(dict.fromkeys(map(column_name, named)))

    def responses(
        self, row: Mapping[str, Any], set: str, where: str, left_out: Counter[str]
    ) -> Iterator[ImportedResponse]:
        """The responses of a row. InputError names the field that is missing or wrong; set: name of the file."""
        values = {name: value for name in NAMES if (value := self._value(row, name, where)) is not _MISSING}
        text, prompt_value = values["text"], values["prompt"]
        try:
            prompt = self._prompt(prompt_value, values.get("system"), where)
        except NoPrompt as error:
            raise InputError(f'{where}, field "{self._called("prompt")}": {error}; expected a prompt.') from None
        known = {name: values[name] for name in (*_OTHERS, *_FACTS) if values.get(name) is not None}
        id = values.get("prompt_id")
        known["prompt_id"] = made_id(prompt.hash, set) if id is None or id == "" else id
        known["prompt"] = prompt.text
        known["condition"] = set if values.get("condition") is None else values["condition"]
        finish, refused = end_of(values.get("finish_reason"))
        texts = text if isinstance(text, list) else [text]
        if not texts:
            left_out["rows whose list of responses is empty"] += 1
        for i, each in enumerate(texts):
            if each is not None and not isinstance(each, str):
                at = f"{self._called('text')}[{i}]" if isinstance(text, list) else self._called("text")
                raise InputError(f'{where}, field "{at}": {json_type(each)}; expected a text.')
            failed = {"status": "error", "error": values.get("error") or "there is no text"} if each is None else {}
            response = response_of({**known, "text": each or "", **failed}, set, where)
            sample = replace(
                response.sample,
                finish=finish,
                refused=refused or response.sample.refused,
                facts=generation_facts(values),
            )
            origin = Origin(
                response.origin.model,
                response.origin.kind,
                settings_of({name: number_in(values, name) for name in SAMPLING_BOUNDS if name in values}),
            )
            number = response.number if len(texts) == 1 else None
            yield replace(response, prompt=replace(prompt, id=response.prompt.id, set=set), origin=origin,
                          sample=sample, number=number)  # fmt: skip

    def _called(self, name: str) -> str:
        return self.fields.get(name, name)

    def _prompt(self, value: object, system: object, where: str) -> Any:
        if isinstance(value, list):
            return conversation(value)
        if not isinstance(value, str):
            raise InputError(f'{where}, field "{self._called("prompt")}": {shown_value(value)}; expected a text.')
        return prompt_of_text(value, system)

    def _value(self, row: Mapping[str, Any], name: str, where: str) -> Any:
        """The value of a field, `_MISSING` of one that may be left out."""
        path = self.fields.get(name, name)
        value = _at(row, path)
        if value is not _MISSING or (name not in self.fields and name not in _NEEDED):
            return value
        if name not in _NEEDED and path.partition(".")[0] in row:
            return _MISSING  # a part of it is left out in this row
        there = [*_paths(row)]
        shown = ", ".join(there[:12])
        hint = f" --map {name}=FIELD says which one it is." if name not in self.fields else ""
        near = did_you_mean(path, there) if name in self.fields else ""
        raise InputError(f'{where}, field "{path}": missing; the row has {shown}.{hint} {near}'.rstrip())


def _at(row: object, path: str) -> Any:
    """What stands at a path, looked up whole first and then by its parts."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    head, dot, rest = path.partition(".")
    if isinstance(row, Mapping) and head not in row:
        folded = column_name(head)  # as a header of CSV is read
        head = folded if folded in row else head
    if isinstance(row, Mapping) and head in row:
        return _at(row[head], rest) if dot else row[head]
    if isinstance(row, Sequence) and not isinstance(row, str) and _is_place(head) and int(head) < len(row):
        return _at(row[int(head)], rest) if dot else row[int(head)]
    return _MISSING


def _is_place(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _paths(row: Mapping[str, Any], depth: int = 2) -> Iterator[str]:
    """Names of fields, and of those in them."""
    for name, value in row.items():
        yield name
        if isinstance(value, Mapping) and depth > 1:
            yield from (f"{name}.{inner}" for inner in _paths(value, depth - 1))
