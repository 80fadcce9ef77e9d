"""JSON and TOML that come from outside: what is nested so deep that nothing can walk it is refused as it is read."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

MAX_DEPTH = 100  # lists and objects in each other; what this program, servers and hubs write has under 20

_MOST_LINES = 1_000  # that a key is looked for on: each is parsed with all before it
_ABSENT = object()
_LENIENT = json.JSONDecoder(strict=False)
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKET = re.compile(r"[^\[\]{}]+")
_OPENED = re.compile(rf"[\[{{]{{{MAX_DEPTH + 1}}}")


class TooDeep(ValueError):
    """Lists and objects in each other, more than MAX_DEPTH of them."""

    def __init__(self) -> None:
        super().__init__(f"it is nested more than {MAX_DEPTH} deep")


class RepeatedKey(ValueError):
    """An object that has a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} is there twice")
        self.key = key


def parse_json(text: str | bytes, *, once: bool = False) -> Any:
    """The value of a JSON text; of bytes, in UTF-8, 16 or 32. once: an object with a key twice is refused.

    ValueError where it is none (json.JSONDecodeError, which has the place), is nested deeper than MAX_DEPTH (TooDeep),
    has a key twice (RepeatedKey), or has a number of more digits than Python reads.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if too_deep(text):
        raise TooDeep
    try:
        return json.loads(text, object_pairs_hook=_once if once else None)
    except RecursionError:  # brackets that are never closed
        raise TooDeep from None


def parse_json_at(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at a place in a text, and the place after it; texts in it may have line breaks.

    ValueError as of `parse_json`.
    """
    try:
        value, end = _LENIENT.raw_decode(text, start)
    except RecursionError:
        raise TooDeep from None
    if too_deep(text[start:end]):
        raise TooDeep
    return value, end


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. ValueError where it is none, or is nested deeper than MAX_DEPTH."""
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise TooDeep from None
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in _inside(each)]
    if level:
        raise TooDeep
    return value


def toml_line(text: str, *names: str) -> int | None:
    """The line, from 1, on which a key of a TOML text begins; None where that cannot be said.

    names: of the tables that it is in, and its own.
    """
    lines = text.splitlines(keepends=True)[:_MOST_LINES]
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            value: object = tomllib.loads("".join(lines[:end]))
        except (ValueError, RecursionError):  # in the midst of a value
            continue
        for name in names:
            value = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
        if value is not _ABSENT:
            return begin + 1
        begin = end
    return None


def too_deep(text: str) -> bool:
    """Whether a JSON text is nested deeper than MAX_DEPTH. Of a text that is no JSON it may say either."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    left = _NO_BRACKET.sub("", _TEXT.sub("", text))
    if _OPENED.search(left):
        return True
    for _ in range(MAX_DEPTH):
        length, left = len(left), left.replace("[]", "").replace("{}", "")
        if len(left) in (0, length):
            return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKey(next(key for key in keys if keys.count(key) > 1))
    return value


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []
