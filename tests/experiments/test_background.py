"""Runs in the background, with other commands in the place of a run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.experiments.background import MARK, Background, begin, find, find_all, refuse_beside
from tests.support.waiting import wait_until

SAY_AND_WAIT = "import signal; print('here', flush=True); signal.pause()"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "a [b].db"


@pytest.fixture
def waiting(db: Path) -> Iterator[Background]:
    """Session 3 of the database is run by a process that waits to be killed."""
    run = begin(db, 3, [sys.executable, "-c", SAY_AND_WAIT])
    assert run.pid is not None
    yield run
    with suppress(ProcessLookupError):
        os.kill(run.pid, signal.SIGKILL)


def test_a_run_is_found_while_it_goes_on_and_after_its_end(db: Path, waiting: Background) -> None:
    assert find(db, 3) == waiting
    assert find_all(db) == [waiting]
    assert find(db, 4) is None
    assert os.getsid(waiting.pid or 0) == waiting.pid  # a line that drops is none of its business
    os.kill(waiting.pid or 0, signal.SIGKILL)
    wait_until(lambda: find(db, 3) == Background(3, waiting.log, None))
    begun = begin(db, 3, [sys.executable, "-c", "print('again')"])
    wait_until(lambda: find(db, 3) != begun)
    assert waiting.log.read_text().endswith("again\n")


def test_a_session_is_run_once_at_a_time(db: Path, waiting: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = rf"Session 3 is being run in the background, by process {waiting.pid}; see it with: .*attach 3 --db"
    with pytest.raises(InputError, match=expected):
        begin(db, 3, [sys.executable, "-c", ""])
    with pytest.raises(InputError, match=expected):
        refuse_beside(db, 3)
    refuse_beside(db, 4)
    monkeypatch.setenv(MARK, "1")
    refuse_beside(db, 3)  # that run itself
