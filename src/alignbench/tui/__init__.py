"""The terminal app."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from alignbench.errors import InputError
from alignbench.tui.terminal import in_browser

if TYPE_CHECKING:
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.judging.labels import LabelPlan
    from alignbench.tui.start import AppStart


def _check_terminal() -> None:
    if in_browser():
        return
    for name, number in (("stdin", 0), ("stderr", 2)):  # the app reads keys from the one and draws on the other
        if not os.isatty(number):
            raise InputError(f"The app needs a terminal, and {name} is none; `alignbench --help` names the commands.")
    if os.environ.get("TERM") == "dumb":
        raise InputError("The app needs a terminal that it can draw on, and TERM is dumb.")


class _LatePool:
    """A `WorkerPool` that is made when it is first used: the first paint does not wait for what it imports."""

    def __init__(self) -> None:
        self._pool: WorkerPool | None = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._pool is None:
                from alignbench.engines.workers.pool import WorkerPool

                self._pool = WorkerPool()
        return getattr(self._pool, name)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


def run_app(
    db: Path, session: int | None = None, labels: LabelPlan | None = None, start: AppStart | None = None
) -> None:
    """Open the app on a session database; it returns when the user leaves.

    InputError where there is no terminal to draw it on, or config.toml says what cannot be.

    Args:
        db: The session database.
        session: One to reopen.
        labels: Pairs to label first of all.
        start: What it opens on; what config.toml says by default.
    """
    if start is None:
        from alignbench.tui.start import app_start

        start = app_start(db)
    _check_terminal()
    from alignbench.heap import share_heap
    from alignbench.tui.app import BenchApp

    share_heap()
    for number in (signal.SIGTERM, signal.SIGHUP):  # what matters is stored; the workers end with this process
        signal.signal(number, signal.SIG_DFL)
    pool = _LatePool()
    workers = cast("WorkerPool", pool)
    try:
        BenchApp(db, workers, workers, session, labels=labels, start=start).run()
    finally:
        pool.close()
