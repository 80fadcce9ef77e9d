"""Opening the file, transactions, and SQLite's errors in plain words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alignbench.errors import StoreError
from alignbench.store import schema
from alignbench.store.sqlite import Database

BUSY_SECONDS = 30.0

_LEFT = "It was left as it is; name another file with --db."
_SMALLEST_PAGE = 512  # bytes, and so the smallest database


def open_database(path: Path) -> Database:
    """Open the file, or make it with its parent folders, and bring its schema up to date.

    WAL, so that readers never wait for a writer; synchronous NORMAL, so that a commit outlives the process.
    Raises StoreError, and leaves the file as it is, where it is not ours or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_unwritable(path)
    except OSError as error:
        raise StoreError(f"Cannot open the session database {path}: {error.strerror}.") from error
    with plain_errors(path):
        refuse_foreign(path)
        connection = sqlite3.connect(path.absolute(), timeout=BUSY_SECONDS, isolation_level=None)
        try:
            db = prepared(connection, path)
            _use_wal(connection)
        except BaseException:
            connection.close()
            raise
    return db


def prepared(connection: sqlite3.Connection, path: Path) -> Database:
    """The connection's settings, and the schema brought up to date: where it is, nobody's lock is waited for.

    StoreError where the file is not ours or was written by a newer alignbench.
    """
    connection.execute("PRAGMA synchronous = NORMAL")
    db = Database(connection, execute_plugins=False)
    if schema.pending_migrations(db):
        connection.execute("PRAGMA foreign_keys = OFF")  # with them on, a table that is made anew takes rows along
        with transaction(db):
            _refuse_unknown(db, path)
            schema.migrate(db)
    else:
        _refuse_unknown(db, path)
    connection.execute("PRAGMA foreign_keys = ON")
    return db


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """Take the write lock, then commit everything or nothing."""
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.conn.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK")
        raise


@contextmanager
def plain_errors(path: Path, seconds: float = BUSY_SECONDS) -> Iterator[None]:
    """Turn what SQLite raises into a StoreError that says what happened to which file; seconds that a lock was waited
    for."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a closed store, a wrong thread: the caller's mistake, not the file's
    except sqlite3.DatabaseError as error:
        raise StoreError(_explain(error, path, seconds)) from error


def file_identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, whatever takes its place; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _refuse_unwritable(path: Path) -> None:
    """Ask before SQLite does: it opens a read-only file without a word and fails at the first write."""
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is not a file; expected a session database.")
    reason = why_read_only(path)
    if reason:
        raise StoreError(f"Cannot write the session database {path}: {reason}.")


def refuse_foreign(path: Path) -> None:
    """Look at the file's header and change nothing.

    `immutable` keeps SQLite from recovering or checkpointing a foreign file's WAL. Reading the header without
    SQLite would be wrong: closing the file drops the locks that other connections of this process hold on it.
    """
    size = path.stat().st_size if path.exists() else 0
    if size == 0:
        return
    if size < _SMALLEST_PAGE:  # SQLite would take it for an empty database
        raise StoreError(f"{path} is not a SQLite database. {_LEFT}")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
        try:
            ours = _is_ours(connection)
        except sqlite3.DatabaseError as error:
            if code(error) != sqlite3.SQLITE_CORRUPT:
                raise
            return  # perhaps half written at this moment: the opening proper waits for the lock and decides
    if not ours:
        raise StoreError(_foreign(path))


def _refuse_unknown(db: Database, path: Path) -> None:
    # A killed first opening rolls back to an empty file; another program may have put its own tables in.
    if not _is_ours(db.conn) and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError(_foreign(path))
    unknown = schema.unknown_migrations(db)
    if unknown:
        raise StoreError(
            f"{path} was written by a newer alignbench (its schema has {', '.join(unknown)}). "
            "Update alignbench, or name another file with --db."
        )


def _is_ours(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA application_id").fetchone()[0] == schema.APPLICATION_ID)


def _foreign(path: Path) -> str:
    return f"{path} is a SQLite database of another program. {_LEFT}"


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL once. The switch needs the file for itself and does not wait for its turn by itself."""
    give_up = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _explain(error: sqlite3.DatabaseError, path: Path, seconds: float) -> str:
    match code(error):
        case sqlite3.SQLITE_FULL:
            return (
                f"The disk is full: {path} cannot grow. Everything stored before is safe; "
                "free some space and run the same again."
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            waited = "1 second" if seconds == 1 else f"{seconds:.0f} seconds"
            return f"{path} was kept locked by another program for {waited}."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"Cannot write the session database {path}: {why_read_only(path) or error}."
        case sqlite3.SQLITE_NOTADB:
            return f"{path} is not a SQLite database. {_LEFT}"
        case sqlite3.SQLITE_CORRUPT:
            return (
                f"{path} is damaged ({error}). Restore it from a backup: move {path.name}, {path.name}-wal and "
                f"{path.name}-shm away, all that are there, then put the backup in their place. Or name another file "
                "with --db."
            )
        case sqlite3.SQLITE_IOERR:
            return f"{path}: the disk cannot be read or written ({error}). What was stored before is kept."
        case sqlite3.SQLITE_CONSTRAINT if "FOREIGN KEY" in str(error):
            return f"{path} no longer has what this belongs to; was the session deleted meanwhile?"
        case _:
            return f"{path}: {error}."


def why_read_only(path: Path) -> str:
    """Why nothing can be written here; empty where it can."""
    if path.exists() and not os.access(path, os.W_OK):
        return "the file is read-only"
    if not os.access(path.parent, os.W_OK):
        return f"the folder {path.parent} is read-only, and SQLite keeps files beside the database"
    return ""
