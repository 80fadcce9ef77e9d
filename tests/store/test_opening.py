"""Files that cannot be opened, and why: one message, and the file left as it was."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alignbench.errors import StoreError
from alignbench.store import SampleRow, Store, schema
from tests.support.limits import read_only
from tests.support.samples import result


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def refuses(path: Path, message: str) -> None:
    """Opening fails with this message and changes nothing in the folder."""
    before = contents(path.parent)
    with pytest.raises(StoreError, match=message):
        Store.open(path)
    assert contents(path.parent) == before


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b c?#%" / "alignbench.db"
    with Store.open(path) as store:
        store.create_session("x")
    with Store.open(str(path)) as store:
        assert [info.name for info in store.sessions()] == ["x"]


def test_settings_of_a_connection(store: Store) -> None:
    for pragma, expected in (
        ("journal_mode", "wal"),
        ("synchronous", 1),
        ("busy_timeout", 30_000),
        ("foreign_keys", 1),
    ):
        assert store.db.execute(f"PRAGMA {pragma}").fetchone()[0] == expected


def test_every_foreign_key_has_an_index_and_holds(store: Store, cell: int) -> None:
    store.add_sample(cell, result(0, "x"))
    assert store.db.execute("PRAGMA foreign_key_check").fetchall() == []
    for table in store.db.tables:
        indexed = {index.columns[0] for index in table.indexes} | set(table.pks)
        assert {key.column for key in table.foreign_keys} <= indexed, table.name


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    with Store.open(tmp_path / "a.db") as store:
        assert store.sessions() == []


@pytest.mark.parametrize("content", [b"x", b"id,text\n1,hello\n" * 1000, b"\0" * 5000, b"GGUF" + b"\1" * 600])
def test_a_file_that_is_not_sqlite(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.csv"
    path.write_bytes(content)
    refuses(path, r"notes\.csv is not a SQLite database")


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, name TEXT)")
    other.close()
    refuses(path, r"other\.db is a SQLite database of another program")


def test_a_foreign_database_with_a_wal_is_not_even_checkpointed(tmp_path: Path) -> None:
    # A process that ends without closing leaves its WAL behind, and opening it in the ordinary way would empty that.
    path = tmp_path / "other.db"
    script = (
        "import os, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA journal_mode = WAL')\n"
        "db.execute('CREATE TABLE t (x)')\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    assert (tmp_path / "other.db-wal").stat().st_size > 0
    refuses(path, "of another program")


def test_a_file_of_a_newer_schema(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store, store.db.conn:
        store.db.execute("INSERT INTO _migrations (name, applied) VALUES ('0099_future', '2030')")
    refuses(path, r"written by a newer alignbench \(its schema has 0099_future\)")


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Store.open(path).close()
    data = bytearray(path.read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"a\.db is damaged"):
        Store.open(path)


def test_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a file"):
        Store.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Cannot open the session database .*a\.db: (File exists|Not a directory)"):
        Store.open(tmp_path / "file" / "a.db")


def test_a_read_only_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Store.open(path).close()
    with read_only(path):
        refuses(path, r"Cannot write the session database .*a\.db: the file is read-only")


def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    Store.open(folder / "a.db").close()
    with read_only(folder):
        for path in (folder / "a.db", folder / "new.db"):
            refuses(path, r"kept is read-only, and SQLite keeps files beside the database")
        cannot = r"Cannot open the session database .*new/a\.db: (Operation not permitted|Permission denied)"
        with pytest.raises(StoreError, match=cannot):
            Store.open(folder / "new" / "a.db")


def test_a_full_disk_loses_nothing_that_was_stored(store: Store, cell: int) -> None:
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages + 40}")
    stored: list[SampleRow] = []

    def fill() -> None:
        while True:
            stored.append(store.add_sample(cell, result(len(stored), "word " * 1000)))

    with pytest.raises(StoreError, match=r"The disk is full: .* Everything stored before is safe"):
        fill()
    assert len(stored) > 1
    with Store.open(store.path) as reopened:
        assert list(reopened.samples(1)) == stored
        assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        # With room again, the same store goes on.
    store.db.execute("PRAGMA max_page_count = 100000")
    assert store.add_sample(cell, result(len(stored), "next")).status == "done"


def test_a_lock_that_is_never_released_is_said(store: Store, session: int) -> None:
    store.db.execute("PRAGMA busy_timeout = 20")
    with Store.open(store.path) as other:
        other.db.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="was kept locked by another program for 30 seconds"):
            store.add_note(session, "x")
        other.db.execute("ROLLBACK")
    store.add_note(session, "x")


def test_migrations_are_applied_once_in_order_and_together(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        later = (*schema.MIGRATIONS, ("9999_extra", lambda db: db.execute("CREATE TABLE extra (x)")))
        schema.migrate(store.db, later)
        schema.migrate(store.db, later)
        assert schema.applied_migrations(store.db) == {name for name, _ in later}
        assert schema.unknown_migrations(store.db, later) == []
        assert schema.unknown_migrations(store.db) == ["9999_extra"]
