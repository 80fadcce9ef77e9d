"""Reading waits for nobody and needs nothing that can be written."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from alignbench.errors import StoreError
from alignbench.spec import Condition, Prompt
from alignbench.store import Store, schema
from alignbench.store.sqlite import Database
from tests.support.commands import alignbench
from tests.support.limits import largest_file, read_only
from tests.support.samples import ALIGNED, BASE, result

READING = (
    ["sessions", "list"],
    ["sessions", "show", "1"],
    ["sessions", "search", "because"],
    ["sessions", "compare", "1", "2"],
    ["export", "csv", "1"],
    ["export", "jsonl", "1"],
    ["report", "1", "--metrics", "words", "--format", "json"],
    ["score", "--session", "1", "--metrics", "words", "--json"],
    ["hints", "list", "--session", "1"],
)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Two sessions of one text each under two conditions, in a folder of their own."""
    path = tmp_path / "work" / "a.db"
    with Store.open(path) as store:
        for name in ("first", "second"):
            session = store.create_session(name, reference="demo-smollm2")
            for model in (BASE, ALIGNED):
                cell = store.add_cell(session, Prompt("q", "Why?"), Condition.zero_shot(model), 1)
                store.add_sample(cell, result(0, "Because it is so."))
    return path


@contextmanager
def locked(path: Path, how: str = "BEGIN EXCLUSIVE") -> Iterator[None]:
    """Another connection holds the write lock."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(how)
        yield
        other.execute("ROLLBACK")


def read_all(db: Path) -> None:
    for command in READING:
        done = alignbench(*command, "--db", str(db))
        assert (done.returncode, "locked" in done.stderr) == (0, False), (command, done.stderr)


def older(path: Path) -> None:
    """A database of the first release that had sessions, with a session in it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(Database(connection), schema.MIGRATIONS[:7])
        now = "2025-01-01T00:00:00.000+00:00"
        connection.execute("INSERT INTO sessions (name, created, updated) VALUES ('old', ?, ?)", (now, now))


def test_nobody_who_writes_is_waited_for(db: Path) -> None:
    with locked(db):
        read_all(db)
        copy = db.with_name("copy.db")
        assert alignbench("sessions", "backup", str(copy), "--db", str(db)).returncode == 0
        assert [info.name for info in Store.read(copy).sessions()] == ["second", "first"]
        with Store.open(db) as store, Store.read(db) as reader:
            assert len(store.sessions()) == len(reader.sessions()) == 2
            with pytest.raises(StoreError, match="was kept locked by another program for 1 second"):
                reader.rename_session(1, "other")


def test_a_lock_that_keeps_readers_out_is_said(db: Path) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("UPDATE sessions SET name = 'x'")
        done = alignbench("sessions", "list", "--db", str(db))
    assert (done.returncode, done.stderr) == (
        1,
        f"alignbench: {db} was kept locked by another program for 1 second.\n",
    )


def test_a_read_only_file_and_folder(db: Path) -> None:
    for kept in ([db], [db.parent], [db, db.parent]):
        before = sorted(os.listdir(db.parent))
        with read_only(*kept):
            read_all(db)
            with Store.open_or_read(db) as store, pytest.raises(StoreError, match=r"Cannot write .* is read-only"):
                store.rename_session(1, "other")
        assert sorted(os.listdir(db.parent)) == before


def test_vectors_and_log_probs_need_no_place(db: Path) -> None:
    with read_only(db), Store.read(db) as store, pytest.raises(StoreError, match="Cannot write"):
        store.add_embeddings("m", {"k": np.zeros(2, np.float32)}, windows={"k": 1}, mode="mean")


def test_a_disk_without_room(db: Path) -> None:
    with largest_file(0), Store.read(db) as store:
        assert [row.text for row in store.samples(1)] == ["Because it is so."] * 2


def test_an_older_schema(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "old.db"
    path.parent.mkdir()
    older(path)
    before = path.read_bytes()
    with read_only(path, path.parent):
        done = alignbench("sessions", "list", "--json", "--db", str(path))
        assert json.loads(done.stdout)["name"] == "old", done.stderr
        with Store.read(path) as store, pytest.raises(StoreError, match="Cannot write"):
            store.rename_session(1, "other")
    with locked(path, "BEGIN IMMEDIATE"), Store.read(path) as store:
        assert [info.name for info in store.sessions()] == ["old"]
    assert path.read_bytes() == before
    with Store.read(path) as store:
        assert not schema.pending_migrations(store.db)
        store.rename_session(1, "other")
    assert [info.name for info in Store.read(path).sessions()] == ["other"]


def test_a_newer_schema_is_one_message(db: Path) -> None:
    with Store.open(db) as store, store.db.conn:
        store.db.execute("INSERT INTO _migrations (name, applied) VALUES ('0099_future', '2030')")
    with locked(db):
        done = alignbench("sessions", "list", "--db", str(db))
    assert done.returncode == 1
    assert "written by a newer alignbench (its schema has 0099_future)" in done.stderr


def test_changes_that_were_never_merged(db: Path) -> None:
    # A process that is killed leaves its WAL; what lies in it is read, or it is said that it cannot be.
    script = (
        "import os, sys\nfrom alignbench.store import Store\n"
        "store = Store.open(sys.argv[1])\nstore.rename_session(1, 'renamed')\nos._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(db)], check=True)
    with read_only(db, db.parent):
        assert "renamed" in alignbench("sessions", "list", "--db", str(db)).stdout
    db.with_name("a.db-shm").unlink()
    with read_only(db, db.parent):
        done = alignbench("sessions", "list", "--db", str(db))
    assert done.returncode == 1
    assert "lie in a.db-wal still and cannot be read here" in done.stderr
    assert "Copy both files" in done.stderr
    assert "renamed" in alignbench("sessions", "list", "--db", str(db)).stdout


def test_how_a_backup_is_restored_is_said(db: Path) -> None:
    data = bytearray(db.read_bytes())
    data[5000:] = b"\xff" * (len(data) - 5000)
    db.write_bytes(data)
    for done in (alignbench("sessions", "list", "--db", str(db)), alignbench("export", "csv", "1", "--db", str(db))):
        assert (done.returncode, done.stdout) == (1, "")
        assert "a.db is damaged" in done.stderr
        assert "move a.db, a.db-wal and a.db-shm away" in done.stderr
