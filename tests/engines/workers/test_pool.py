"""Worker processes: what happens when one dies or cannot begin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.engines.protocol import Embedded, Event, Failed, Loaded, TextDeltas
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve
from alignbench.spec import Model
from tests.support.driving import follow, load, plain_request, results, texts
from tests.support.waiting import LIMIT

pytestmark = pytest.mark.models


@pytest.fixture
def own_pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(threads=2)
    yield pool
    pool.close()


def test_kill_9_while_sampling_is_an_error_and_sampling_again_works(own_pool: WorkerPool) -> None:
    model = resolve("demo-smollm2")
    load(own_pool, model)
    request = plain_request(2, max_tokens=400, stops=())

    def kill(event: Event) -> None:
        if isinstance(event, TextDeltas):
            pid = own_pool.worker_pid(model)
            if pid:
                os.kill(pid, signal.SIGKILL)

    events = follow(own_pool, model, request, kill)
    assert isinstance(events[-1], Failed)
    assert "SIGKILL" in events[-1].message
    assert own_pool.capabilities(model) is None
    assert isinstance(load(own_pool, model), Loaded)
    assert results(follow(own_pool, model, plain_request(1)))


def test_a_request_to_a_model_that_is_not_loaded_fails_at_once(own_pool: WorkerPool) -> None:
    events = follow(own_pool, resolve("demo-smollm2"), plain_request(1))
    assert isinstance(events[-1], Failed)
    assert "not loaded" in events[-1].message


def test_a_file_that_llama_cpp_refuses_is_one_message(own_pool: WorkerPool, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    event = load(own_pool, Model("broken", f"llama:{broken}", "base"))
    assert isinstance(event, Failed)
    assert "broken.gguf" in event.message


def test_one_thread_and_two_give_the_same_texts() -> None:
    model = resolve("demo-base")
    drawn = []
    for threads in (1, 2):
        pool = WorkerPool(threads=threads)
        load(pool, model)
        drawn.append(texts(follow(pool, model, plain_request(3))))
        pool.close()
    assert drawn[0] == drawn[1]


def test_embeddings_come_from_a_worker_of_their_own(own_pool: WorkerPool) -> None:
    import queue

    answers: queue.Queue[Embedded | Failed] = queue.Queue()
    own_pool.embed(("a cat", "a dog"), answers.put)
    answer = answers.get(timeout=LIMIT)
    assert isinstance(answer, Embedded)
    assert answer.vectors.shape == (2, 384)


def test_an_embedder_that_cannot_load_says_why(tmp_path: Path) -> None:
    import queue

    pool = WorkerPool(embedder=tmp_path / "nothing")
    answers: queue.Queue[Embedded | Failed] = queue.Queue()
    pool.embed(("a cat",), answers.put)
    assert isinstance(answers.get(timeout=LIMIT), Failed)
    pool.close()


def test_workers_end_when_their_front_end_is_killed() -> None:
    """No orphan holds the GPU after kill -9 of the app."""
    script = (
        "import time\n"
        "from alignbench.engines.workers.pool import WorkerPool\n"
        "from alignbench.models.catalog import resolve\n"
        "pool = WorkerPool(); model = resolve('demo-smollm2')\n"
        "pool.load(model, lambda event: None)\n"
        "print(pool.worker_pid(model), flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    worker = os.pidfd_open(pid)
    parent.kill()
    parent.wait()
    import select

    ready, _, _ = select.select([worker], [], [], LIMIT)
    assert ready, "the worker outlived its front end"
