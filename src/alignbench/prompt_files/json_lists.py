"""JSON files with a list of prompts: `[...]`, or `{"prompts": [...]}`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from alignbench.errors import InputError, did_you_mean
from alignbench.parsing import NoList, RepeatedKey, json_items
from alignbench.textfiles import json_type, read_utf8

LIST = "prompts"  # the name of the list in an object
EXPECTED = f'a list of texts or objects, or an object like {{"{LIST}": [...]}}'


def read_json(path: Path) -> Iterator[tuple[str, object]]:
    """The items of a file's list, each with its place. InputError, naming file and place, where there is none."""
    text = read_utf8(path)
    if not text.strip():
        return
    line, counted, number = 1, 0, 0
    try:
        for at, value in json_items(text, LIST):
            line, counted, number = line + text.count("\n", counted, at), at, number + 1
            yield f"item {number} (line {line})", value
    except RepeatedKey as error:
        place = f"after item {number}" if number else "at its beginning"
        raise InputError(f"{path}, {place}: {error}; expected it once.") from None
    except NoList as error:
        raise InputError(f"{path}{no_list(error.value, error.names)}") from None
    except json.JSONDecodeError as error:
        lines = " It has an object on each line: call it .jsonl." if _is_json_lines(error, text) else ""
        raise InputError(
            f"{path}, line {error.lineno}: not JSON: {error.msg} at column {error.colno}; expected {EXPECTED}.{lines}"
        ) from None
    except ValueError as error:  # a number of many digits; brackets in brackets
        raise InputError(f"{path}, after item {number}: not JSON that can be read: {error}.") from None


def no_list(value: object, names: tuple[str, ...]) -> str:
    """What follows a file's name where it has no list of prompts."""
    if LIST in names:
        return f', field "{LIST}": {json_type(value)}; expected a list.'
    if names:
        near = did_you_mean(LIST, names)
        near = f" {near}" if near.startswith("Did") else ""
        return f": an object with {', '.join(names[:8])}; expected {EXPECTED}.{near}"
    what = "an empty object" if value is None else json_type(value)
    return f": {what}; expected {EXPECTED}."


def _is_json_lines(error: json.JSONDecodeError, text: str) -> bool:
    return error.msg == "Extra data" and text.lstrip().startswith("{")
