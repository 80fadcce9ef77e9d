"""Reading the user's text files, with errors that say where they are broken."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.parsing import RepeatedKey, parse_json

_LINE_END = re.compile(r"\r\n|\r|\n")
_BYTE_LINE_END = re.compile(rb"\r\n|\r|\n")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_HEAD = 64  # bytes that tell what a file is


class MissingFile(InputError):
    """A file that is not there, or only as a pointer of Git LFS."""


def home_expanded(path: str | Path) -> Path:
    """A path whose `~` is the home folder. InputError where there is none: `~nobody`."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{str(path)!r}: there is no such home folder.") from None


def read_utf8(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark.

    Raises InputError for a file that cannot be read, and for one that is not UTF-8, with the byte offset
    (from 0) and the line (from 1) of the first wrong byte.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    skipped = _byte_order_mark(path, data[:_HEAD])
    try:
        return data[skipped:].decode("utf-8")
    except UnicodeDecodeError as error:
        offset = skipped + error.start
        raise _not_utf8(path, len(_BYTE_LINE_END.findall(data[:offset])) + 1, data[offset], offset) from None


def stream_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends, as `split_lines` has them, never all in memory.

    Raises InputError as `read_utf8` does, where the lines before it have been read already.
    """
    try:
        with path.open("rb") as file:
            file.read(_byte_order_mark(path, file.peek(_HEAD)[:_HEAD]))  # a pipe cannot go back
            yield from io.TextIOWrapper(file, encoding="utf-8", newline="")
    except UnicodeDecodeError:
        raise _first_wrong_byte(path) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def stream_json_lines(
    path: Path, expected: str = "an object", advice: str = ""
) -> Iterator[tuple[int, dict[str, Any]]]:
    """As `json_lines`, of a file that is never all in memory. advice: what can be done with one JSON list."""
    began = False
    for number, line in enumerate(stream_lines(path), start=1):
        if not began and line.lstrip().startswith("["):
            raise _one_list(path, expected, advice)
        began = began or bool(line.strip())
        if line.strip():
            yield number, json_line(path, number, line, expected)


def json_line(path: Path, number: int, line: str, expected: str) -> dict[str, Any]:
    """The object on a line of a file. InputError says where there is none."""
    return json_object(line.rstrip("\r\n"), f"{path}, line {number}", expected)


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return MissingFile(f"There is no file {path}.")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{path} is a folder; expected a file.")
    return InputError(f"{path} cannot be read: {error.strerror or error}.")


def _byte_order_mark(path: Path, head: bytes) -> int:
    """How many bytes of a mark a UTF-8 file begins with. InputError where it is none, by its first bytes."""
    if head.startswith(_LFS_POINTER):
        raise MissingFile(f"{path} is a Git LFS pointer, not the file itself; `git lfs pull` fetches it.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or 0 in head[:2] != b"\0\0":
        raise InputError(f"{path} is UTF-16; expected UTF-8. Save it as UTF-8.")
    return len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0


def _not_utf8(path: Path, line: int, byte: int, offset: int) -> InputError:
    return InputError(
        f"{path}, line {line}: byte 0x{byte:02x} at offset {offset} is not UTF-8; expected a file saved as UTF-8."
    )


def _first_wrong_byte(path: Path) -> InputError:
    offset, number = 0, 1
    with path.open("rb") as file:
        for line in file:  # no character of UTF-8 has the byte of a line end in it
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                number += len(_BYTE_LINE_END.findall(line[: error.start]))
                return _not_utf8(path, number, line[error.start], offset + error.start)
            offset, number = offset + len(line), number + len(_BYTE_LINE_END.findall(line))
    return InputError(f"{path} changed while it was read; expected one that stays as it is.")


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
    if text.lstrip().startswith("["):
        raise _one_list(path, expected)
    for number, line in enumerate(split_lines(text), start=1):
        if line.strip():
            yield number, json_object(line, f"{path}, line {number}", expected)


def _one_list(path: Path, expected: str, advice: str = "") -> InputError:
    return InputError(f"{path} is one JSON list; expected JSON Lines, {expected} on each line. {advice}".rstrip())


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
    """What a JSON value is, in words; of a table it may also be a value that JSON has not, such as a date."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names.get(type(value), f"a value of type {type(value).__name__}")
