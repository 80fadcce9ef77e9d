"""Opening the file to read it: no lock is waited for, and nothing has to be writable."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alignbench.errors import StoreError
from alignbench.store.connection import code, plain_errors, prepared, refuse_foreign, why_read_only
from alignbench.store.sqlite import Database

PATIENCE = 1.0
"""Seconds that a reader waits for a lock. In WAL mode there is none that keeps readers out for long."""

_CANNOT_WRITE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL,
                 sqlite3.SQLITE_IOERR}  # fmt: skip


def open_to_read(path: Path) -> Database:
    """Open a file that is there. Writing to it works where it can be written, and at once.

    A file of an older schema is brought up to date where that can be done at once; else a copy of it is, which nobody
    else sees. Raises StoreError where the file is not ours, damaged, or of a newer alignbench.
    """
    if not path.is_file():
        raise StoreError(f"{path} is not a file; expected a session database.")
    with plain_errors(path, PATIENCE):
        refuse_foreign(path)
        connection = _connection(path)
        try:
            return prepared(connection, path)
        except sqlite3.OperationalError as error:
            with closing(connection):
                if code(error) not in {*_CANNOT_WRITE, sqlite3.SQLITE_BUSY}:
                    raise
                return _private_copy(connection, path)
        except BaseException:
            connection.close()
            raise


def _connection(path: Path) -> sqlite3.Connection:
    """SQLite keeps two files beside a database in WAL mode even to read it. Where it cannot, and there is nothing in
    them, the file is read as one that nobody changes."""
    if not why_read_only(path):
        try:
            return _connected(path, "mode=rw")
        except sqlite3.OperationalError as error:  # a full disk
            if code(error) not in _CANNOT_WRITE:
                raise
    unmerged = any(_has_content(path.with_name(path.name + ending)) for ending in ("-wal", "-journal"))
    try:
        return _connected(path, "mode=ro" if unmerged else "immutable=1")
    except sqlite3.OperationalError as error:
        if not unmerged or code(error) not in _CANNOT_WRITE:
            raise
        raise StoreError(
            f"The newest changes of {path} lie in {path.name}-wal still and cannot be read here: "
            f"{why_read_only(path) or error}. Copy both files, under these names, to a folder that can be written."
        ) from None


def _connected(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first look at the file itself
    except BaseException:
        connection.close()
        raise
    return connection


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _private_copy(connection: sqlite3.Connection, path: Path) -> Database:
    """Of the newest schema, in a temporary file that goes when it is closed."""
    copy = sqlite3.connect("", isolation_level=None)
    try:
        connection.backup(copy)
        db = prepared(copy, path)
        copy.execute("PRAGMA query_only = ON")
    except BaseException:
        copy.close()
        raise
    return db
