"""Templates of a user's own: any rubric whose reply is numbers, choices and yes or no, summarized by its schema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError

from alignbench.bounds import Bound
from alignbench.errors import InputError
from alignbench.judging.labels import LABELS
from alignbench.judging.templates import KINDS, JudgeTemplate
from alignbench.metrics.intervals import UNBOUNDED, UNIT, Bounds
from alignbench.parsing import parse_json, parse_toml
from alignbench.store import Store
from alignbench.textfiles import json_type, read_utf8
from alignbench.toml_table import TomlTable

Of = Literal["response", "pair"]
FieldKind = Literal["number", "integer", "boolean", "choice", "text"]

MAX_TOKENS = 400
_TOKENS = Bound(1, 100_000)
_CHOICES = 50  # of a field, at most
_FIELDS = 50
_WORD = 40  # characters: what is longer is a reason, no choice
_KEPT = "rubrics"  # in a session's manifest
_TAKES = {"response": "question, response", "pair": "question, shown, flipped"}
_FIELD = 'expected {"enum": [...]}, or {"type": "number", "integer", "boolean" or "string"}'
_MARKS = "RESPONSE-ONE", "RESPONSE-TWO"


@dataclass(frozen=True, slots=True)
class RubricField:
    """A field of a reply.

    Attributes:
        kind: A choice is one of several texts; a text is kept and not summarized.
        low, high: Of a number, None where it is open.
        choices: In their order.
    """

    name: str
    kind: FieldKind
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def columns(self) -> Iterator[tuple[str, Bounds]]:
        """What it is summarized as, and what these values lie in: a mean, a share, or a share of each choice."""
        if self.kind == "choice":
            yield from ((f"{self.name}={choice}", UNIT) for choice in self.choices)
        elif self.kind == "boolean":
            yield self.name, UNIT
        elif self.kind != "text":
            low, high = UNBOUNDED
            yield self.name, (low if self.low is None else self.low, high if self.high is None else self.high)


def read_rubric(path: Path) -> JudgeTemplate:
    """The template in a TOML file: `prompt`, `schema`, perhaps `name`, `of` and `max_tokens`.

    InputError, with file, line or field and what was expected, for anything else.
    """
    try:
        values = parse_toml(read_utf8(path))
    except ValueError as error:
        raise InputError(f"{path}: not TOML: {error}.") from None
    table = TomlTable(values, str(path))
    name = table.text("name", path.stem)
    if name in (*KINDS, *LABELS):
        raise table.error("name", name, "another one than that of a kind that ships")
    if not name.strip() or name != name.strip() or any(sign in name for sign in "=,\n"):
        raise table.error("name", name, "a word or two, without = and commas")
    of: Of = table.choice("of", Of, "response")
    prompt = table.required("prompt").strip()
    max_tokens = table.integer("max_tokens", MAX_TOKENS, _TOKENS)
    schema = _schema(path, table.raw("schema"))
    table.finish()
    template = JudgeTemplate(name, prompt, json.dumps(schema), max_tokens, of=of)
    _try_out(path, template)
    return template


def rubric_fields(schema: Mapping[str, Any]) -> tuple[RubricField, ...]:
    """The fields of a schema that `read_rubric` has taken."""
    return tuple(_field(name, described) for name, described in schema["properties"].items())


def rubric_columns(template: JudgeTemplate) -> dict[str, Bounds]:
    """What replies are summarized as (see `RubricField.columns`)."""
    return {
        column: bounds
        for field in rubric_fields(template.schema_object())
        for column, bounds in _shown(field, template).columns()
    }


def keep_columns(store: Store, session: int, template: JudgeTemplate) -> None:
    """Keep with a session what the judgments of a template come to, for reports, which do not have its file."""
    kept = {column: list(bounds) for column, bounds in rubric_columns(template).items()}
    ends = {column: [end if math.isfinite(end) else None for end in bounds] for column, bounds in kept.items()}
    manifest = store.manifest(session)
    rubrics = manifest.get(_KEPT, {})
    known = {"template": template.hash, "columns": ends}
    if rubrics.get(template.kind) != known:
        store.set_manifest(session, {**manifest, _KEPT: {**rubrics, template.kind: known}})


def kept_columns(store: Store, session: int, kind: str, template_hash: str) -> dict[str, Bounds] | None:
    """What was kept of this very template; None where nothing was that can be read."""
    try:
        known = store.manifest(session)[_KEPT][kind]
        if known["template"] != template_hash:
            return None
        low, high = UNBOUNDED
        return {
            str(column): (low if least is None else float(least), high if most is None else float(most))
            for column, (least, most) in known["columns"].items()
        }
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def columns_of_values(rows: Sequence[Mapping[str, Any]]) -> dict[str, Bounds]:
    """The same, told by stored fields of judgments, where the template is not at hand."""
    columns: dict[str, Bounds] = {}
    names = dict.fromkeys(name for fields in rows for name in fields)
    for name in names:
        values = [fields[name] for fields in rows if fields.get(name) is not None]
        choices = dict.fromkeys(value for value in values if isinstance(value, str))
        if values and all(isinstance(value, bool) for value in values):
            columns[name] = UNIT
        elif 0 < len(choices) <= _CHOICES and all(isinstance(one, str) and len(one) <= _WORD for one in values):
            columns |= {f"{name}={choice}": UNIT for choice in sorted(choices)}
        elif values and all(isinstance(value, int | float) for value in values):
            columns[name] = UNBOUNDED
    return columns


def rubric_values(template: JudgeTemplate, value: Mapping[str, Any], *, flipped: bool) -> dict[str, Any]:
    """The fields of a judgment from a reply that has the form of the schema: of a pair `first` and `second`, which is
    the order they were shown in, become `reference` and `response`."""
    if template.of != "pair":
        return dict(value)
    first, second = ("response", "reference") if flipped else ("reference", "response")
    places = {"first": first, "second": second}
    ordered = {field.name for field in rubric_fields(template.schema_object()) if {*places} <= {*field.choices}}
    return {name: places.get(each, each) if name in ordered else each for name, each in value.items()}


def _shown(field: RubricField, template: JudgeTemplate) -> RubricField:
    if template.of != "pair" or not {"first", "second"} <= {*field.choices}:
        return field
    places = {"first": "reference", "second": "response"}
    return RubricField(field.name, field.kind, choices=tuple(places.get(each, each) for each in field.choices))


def _schema(path: Path, given: object) -> dict[str, Any]:
    """With each field required, and no others."""
    expected = 'expected {"type": "object", "properties": {...}} as JSON text, or as a table'
    if isinstance(given, str):
        try:
            given = parse_json(given, once=True)
        except ValueError as error:
            raise InputError(f"{path}: schema: not JSON: {error}.") from None
    if given is None:
        raise InputError(f"{path}: schema is missing; {expected}.")
    if not isinstance(given, Mapping) or given.get("type") != "object":
        raise InputError(f"{path}: schema is {_brief(given)}; {expected}.")
    properties = given.get("properties")
    if not isinstance(properties, Mapping) or not 0 < len(properties) <= _FIELDS:
        raise InputError(f"{path}: schema.properties is {_brief(properties)}; expected 1 to {_FIELDS} fields.")
    fields = []
    for name, described in properties.items():
        try:
            fields.append(_field(name, described))
        except ValueError as error:
            raise InputError(f"{path}: schema.properties.{name}{error}") from None
    if all(field.kind == "text" for field in fields):
        raise InputError(f"{path}: schema.properties has texts alone; expected a number, a choice or a boolean too.")
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [*properties],
        "additionalProperties": False,
    }


def _field(name: str, described: object) -> RubricField:
    """ValueError, to be put behind the field's name."""
    if not name.strip() or any(sign in name for sign in "=\n"):
        raise ValueError(": its name is empty or has =; expected a word.")
    if not isinstance(described, Mapping):
        raise ValueError(f" is {_brief(described)}; {_FIELD}.")
    if "enum" in described:
        return _of_choices(name, described["enum"])
    kind = described.get("type")
    if kind == "string":
        return RubricField(name, "text")
    if kind == "boolean":
        return RubricField(name, "boolean")
    if kind not in ("number", "integer"):
        raise ValueError(f".type is {_brief(kind)}; {_FIELD}.")
    ends = []
    for key in ("minimum", "maximum"):
        end = described.get(key)
        if end is not None and (isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end)):
            raise ValueError(f".{key} is {_brief(end)}; expected a number.")
        ends.append(None if end is None else float(end))
    low, high = ends
    if low is not None and high is not None and low >= high:
        raise ValueError(f".minimum is {low:g} and maximum {high:g}; expected the lower one first.")
    return RubricField(name, kind, low, high)


def _of_choices(name: str, choices: object) -> RubricField:
    """Numbers are a number, which may be N/A; texts a choice."""
    if not isinstance(choices, list) or not 2 <= len(choices) <= _CHOICES:
        raise ValueError(f".enum is {_brief(choices)}; expected a list of 2 to {_CHOICES} texts, or of numbers.")
    numbers = [one for one in choices if isinstance(one, int | float) and not isinstance(one, bool)]
    texts = [one for one in choices if isinstance(one, str)]
    if numbers and {*texts} <= {"N/A"} and len(numbers) + len(texts) == len(choices) and len({*numbers}) > 1:
        return RubricField(name, "number", float(min(numbers)), float(max(numbers)))
    different = len({*texts}) == len(choices) and all(one.strip() and "\n" not in one for one in texts)
    if not different:
        raise ValueError(f".enum is {_brief(choices)}; expected different texts alone, or numbers and perhaps N/A.")
    return RubricField(name, "choice", choices=tuple(texts))


def _try_out(path: Path, template: JudgeTemplate) -> None:
    """Render the prompt once: it has to be Jinja over what there is, and to show what is judged."""
    marks = _MARKS[: 2 if template.of == "pair" else 1]
    try:
        asked = template.ask("QUESTION", marks)
    except TemplateSyntaxError as error:
        raise InputError(f"{path}: prompt, line {error.lineno}: {error.message}.") from None
    except UndefinedError as error:
        raise InputError(f"{path}: prompt: {error.message}; a {template.of} has {_TAKES[template.of]}.") from None
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: prompt: {error}.") from None
    missing = [mark for mark in marks if mark not in asked]
    if missing:
        wanted = "{{ response }}" if template.of == "response" else "both texts of {{ shown }}"
        raise InputError(f"{path}: prompt does not show what is judged; expected {wanted} in it.")


def _brief(value: object) -> str:
    if value is None:
        return "not there"
    said = json.dumps(value, default=str) if isinstance(value, str | int | float | list) else json_type(value)
    return said if len(said) <= 60 else f"{said[:59]}…"
