"""The terminal app."""

from __future__ import annotations

from pathlib import Path


def run_app(db: Path, session: int | None = None) -> None:
    """Open the app on a session database; it returns when the user leaves."""
    from alignbench.engines.pool import WorkerPool
    from alignbench.tui.app import BenchApp

    pool = WorkerPool()
    try:
        BenchApp(db, pool, pool, session).run()
    finally:
        pool.close()
