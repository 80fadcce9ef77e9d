"""What every part of the store does: ask and write, with SQLite's errors in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alignbench.errors import InputError, StoreError
from alignbench.spec import Prompt
from alignbench.store.connection import BUSY_SECONDS, file_identity, plain_errors, transaction
from alignbench.store.encoding import encode_text, now
from alignbench.store.sqlite import Database

T = TypeVar("T")
Row = TypeVar("Row")

UNREADABLE = (AttributeError, InputError, LookupError, TypeError, ValueError)
"""What making a value of a row raises where the row holds something else."""

_MOST_NOTES = 5


def another_text(prompt_id: str, session_id: int) -> InputError:
    """Why a prompt is refused whose id is taken."""
    return InputError(
        f"The prompt id {prompt_id!r} stands for another text in session {session_id}. "
        "Give the prompt another id, or begin a new session."
    )


class ConnectedMixin:
    """A database connection. It belongs to the thread that opened it."""

    def __init__(self, db: Database, path: Path, patience: float = BUSY_SECONDS) -> None:
        """patience: seconds that a lock is waited for."""
        self.db = db
        self.path = path
        self._patience = patience
        self._damage: dict[str, None] = {}
        self._unreadable: dict[tuple[str, int], frozenset[str]] = {}  # table, session -> names
        self._absolute = path.absolute()
        self._identity = file_identity(path)

    @property
    def damage(self) -> list[str]:
        """What could not be read so far and was left out, a sentence each; of many the first."""
        notes = [*self._damage]
        more = len(notes) - _MOST_NOTES
        return notes if more <= 0 else [*notes[:_MOST_NOTES], f"{more} more rows of {self.path} cannot be read."]

    def leave_out(self, what: str, why: object) -> None:
        """Note that something in the file is passed over."""
        self._damage.setdefault(f"{self.path}: {what} cannot be read and is left out: {why}.")

    def _readable(self, rows: Iterable[Row], decode: Callable[[Row], T], what: Callable[[Row], str]) -> Iterator[T]:
        """The values of rows, without those whose columns hold what they cannot: a damaged one hides no other.

        what: names a row in the note of it.
        """
        for row in rows:
            try:
                value = decode(row)
            except UNREADABLE as error:
                self.leave_out(what(row), error)
            else:
                yield value

    def _read(self, row: Row, decode: Callable[[Row], T], what: str) -> T:
        """The value of one row that is asked for. StoreError where it cannot be read."""
        try:
            return decode(row)
        except UNREADABLE as error:
            raise StoreError(f"{self.path}: {what} cannot be read: {error}.") from None

    def _rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        return self._fetched(lambda: list(self.db.query(sql, parameters)))

    def _tuples(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows without the names of their columns, where there are very many."""
        return self._fetched(lambda: self.db.conn.execute(sql, parameters).fetchall())

    def _fetched(self, fetch: Callable[[], list[T]]) -> list[T]:
        """Texts that are no UTF-8 come as bytes; SQLite's driver would refuse all rows for one."""
        connection = self.db.conn
        with plain_errors(self.path, self._patience):
            try:
                return fetch()
            except sqlite3.OperationalError as error:
                if "decode to UTF-8" not in str(error):
                    raise
                connection.text_factory = _text_or_bytes
                try:
                    return fetch()
                finally:
                    connection.text_factory = str

    def _row(self, sql: str, *parameters: object) -> dict[str, Any] | None:
        rows = self._rows(sql, *parameters)
        return rows[0] if rows else None

    def _execute(self, sql: str, *parameters: object) -> int:
        """Run one statement that returns no rows; the number of rows that it changed."""
        return self.db.conn.execute(sql, parameters).rowcount

    def _insert(self, sql: str, *parameters: object) -> int:
        """Run one INSERT; the id of the new row."""
        row_id = self.db.conn.execute(sql, parameters).lastrowid
        assert row_id is not None
        return row_id

    @contextmanager
    def together(self) -> Iterator[None]:
        """One commit for everything that is written inside, or none of it where something raises.

        Inside another one it is a part of that.
        """
        if self.db.conn.in_transaction:
            yield
            return
        with plain_errors(self.path, self._patience), transaction(self.db):
            self._refuse_deleted()
            yield

    def _refuse_deleted(self) -> None:
        """SQLite itself goes on writing to a file that has no name any more, and all of it is lost at the end."""
        if file_identity(self._absolute) != self._identity:
            raise StoreError(
                f"{self.path} was deleted, moved or replaced while it was in use. If it was moved, put it back and run "
                "the same again; if it was deleted, its samples are gone, and the same command draws them anew."
            )

    @contextmanager
    def _write(self) -> Iterator[None]:
        """The write lock from the first read on, and one commit at the end; inside `together`, that one's."""
        with self.together():
            yield

    def _touch(self, session_id: int, **columns: object) -> None:
        """Set columns of a session and the time of its last change. InputError when there is none."""
        assignments = "".join(f", {column} = ?" for column in columns)
        sql = f"UPDATE sessions SET updated = ?{assignments} WHERE id = ?"
        if not self._execute(sql, now(), *columns.values(), session_id):
            raise self._no_session(session_id)

    def _prompt_id(self, session_id: int, prompt: Prompt) -> int | None:
        """The row of a prompt, None where the session does not have it.

        One whose id was made from its text is the first prompt of that text, whatever it is called.
        """
        row = self._row(
            "SELECT id FROM prompts WHERE session_id = ?1 AND text_hash = ?2 AND (name = ?3 OR ?4) "
            "ORDER BY name <> ?3, position LIMIT 1",
            session_id,
            prompt.hash,
            encode_text(prompt.id),
            not prompt.is_named,
        )
        return None if row is None else int(row["id"])

    def _no_session(self, session_id: int) -> InputError:
        ids = [str(row["id"]) for row in self._rows("SELECT id FROM sessions ORDER BY id DESC LIMIT 12")]
        there = f"the newest are {', '.join(ids)}" if ids else "it holds no sessions yet"
        return InputError(f"There is no session {session_id} in {self.path}; {there}.")


def _text_or_bytes(value: bytes) -> str | bytes:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
