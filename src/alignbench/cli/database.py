"""The session database of a command that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.cli import printing

if TYPE_CHECKING:
    from alignbench.store import Store


@contextmanager
def reading(path: Path) -> Iterator[Store]:
    """The database, which may be read-only or in use; what of it could not be read is said on stderr at the end."""
    from alignbench.store import Store  # not before it is used: it loads NumPy

    with Store.read(path) as store:
        try:
            yield store
        finally:
            for note in store.damage:
                printing.say(note)
