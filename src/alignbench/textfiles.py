"""Reading the user's text files, with errors that say where they are broken."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from alignbench.errors import InputError

_LINE_END = re.compile(r"\r\n|\r|\n")


def read_utf8(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark.

    Raises InputError for a file that cannot be read, and for one that is not UTF-8, with the byte offset
    (from 0) and the line (from 1) of the first wrong byte.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; expected a file.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
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


def split_lines(text: str) -> list[str]:
    """Lines of a text, ended by LF, CRLF or CR and by nothing else.

    `str.splitlines` also cuts at U+2028, U+0085, form feeds and the like, which belong to a prompt here.
    """
    return _LINE_END.split(text)
