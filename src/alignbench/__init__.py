"""alignbench: a terminal workbench for studying what alignment does to a language model.

From Python: `alignbench.open("runs/alignbench.db").session(1).samples()`; see docs/python.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from alignbench.frames import Database

__version__ = "0.1.0"


def open(path: str | PathLike[str]) -> Database:
    """A session database that is there already. InputError where there is none; it reads nothing else yet."""
    from pathlib import Path

    from alignbench.errors import InputError
    from alignbench.frames import Database

    if not Path(path).is_file():
        raise InputError(f"There is no session database {path}.")
    return Database(Path(path))
