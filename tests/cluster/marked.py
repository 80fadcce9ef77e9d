"""The deterministic pool, which says in which process of a cluster it is."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from tests.support.fakes import FakePool


def marked_pool(folder: Path, **pool: object) -> FakePool:
    """What an actor runs its model in; the folder gets a file with the name of its process."""
    (folder / str(os.getpid())).touch()
    return FakePool(**pool)  # type: ignore[arg-type]


def making(folder: Path, **pool: object) -> partial[FakePool]:
    return partial(marked_pool, folder, **pool)
