"""Work in the background: jobs, and the worker that computes what a view asks for."""

from __future__ import annotations

import threading
from pathlib import Path

from alignbench.errors import EngineError
from alignbench.progress import PERCENT, Progress
from alignbench.tui.background_job import BackgroundJob
from alignbench.tui.scores.model_metrics import Backends
from alignbench.tui.scores.worker import PanelWorker
from tests.support.fakes import FakePool
from tests.support.waiting import LIMIT, wait_until


def test_a_job_reports_and_ends_in_a_result() -> None:
    changed, go = threading.Semaphore(0), threading.Event()

    def work(progress: Progress) -> int:
        progress("counting", 1, 2)
        go.wait(LIMIT)
        return 7

    job = BackgroundJob(work, changed.release)
    assert changed.acquire(timeout=LIMIT)
    assert (job.doing, job.fraction, job.running) == ("counting 1/2", 0.5, True)
    go.set()
    assert changed.acquire(timeout=LIMIT)
    assert (job.result, job.error, job.running) == (7, "", False)


def test_a_job_that_fails_says_why() -> None:
    def refuse(_: Progress) -> int:
        raise EngineError("The model is gone.")

    def break_down(_: Progress) -> int:
        raise KeyError("x")

    refused, broken = BackgroundJob(refuse, lambda: None), BackgroundJob(break_down, lambda: None)
    wait_until(lambda: not refused.running and not broken.running)
    assert (refused.error, broken.error) == ("The model is gone.", "KeyError: 'x'")


def test_a_job_that_is_given_up_ends_at_its_next_report() -> None:
    reached, go, after = threading.Event(), threading.Event(), []

    def work(progress: Progress) -> int:
        reached.set()
        go.wait(LIMIT)
        progress("going on", 50, PERCENT)
        after.append(1)
        return 1

    job = BackgroundJob(work, lambda: None)
    assert reached.wait(LIMIT)
    job.cancel()
    assert not job.running
    go.set()
    job._thread.join(LIMIT)
    assert (job.result, job.error, after) == (None, "", [])


def test_the_panel_worker_does_what_was_asked_last(tmp_path: Path) -> None:
    changed = threading.Event()
    worker = PanelWorker(Backends(tmp_path / "none.db", FakePool(), None), changed.set)  # type: ignore[arg-type]
    began, go = threading.Event(), threading.Event()

    def slow(_: object) -> str:
        began.set()
        go.wait(LIMIT)
        return "slow"

    try:
        assert worker.ask("slow", slow) is None
        assert began.wait(LIMIT)
        assert worker.ask("dropped", lambda _: "dropped") is None
        assert worker.ask("last", lambda _: "last") is None
        go.set()
        wait_until(lambda: worker.ask("last", lambda _: "last") == "last")
        assert worker.ask("slow", slow) == "slow", "what was begun is kept"
        assert changed.is_set()
        wait_until(lambda: isinstance(worker.ask("broken", lambda _: 1 / 0), ZeroDivisionError))
        assert worker.ask("dropped", lambda _: "dropped") is None, "what was not begun was dropped"
    finally:
        worker.close()
