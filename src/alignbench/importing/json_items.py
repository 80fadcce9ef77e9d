"""Objects of a file that holds a JSON list of them, or one on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.parsing import parse_json_at
from alignbench.textfiles import json_line, json_type, stream_lines

_SPACE = " \t\r\n"


def json_items(path: Path, expected: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object with where it is. InputError says there what is wrong; expected: of an object, in words.

    Lines are read one at a time; of a list, the text is in memory and one object at a time.
    """
    lines = stream_lines(path)
    blank: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            blank.append(line)
            continue
        if number == len(blank) + 1 and line.lstrip().startswith("["):
            yield from _listed(path, "".join((*blank, line, *lines)), expected)
            return
        yield f"{path}, line {number}", json_line(path, number, line, expected)


def _listed(path: Path, text: str, expected: str) -> Iterator[tuple[str, dict[str, Any]]]:
    at, n = text.index("[") + 1, 0
    line, counted = 1, 0
    while True:
        at = _past_space(text, at)
        line, counted = line + text.count("\n", counted, at), at
        if text[at : at + 1] == "]" and n == 0:
            return
        n += 1
        where = f"{path}, entry {n} (line {line})"
        try:
            value, at = parse_json_at(text, at)
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: not JSON: {error.msg}; expected {expected}.") from None
        except ValueError as error:
            raise InputError(f"{where}: not JSON that can be read: {error}.") from None
        if not isinstance(value, dict):
            raise InputError(f"{where}: {json_type(value)}; expected {expected}.")
        yield where, value
        at = _past_space(text, at)
        if text[at : at + 1] == "]":
            if rest := text[at + 1 :].strip():
                raise InputError(f"{path}: {rest[:40]!r} follows the list; expected its end.")
            return
        if text[at : at + 1] != ",":
            raise InputError(f"{where}: not JSON: the list goes on with {text[at : at + 10]!r}; expected , or ].")
        at += 1


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
