"""JSON and TOML that come from outside: what is nested so deep that nothing can walk it is refused as it is read."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Generator
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


class NoList(ValueError):
    """A JSON text that is no list, and no object with one under the name that was asked for.

    Attributes:
        value: what is there in its place; None where the object has no such name
        names: that the object has
    """

    def __init__(self, value: object, names: tuple[str, ...]) -> None:
        super().__init__("there is no list")
        self.value, self.names = value, names


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


def json_items(text: str, name: str = "") -> Generator[tuple[int, Any], None, None]:
    """The elements of the list that a JSON text is, or that its object has under a name, each with its place in the
    text; one is in memory at a time.

    ValueError as of `parse_json` with `once`, and NoList where there is no such list.
    """
    start = _after_space(text, 0)
    names: list[str] | None = None
    value: object = _READ
    if text[start : start + 1] == "[":
        end = yield from _elements(text, start)
    elif text[start : start + 1] == "{":
        names = []
        value, end = yield from _of_object(text, start, name, names)
    else:
        value, end = _value(text, start)
    if (end := _after_space(text, end)) < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    if value is not _READ:
        raise NoList(value, tuple(names or ()))


def _of_object(
    text: str, start: int, name: str, names: list[str]
) -> Generator[tuple[int, Any], None, tuple[object, int]]:
    """What stands under a name in place of a list, and where the object ends. names: gets those that it has."""
    other: object = None
    at = _after_space(text, start + 1)
    while text[at : at + 1] != "}":
        key, at = _value(text, at)
        if not isinstance(key, str) or text[(at := _after_space(text, at)) : at + 1] != ":":
            raise json.JSONDecodeError("Expecting a property name and ':'", text, at)
        if key in names:
            raise RepeatedKey(key)
        names.append(key)
        at = _after_space(text, at + 1)
        if key == name and text[at : at + 1] == "[":
            at = yield from _elements(text, at)
            other = _READ
        else:
            value, at = _value(text, at)
            other = value if key == name else other
        at = _next(text, at, "}")
    return other, at + 1


def _elements(text: str, start: int) -> Generator[tuple[int, Any], None, int]:
    at = _after_space(text, start + 1)
    while text[at : at + 1] != "]":
        value, end = _value(text, at)
        yield at, value
        at = _next(text, end, "]")
    return at + 1


def _next(text: str, at: int, close: str) -> int:
    """Where the next element begins, or the list or object ends."""
    at = _after_space(text, at)
    if text[at : at + 1] == ",":
        after = _after_space(text, at + 1)
        if text[after : after + 1] not in ("", close):
            return after
        raise json.JSONDecodeError("Expecting value", text, after)
    if text[at : at + 1] != close:
        raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    return at


def _value(text: str, start: int) -> tuple[Any, int]:
    try:
        value, end = _STRICT.raw_decode(text, start)
    except RecursionError:
        raise TooDeep from None
    if too_deep(text[start:end]):
        raise TooDeep
    return value, end


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


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


_STRICT = json.JSONDecoder(object_pairs_hook=_once)
_SPACE = re.compile(r"[ \t\n\r]*")
_READ = object()  # in place of a list that was walked through


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []
