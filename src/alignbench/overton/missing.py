"""A tree whose large files were not fetched: what is there is read, and what is not is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alignbench.textfiles import MissingFile

_T = TypeVar("_T")


def if_there(missing: list[str], read: Callable[[Path], _T], path: Path) -> _T | None:
    """What a file holds; None where it is not there, which is added to `missing`."""
    try:
        return read(path)
    except MissingFile as error:
        missing.append(str(error))
        return None
