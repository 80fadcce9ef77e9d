"""Workers that do not react: who asked is answered all the same, and no process is left behind."""

from __future__ import annotations

import os
import queue
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alignbench import paths
from alignbench.child_process import is_stopped
from alignbench.engines.protocol import (
    LOAD,
    Embedded,
    Event,
    Failed,
    Loaded,
    Loading,
    SampleRequest,
    TextDeltas,
    Tokenized,
)
from alignbench.engines.workers import child, process
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve
from alignbench.spec import Model
from tests.support.driving import follow, load, plain_request
from tests.support.waiting import LIMIT, wait_until

pytestmark = pytest.mark.models

MODEL, BASE = resolve("demo-smollm2"), resolve("demo-base")


@pytest.fixture
def own_pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(threads=2)
    yield pool
    pool.close()


@pytest.fixture
def tuned() -> Model:
    return resolve("demo-aligned")


def stop(pool: WorkerPool, model: Model = MODEL) -> int:
    pid = pool.worker_pid(model)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: is_stopped(pid))
    return pid


def last(events: queue.SimpleQueue[Event]) -> Event:
    """The one that ends a request for loading."""
    while isinstance(event := events.get(timeout=LIMIT), Loading):
        pass
    return event


def adapters_read() -> int:
    """How often workers have read one, by their logs."""
    logs = (log.read_text(errors="replace") for log in paths.log_dir().glob("*.log"))
    return sum(log.count("loading lora adapter from") for log in logs)


def has_ended(pid: int) -> bool:
    """Gone, or left to be reaped by a process that is none of ours."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def is_gone(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}")


def test_a_stopped_worker_is_ended_by_a_cancellation_and_the_next_load_starts_another(own_pool: WorkerPool) -> None:
    load(own_pool, MODEL)
    request = plain_request(2, max_tokens=4000, stops=())
    pids: list[int] = []

    def stop_it(event: Event) -> None:
        if isinstance(event, TextDeltas) and not pids:
            pids.append(stop(own_pool))
            # More than a pipe holds: who sends does not wait for who does not read.
            for _ in range(3):
                own_pool.tokenize(MODEL, ["word " * 200_000], lambda _: None)
                own_pool.cancel(MODEL, own_pool.new_key())
            own_pool.cancel(MODEL, request.key)

    events = follow(own_pool, MODEL, request, stop_it)
    assert isinstance(events[-1], Failed)
    own_pool.unload(MODEL)
    wait_until(lambda: is_gone(pids[0]))
    assert isinstance(load(own_pool, MODEL), Loaded)


def test_only_a_worker_of_whom_nobody_wants_anything_is_ended(own_pool: WorkerPool) -> None:
    load(own_pool, MODEL)
    wanted, other = (plain_request(1, max_tokens=2000, stops=()) for _ in range(2))
    other = SampleRequest(**{**{name: getattr(other, name) for name in other.__slots__}, "key": own_pool.new_key()})
    answers: queue.SimpleQueue[Event] = queue.SimpleQueue()
    pid = stop(own_pool)
    own_pool.sample(MODEL, wanted, lambda _: None)
    own_pool.sample(MODEL, other, answers.put)
    own_pool.cancel(MODEL, other.key)
    answer = answers.get(timeout=LIMIT)
    assert isinstance(answer, Failed)
    assert "busy with something else" in answer.message
    assert not is_gone(pid)
    own_pool.cancel(MODEL, wanted.key)
    wait_until(lambda: is_gone(pid))


def test_a_worker_that_hangs_while_it_loads_is_ended_and_says_so(own_pool: WorkerPool) -> None:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    own_pool.load(MODEL, events.put)
    pid = stop(own_pool)
    own_pool.cancel(MODEL, LOAD)
    own_pool.load(MODEL, lambda _: None)  # it is wanted again
    own_pool.cancel(MODEL, LOAD)
    while not isinstance(event := events.get(timeout=LIMIT), Failed):
        pass
    assert "did not stop within" in event.message
    wait_until(lambda: is_gone(pid))


def test_a_worker_that_hangs_while_it_reads_an_adapter_is_ended_and_says_so(own_pool: WorkerPool, tuned: Model) -> None:
    load(own_pool, BASE)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    pid = stop(own_pool, BASE)
    own_pool.load(tuned, events.put)
    own_pool.cancel(tuned, LOAD)
    event = last(events)
    assert isinstance(event, Failed)
    assert event.key == LOAD
    assert "did not stop within" in event.message
    wait_until(lambda: is_gone(pid))
    assert isinstance(load(own_pool, tuned), Loaded)


def test_a_worker_that_hangs_before_it_reads_an_adapter_is_ended_too(own_pool: WorkerPool, tuned: Model) -> None:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    own_pool.load(tuned, events.put)
    pid = stop(own_pool, tuned)
    own_pool.cancel(tuned, LOAD)
    event = last(events)
    assert isinstance(event, Failed)
    assert "did not stop within" in event.message
    wait_until(lambda: is_gone(pid))


def test_an_adapter_that_is_not_wanted_any_more_is_not_read(own_pool: WorkerPool, tuned: Model) -> None:
    load(own_pool, BASE)
    request, events = plain_request(1, max_tokens=2000, stops=()), queue.SimpleQueue[Event]()

    def meanwhile(event: Event) -> None:
        if isinstance(event, TextDeltas) and events.empty():
            own_pool.load(tuned, events.put)
            own_pool.cancel(tuned, LOAD)
            own_pool.cancel(BASE, request.key)

    follow(own_pool, BASE, request, meanwhile)
    event = last(events)
    assert isinstance(event, Failed)
    assert "cancelled" in event.message
    assert isinstance(load(own_pool, BASE), Loaded)
    assert adapters_read() == 0


def test_who_wants_the_base_does_not_lose_it_with_the_adapter(own_pool: WorkerPool, tuned: Model) -> None:
    """Neither while the weights are loaded nor when they are there."""
    base: queue.SimpleQueue[Event] = queue.SimpleQueue()
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    own_pool.load(BASE, base.put)
    own_pool.load(tuned, events.put)
    pid = stop(own_pool, BASE)
    own_pool.cancel(tuned, LOAD)
    assert isinstance(last(events), Failed)
    os.kill(pid, signal.SIGCONT)
    assert isinstance(last(base), Loaded)
    stop(own_pool, BASE)
    own_pool.tokenize(BASE, ["tea"], base.put)
    own_pool.load(tuned, events.put)
    own_pool.cancel(tuned, LOAD)
    event = last(events)
    assert isinstance(event, Failed)
    assert "busy with something else" in event.message
    os.kill(pid, signal.SIGCONT)
    assert isinstance(base.get(timeout=LIMIT), Tokenized)


def test_an_adapter_that_is_wanted_again_is_loaded(own_pool: WorkerPool, tuned: Model) -> None:
    load(own_pool, BASE)
    first, again = queue.SimpleQueue[Event](), queue.SimpleQueue[Event]()
    pid = stop(own_pool, BASE)
    own_pool.load(tuned, first.put)
    own_pool.cancel(tuned, LOAD)
    own_pool.load(tuned, again.put)
    last(first)
    os.kill(pid, signal.SIGCONT)
    assert isinstance(last(again), Loaded)
    assert own_pool.worker_pid(tuned) == pid


def test_what_is_asked_for_at_the_moment_it_is_loaded_is_answered(own_pool: WorkerPool, tuned: Model) -> None:
    """Of the weights and of an adapter."""
    answers: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def again(event: Event) -> None:
        if not isinstance(event, Loading):
            answers.put(event)
            own_pool.load(tuned, answers.put)
            own_pool.load(BASE, answers.put)

    own_pool.load(BASE, again)
    own_pool.load(tuned, again)
    for _ in range(6):
        assert isinstance(last(answers), Loaded)
    own_pool.cancel(tuned, LOAD)  # too late: there is nothing to end
    assert own_pool.capabilities(tuned) is not None
    assert adapters_read() == 1


def test_a_worker_that_stays_stopped_is_ended_unasked(own_pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOPPED", 0.5)
    answers: queue.SimpleQueue[Embedded | Failed] = queue.SimpleQueue()
    own_pool.embed(("a cat",), answers.put)
    worker: Any = own_pool._embedder
    os.kill(worker.pid, signal.SIGSTOP)
    answer = answers.get(timeout=LIMIT)
    assert isinstance(answer, Failed)
    assert "was stopped (SIGSTOP)" in answer.message
    wait_until(lambda: is_gone(worker.pid))


def test_the_end_of_a_worker_is_seen_though_its_child_holds_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_MAIN", "tests.support.forking_worker")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # this folder, which a worker does not look into
    received: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    child.Child("forking", None, received=received.put, look=lambda: None, ended=ended.put)
    grandchild = received.get(timeout=LIMIT)
    assert ended.get(timeout=LIMIT) == 3
    wait_until(lambda: has_ended(grandchild))


def test_an_answer_that_cannot_be_taken_stops_no_other(own_pool: WorkerPool, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Event) -> None:
        raise RuntimeError("nobody is there")

    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    own_pool.load(MODEL, broken)
    own_pool.tokenize(MODEL, ["tea"], events.put)
    assert events.get(timeout=LIMIT).key
    assert "An answer of demo-smollm2 was lost" in caplog.text
