"""What JSON Schemas of our files are made of: the bounds and choices that the readers check by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from alignbench.bounds import Bound

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NOT_BLANK = r"\S"


def whole(title: str, table: Schema) -> Schema:
    """The schema of a file."""
    return {"$schema": DIALECT, "title": title, **table}


def table(properties: Mapping[str, Schema], *rules: Schema, required: Sequence[str] = (), about: str = "") -> Schema:
    """A table with these keys and no other. rules: schemas that it has to fulfil as well."""
    schema: Schema = {"type": "object", "properties": {**properties}, "additionalProperties": False}
    if about:
        schema["description"] = about
    if required:
        schema["required"] = [*required]
    if rules:
        schema["allOf"] = [*rules]
    return schema


def text(about: str = "", *, blank: bool = True) -> Schema:
    """A text. blank: whether it may be."""
    return _described({"type": "string"} if blank else {"type": "string", "pattern": NOT_BLANK}, about)


def number(bound: Bound, about: str = "") -> Schema:
    """A number in a range."""
    least = "exclusiveMinimum" if bound.over else "minimum"
    most = "exclusiveMaximum" if bound.under else "maximum"
    kind = "integer" if bound.whole else "number"
    return _described({"type": kind, least: bound.least, most: bound.most}, about)


def flag(about: str = "") -> Schema:
    """True or false."""
    return _described({"type": "boolean"}, about)


def choice(kind: Any, about: str = "") -> Schema:
    """One of the texts of a Literal type, or of a sequence."""
    return _described({"enum": [*(get_args(kind) or kind)]}, about)


def texts(about: str = "", *, at_least: int = 0) -> Schema:
    """A list of texts that are not empty."""
    schema: Schema = {"type": "array", "items": {"type": "string", "minLength": 1}}
    if at_least:
        schema["minItems"] = at_least
    return _described(schema, about)


def numbers(bound: Bound, about: str = "") -> Schema:
    """A list of numbers in a range."""
    return _described({"type": "array", "items": number(bound)}, about)


def text_or_file(about: str = "") -> Schema:
    """A text, or a table that names a file."""
    return _described({"anyOf": [text(), table({"file": text()}, required=["file"])]}, about)


def has(key: str, schema: Schema | None = None) -> Schema:
    """That a table has a key, of this kind."""
    return {"required": [key], "properties": {key: {} if schema is None else schema}}


def says(key: str) -> Schema:
    """That a table has a key with a text that is not blank."""
    return has(key, {"type": "string", "pattern": NOT_BLANK})


def none_of(*schemas: Schema) -> Schema:
    """That none of these holds."""
    return {"not": {"anyOf": [*schemas]}}


def where(condition: Schema, then: Schema, otherwise: Schema | None = None) -> Schema:
    """That one thing holds where another does."""
    return {"if": condition, "then": then} | ({} if otherwise is None else {"else": otherwise})


def _described(schema: Schema, about: str) -> Schema:
    return {**schema, "description": about} if about else schema
