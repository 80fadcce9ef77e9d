"""The store: everything a session is made of, behind one object."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from alignbench.errors import InputError
from alignbench.output_files import new_file
from alignbench.store.cell_scores import CellScoresMixin
from alignbench.store.cells import CellsMixin
from alignbench.store.connection import open_database, plain_errors, prepared, why_read_only
from alignbench.store.given_samples import GivenSamplesMixin
from alignbench.store.judgments import JudgmentsMixin
from alignbench.store.likelihoods import LikelihoodsMixin
from alignbench.store.merging import MergingMixin
from alignbench.store.option_masses import OptionMassesMixin
from alignbench.store.reading import PATIENCE, open_to_read
from alignbench.store.samples import SamplesMixin
from alignbench.store.search import SearchMixin
from alignbench.store.teachers import TeachersMixin


class Store(
    MergingMixin,
    CellsMixin,
    SamplesMixin,
    GivenSamplesMixin,
    TeachersMixin,
    CellScoresMixin,
    JudgmentsMixin,
    LikelihoodsMixin,
    OptionMassesMixin,
    SearchMixin,
):
    """A session database. One object per thread; several processes may have the same file open.

    Every method that changes something has committed it when it returns, unless inside `together`. A method
    raises StoreError where the file cannot be read or written (a full disk, a lock that is held for 30 seconds),
    with nothing half done, and InputError where it is asked for something that is not there.
    """

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a database, or make it with its parent folders, and bring its schema up to date.

        StoreError where the file is not SQLite, belongs to another program or to a newer alignbench, is
        damaged, or cannot be written; such a file is left untouched.
        """
        path = Path(path)
        return cls(open_database(path), path)

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Open a database that is there to read it: it may be read-only, and whoever writes to it is not waited for.

        What is written nevertheless raises StoreError where it cannot be written at once. StoreError as `open`.
        """
        path = Path(path)
        return cls(open_to_read(path), path, PATIENCE)

    @classmethod
    def open_or_read(cls, path: Path | str) -> Self:
        """As `open`, and as `read` where the file is there and cannot be written."""
        path = Path(path)
        return cls.read(path) if path.is_file() and why_read_only(path) else cls.open(path)

    @classmethod
    def in_memory(cls) -> Self:
        """A database that is gone when it is closed."""
        path = Path(":memory:")
        return cls(prepared(sqlite3.connect(path, isolation_level=None), path), path)

    @property
    def is_writable(self) -> bool:
        """Whether the file and its folder can be written, as far as the system says."""
        return not why_read_only(self.path)

    def backup(self, path: Path) -> None:
        """Copy the database as it is at this moment to a new file, while others may write to it.

        The file appears whole or not at all. InputError where there is something under its name already.
        """
        try:
            with new_file(path) as part, plain_errors(path), closing(sqlite3.connect(part)) as copy:
                self.db.conn.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # so that all of it is in the one file
        except FileExistsError:
            raise InputError(f"{path} is there already; name another file, or move it away.") from None

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
