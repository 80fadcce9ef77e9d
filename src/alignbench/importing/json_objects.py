"""Objects of a file that holds a JSON list of them, or one on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.parsing import RepeatedKey, json_items
from alignbench.textfiles import json_line, json_type, stream_lines


def json_objects(path: Path, expected: str) -> Iterator[tuple[str, dict[str, Any]]]:
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
    line, counted, n = 1, 0, 0
    try:
        for at, value in json_items(text):
            line, counted, n = line + text.count("\n", counted, at), at, n + 1
            where = f"{path}, entry {n} (line {line})"
            if not isinstance(value, dict):
                raise InputError(f"{where}: {json_type(value)}; expected {expected}.")
            yield where, value
    except RepeatedKey as error:
        raise InputError(f"{path}, entry {n + 1}, field {error.key!r}: it is there twice; expected it once.") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not JSON: {error.msg}; expected {expected}.") from None
    except ValueError as error:  # a number of many digits; brackets in brackets
        raise InputError(f"{path}, entry {n + 1}: not JSON that can be read: {error}.") from None
