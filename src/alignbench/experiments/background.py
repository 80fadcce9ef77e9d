"""Runs that go on without a terminal: begun in a process of their own, and found again.

Beside the database stand, for each session that was run so, a log of what the command said and a file with the number
of its process. The process holds a lock on the log as long as it lives, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alignbench import paths
from alignbench.errors import InputError

MARK = "ALIGNBENCH_DETACHED"  # in the environment of such a process


@dataclass(frozen=True, slots=True)
class Background:
    """A run of a session."""

    session: int
    log: Path  # what it says
    pid: int | None  # of its process, None where it has ended


def begin(db: Path, session: int, command: Sequence[str]) -> Background:
    """Run a command of a session out of reach of this terminal. InputError where one runs already."""
    log = _log(db, session)
    with log.open("ab") as output:
        try:
            fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(_runs_already(db, session, _pid(log))) from None
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, MARK: "1"},
            start_new_session=True,  # no signal of this terminal reaches it, and neither does its end
        )
    log.with_suffix(".pid").write_text(f"{process.pid}\n")
    return Background(session, log, process.pid)


def find(db: Path, session: int) -> Background | None:
    """The run of a session, whether it goes on or has ended; None where there was none in the background."""
    log = _log(db, session)
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return Background(session, log, _pid(log))
    return Background(session, log, None)


def find_all(db: Path) -> list[Background]:
    """The runs of all sessions of a database, the one that was begun last first."""
    name = re.compile(re.escape(db.name) + r"-run-(\d+)\.log")
    numbers = [int(match[1]) for file in db.parent.iterdir() if (match := name.fullmatch(file.name))]
    runs = [run for number in numbers if (run := find(db, number)) is not None]
    return sorted(runs, key=lambda run: run.log.stat().st_mtime, reverse=True)


def refuse_beside(db: Path, session: int) -> None:
    """InputError where this session is run in the background, and not by this very process."""
    run = find(db, session)
    if run is not None and run.pid is not None and MARK not in os.environ:
        raise InputError(_runs_already(db, session, run.pid))


def commands(db: Path, session: int, pid: int) -> str:
    """How to see and how to end a run, in words."""
    database = [] if db == paths.default_database() else ["--db", str(db)]
    attach = shlex.join(["alignbench", "attach", str(session), *database])
    return f"see it with: {attach}; end it with: kill -INT {pid}"


def _runs_already(db: Path, session: int, pid: int) -> str:
    return f"Session {session} is being run in the background, by process {pid}; {commands(db, session, pid)}"


def _log(db: Path, session: int) -> Path:
    return db.with_name(f"{db.name}-run-{session}.log")


def _pid(log: Path) -> int:
    """0 in the moment before it is written."""
    try:
        return int(log.with_suffix(".pid").read_text())
    except (OSError, ValueError):
        return 0
