"""Work in the background: jobs, their cache, and the thread that does the latest of them."""

from __future__ import annotations

import threading

from alignbench.errors import EngineError
from alignbench.progress import PERCENT, Progress
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.job_cache import JobCache
from alignbench.tui.workbench.latest_thread import LatestThread
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

    def start(job: BackgroundJob[int]) -> None:
        threads.append(threading.Thread(target=job.run))
        threads[0].start()

    threads: list[threading.Thread] = []
    job = BackgroundJob(work, lambda: None, start)
    assert reached.wait(LIMIT)
    job.cancel()
    assert not job.running
    go.set()
    threads[0].join(LIMIT)
    assert (job.result, job.error, after) == (None, "", [])


def test_of_what_waits_only_the_latest_is_done() -> None:
    changed, ended = threading.Event(), threading.Event()
    thread = LatestThread(ended.set)
    jobs = JobCache(changed.set, thread.start, keep=8)
    began, go = threading.Event(), threading.Event()

    def slow(_: Progress) -> str:
        began.set()
        go.wait(LIMIT)
        return "slow"

    try:
        assert jobs.ask("slow", slow).running
        assert began.wait(LIMIT)
        assert jobs.ask("dropped", lambda _: "dropped").running
        assert jobs.ask("last", lambda _: "last").running
        go.set()
        wait_until(lambda: jobs.ask("last", lambda _: "last").result == "last")
        assert jobs.ask("slow", slow).result == "slow", "what was begun is kept"
        assert changed.is_set()
        wait_until(lambda: "ZeroDivisionError" in jobs.ask("broken", lambda _: 1 / 0).error)
        assert jobs.ask("dropped", lambda _: "dropped").result is None, "what was not begun was dropped"
    finally:
        thread.close()
    assert ended.wait(LIMIT)


def test_a_job_of_the_cache_is_begun_once_until_it_is_forgotten() -> None:
    jobs, runs = JobCache(lambda: None, keep=2), []

    def work(_: Progress) -> int:
        runs.append(1)
        return len(runs)

    first = jobs.ask("a", work)
    wait_until(lambda: first.result == 1)
    assert jobs.ask("a", work) is first
    jobs.forget(first)
    wait_until(lambda: jobs.ask("a", work).result == 2)
    for key in "bcd":
        wait_until(lambda key=key: jobs.ask(key, work).result)
    assert set(jobs.results()) == {"b", "c", "d"}, "two that are over, and the one that began after them"
