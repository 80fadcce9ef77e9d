"""Opening the files of a model: regular files alone, since reading a pipe or a device may never end."""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path

from alignbench.errors import InputError

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def open_regular(path: Path, expected: str = "a file") -> BufferedReader:
    """Open a file for reading. It never waits.

    Raises InputError where it is not there, cannot be read, or is no regular file (or a link to one).
    """
    try:
        _check(path.stat().st_mode, path, expected)
        file = open(path, "rb", opener=_at_once)  # noqa: SIM115 - the caller closes it
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name, a name that UTF-8 does not have
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    try:
        _check(os.fstat(file.fileno()).st_mode, path, expected)  # it may be another one by now
    except InputError:
        file.close()
        raise
    return file


def is_regular(path: Path) -> bool:
    """Whether there is a regular file, or a link to one."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _check(mode: int, path: Path, expected: str) -> None:
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is {_KINDS.get(stat.S_IFMT(mode), 'no file')}; expected {expected}.")
