"""JSON files of others, with errors that say where they are broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.textfiles import read_utf8, split_lines


def read_object(path: Path) -> dict[str, Any]:
    """The object a JSON file holds."""
    return _object(read_utf8(path), str(path))


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line (from 1) and object of each line of a JSONL file that is not blank."""
    for number, line in enumerate(split_lines(read_utf8(path)), start=1):
        if line.strip():
            yield number, _object(line, f"{path}, line {number}")


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON: {error.msg} at character {error.pos + 1}.") from None
    except (ValueError, RecursionError) as error:  # a number of many digits; brackets in brackets
        raise InputError(f"{where}: not JSON that can be read: {error}.") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected an object, in curly braces.")
    return value
