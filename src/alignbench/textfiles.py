"""Reading the user's text files, with errors that say where they are broken."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.parsing import RepeatedKey, parse_json

_LINE_END = re.compile(r"\r\n|\r|\n")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class MissingFile(InputError):
    """A file that is not there, or only as a pointer of Git LFS."""


def read_utf8(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark.

    Raises InputError for a file that cannot be read, and for one that is not UTF-8, with the byte offset
    (from 0) and the line (from 1) of the first wrong byte.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise MissingFile(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; expected a file.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    if data.startswith(_LFS_POINTER):
        raise MissingFile(f"{path} is a Git LFS pointer, not the file itself; `git lfs pull` fetches it.")
    if data.startswith(_UTF16) or 0 in data[:2] != b"\0\0":
        raise InputError(f"{path} is UTF-16; expected UTF-8. Save it as UTF-8.")
    skipped = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        return data[skipped:].decode("utf-8")
    except UnicodeDecodeError as error:
        offset = skipped + error.start
        line = len(re.findall(rb"\r\n|\r|\n", data[:offset])) + 1
        raise InputError(
            f"{path}, line {line}: byte 0x{data[offset]:02x} at offset {offset} is not UTF-8; "
            "expected a file saved as UTF-8."
        ) from None


def utf8_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends, one at a time, without its byte order mark; as `split_lines` cuts.

    Raises InputError as `read_utf8`, for a wrong byte when it is reached.
    """
    try:
        with path.open("rb") as file:
            head = file.peek(64)
            if head.startswith((_LFS_POINTER, *_UTF16)) or 0 in head[:2] != b"\0\0":
                read_utf8(path)  # says what it is
            yield from io.TextIOWrapper(file, "utf-8-sig", newline="")
    except (OSError, UnicodeDecodeError):
        read_utf8(path)  # says what is wrong, and where
        raise InputError(f"{path} changed while it was read.") from None


def split_lines(text: str) -> list[str]:
    """Lines of a text, ended by LF, CRLF or CR and by nothing else.

    `str.splitlines` also cuts at U+2028, U+0085, form feeds and the like, which belong to a prompt here.
    """
    return _LINE_END.split(text)


def read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds."""
    return json_object(read_utf8(path), str(path))


def json_lines(path: Path, text: str, expected: str = "an object") -> Iterator[tuple[int, dict[str, Any]]]:
    """Line (from 1) and object of each line of a JSONL file's text that is not blank, as `json_object` has it."""
    yield from _json_lines(path, split_lines(text), expected)


def json_lines_of(path: Path, expected: str = "an object") -> Iterator[tuple[int, dict[str, Any]]]:
    """The same of a file that is read line by line."""
    yield from _json_lines(path, utf8_lines(path), expected)


def _json_lines(path: Path, lines: Iterable[str], expected: str) -> Iterator[tuple[int, dict[str, Any]]]:
    first = True
    for number, line in enumerate(lines, start=1):
        if line.strip():
            if first and line.lstrip().startswith("["):
                raise InputError(
                    f"{path} is one JSON list; expected JSON Lines, {expected} on each line. A list is a .json file."
                )
            first = False
            yield number, json_object(line, f"{path}, line {number}", expected)


def json_object(text: str, where: str, expected: str = "an object") -> dict[str, Any]:
    """The object that a text holds as JSON. InputError says where it holds none, and what was expected."""
    try:
        value = parse_json(text, once=True)
    except RepeatedKey as error:
        raise InputError(f"{where}, field {error.key!r}: it is there twice; expected it once.") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON: {error.msg} at character {error.pos + 1}; expected {expected}.") from None
    except ValueError as error:  # a number of many digits; brackets in brackets
        raise InputError(f"{where}: not JSON that can be read: {error}.") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: {json_type(value)}; expected {expected}.")
    return value


def writable(text: str, where: str) -> str:
    """The text. InputError where it has half of a surrogate pair, which no file takes. where: file, line and field."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: character {error.start + 1} is half of a surrogate pair; expected text that can be written as "
            "UTF-8."
        ) from None
    return text


def json_type(value: object) -> str:
    """What a JSON value is, in words."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value), "a number")
