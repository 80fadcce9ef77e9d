"""What every part of the store does: ask and write, with SQLite's errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alignbench.errors import InputError, StoreError
from alignbench.spec import Prompt
from alignbench.store.connection import BUSY_SECONDS, file_identity, plain_errors, transaction
from alignbench.store.encoding import encode_text, now
from alignbench.store.sqlite import Database


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
        self.damage: list[str] = []
        self._absolute = path.absolute()
        self._identity = file_identity(path)

    def _rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        with plain_errors(self.path, self._patience):
            return list(self.db.query(sql, parameters))

    def _tuples(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows without the names of their columns, where there are very many."""
        with plain_errors(self.path, self._patience):
            return self.db.conn.execute(sql, parameters).fetchall()

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
