"""Several processes and threads on one file, and a writer that is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alignbench.spec import Condition, Prompt
from alignbench.store import Store, schema
from tests.support.samples import BASE, done_samples
from tests.support.waiting import LIMIT

ROOT = Path(__file__).parents[2]


def writer(store: Store, cell: int, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.worker", str(store.path), *map(str, (cell, first, count))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_write_to_one_file(store: Store, session: int, cell: int) -> None:
    # Half of what they write is the same: 100..199 is stored by one of them, and stays.
    writers = [writer(store, cell, first, 200) for first in (0, 100)]
    for process in writers:
        output, errors = process.communicate(timeout=LIMIT)
        assert (process.returncode, errors) == (0, "")
        assert len(output.split()) == 200
    rows = list(store.samples(session))
    assert [row.sample for row in rows] == list(range(300))
    assert all(row.text == f"sample {row.sample}" for row in rows)
    assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@pytest.mark.slow
def test_two_writers_lose_nothing_and_write_nothing_twice(store: Store, session: int) -> None:
    cells = [store.add_cell(session, Prompt(f"q{i}", f"{i}?"), Condition.zero_shot(BASE), 2000) for i in range(2)]
    writers = [writer(store, cell, 0, 2000) for cell in cells]
    for process in writers:
        output, errors = process.communicate(timeout=LIMIT)
        assert (process.returncode, errors) == (0, "")
        assert len(output.split()) == 2000
    assert [(row.cell_id, row.sample) for row in store.samples(session)] == [(c, i) for c in cells for i in range(2000)]
    assert store.session(session).n_samples == 4000


def test_a_backup_is_whole_while_another_process_writes(store: Store, cell: int, tmp_path: Path) -> None:
    process = writer(store, cell, 0, 100_000)
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(20)]
    store.backup(tmp_path / "copy.db")
    process.kill()
    process.communicate()
    with Store.open(tmp_path / "copy.db") as copy:
        there = done_samples(copy, cell)
        assert set(said) <= there == set(range(len(there)))
        assert len(copy.search("sample", 1_000_000)) == len(there) == copy.session(1).n_samples
        assert copy.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_killed_writer_loses_nothing_that_it_had_stored(store: Store, session: int, cell: int) -> None:
    store.close()
    process = writer(store, cell, 0, 100_000)
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(50)]
    process.kill()
    said += map(int, process.stdout.read().split())
    process.communicate()
    with Store.open(store.path) as reopened:
        done = done_samples(reopened, cell)
        assert set(said) <= done
        assert len(done) - len(said) <= 1  # one may be stored and not said yet
        assert all(row.text == f"sample {row.sample}" for row in reopened.samples(session))
        assert reopened.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_many_may_make_the_file_at_the_same_time(tmp_path: Path) -> None:
    path, together = tmp_path / "runs" / "a.db", threading.Barrier(8)

    def begin(i: int) -> int:
        together.wait()
        with Store.open(path) as store:
            return store.create_session(str(i))

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(begin, range(8)))
    with Store.open(path) as store:
        assert sorted(ids) == sorted(info.id for info in store.sessions()) == list(range(1, 9))
        assert store.db["_migrations"].count == len(schema.MIGRATIONS)


def test_threads_that_add_the_same_cell_get_the_same_row(store: Store, session: int) -> None:
    together = threading.Barrier(4)

    def add(n: int) -> int:
        with Store.open(store.path) as own:
            together.wait()
            return own.add_cell(session, Prompt("q", "?"), Condition.zero_shot(BASE), n)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(add, range(1, 5)))) == 1
    assert [cell.n for cell in store.cells(session)] == [4]


def test_opening_a_second_store_keeps_the_locks_of_the_first(store: Store, session: int) -> None:
    # POSIX drops all locks of a process on a file when it closes any descriptor of it: nothing may open it past SQLite.
    Store.open(store.path).close()
    store.session(session)
    script = (
        "import fcntl, sys\n"
        "with open(sys.argv[1], 'r+b') as file:\n"
        "    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)\n"  # SQLite's shared range
    )
    done = subprocess.run([sys.executable, "-c", script, str(store.path)], capture_output=True, text=True, check=False)
    assert "BlockingIOError" in done.stderr


def test_a_session_that_another_process_deletes_is_said(store: Store, session: int, cell: int) -> None:
    with Store.open(store.path) as other:
        other.delete_session(session)
    process = writer(store, cell, 0, 1)
    assert "was the session deleted meanwhile" in process.communicate(timeout=LIMIT)[1]
