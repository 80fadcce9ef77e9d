"""What a worker spends beside decoding: the sampler's share of a step, and the memory it keeps.

    .venv/bin/python benchmarks/worker.py

The sampler draws 16 rows of 262,144 logits at temperature 0.7; the step is a decode of 16 rows of demo-base after a
prompt of 64 tokens, the two alternating in one process, medians. Memory: resident size of a worker process of
demo-smollm2 after 10 and after 200 requests of changing lengths, numbers of samples and contexts, the largest first.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1")

import itertools
import queue
import statistics
import time
from pathlib import Path

import numpy as np

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.local.sampler import Sampler
from alignbench.engines.protocol import Done, Event, Failed, Loaded, SampleRequest
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Sampling

THREADS = len(os.sched_getaffinity(0))
ROWS, STEPS = 16, 30
MAX_GROWTH = 0.05  # of the resident size


def sampler_share() -> tuple[float, float]:
    """Seconds of a draw and of a decode step."""
    engine = LlamaCppEngine(weights_path(resolve("demo-base")), Cancellation(), threads=THREADS)
    ids = engine.tokenize("A list of words: bread, rivers, clocks, maps, wool, chess, tides, salt. " * 3)
    engine.reserve(len(ids), STEPS, ROWS)
    engine.prompt(ids, 0, False, 0)
    slots = range(ROWS)
    for slot in slots:
        engine.fork(slot)
    sampler = Sampler(Sampling(), THREADS)
    uniforms = np.random.default_rng(0).random((STEPS, ROWS))
    tokens = [ids[1]] * ROWS
    steps, draws = [], []
    for row in uniforms:
        start = time.perf_counter()
        logits = engine.step(slots, tokens)
        between = time.perf_counter()
        tokens = [int(token) for token in sampler.draw(list(logits), row.tolist()).ids]
        steps.append(between - start)
        draws.append(time.perf_counter() - between)
    sampler.close()
    engine.close()
    return statistics.median(draws), statistics.median(steps)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, without what it shares with the page cache (the mapped weights)."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


def worker_memory() -> tuple[int, int]:
    """Resident bytes of a worker after 10 and after 200 requests."""
    pool, model = WorkerPool(threads=THREADS), resolve("demo-smollm2")
    events: queue.Queue[Event] = queue.Queue()
    pool.load(model, events.put)
    while not isinstance(event := events.get(timeout=120), Loaded):
        assert not isinstance(event, Failed), event
    pid = pool.worker_pid(model)
    assert pid is not None
    sizes = {}
    kinds = itertools.cycle(
        (repeats, n, mode) for repeats in (90, 1, 40, 8, 20) for n in (12, 1, 5) for mode in ("strict", "fast")
    )
    for i in range(1, 201):
        repeats, n, mode = next(kinds)
        context = "Notes on bread and on rivers. " * repeats
        sampling = Sampling(max_tokens=6)
        request = SampleRequest(pool.new_key(), context, f"Note {i}:", sampling, (), tuple(range(n)), i, i, mode)
        pool.sample(model, request, events.put)
        while not isinstance(event := events.get(timeout=120), Done):
            assert not isinstance(event, Failed), event
        if i in (10, 200):
            sizes[i] = resident_bytes(pid)
    pool.close()
    return sizes[10], sizes[200]


def main() -> int:
    draw, step = sampler_share()
    print("| what | sampler, ms | decode step, ms | share | under |\n|---|---:|---:|---:|---:|")
    print(f"| {ROWS} rows of 262,144 logits | {draw * 1e3:.1f} | {step * 1e3:.1f} | {draw / step:.0%} | 25% |")
    early, late = worker_memory()
    print("\n| what | MiB | MiB later | growth | at most |\n|---|---:|---:|---:|---:|")
    growth = late / early - 1
    row = f"{early / 2**20:.0f} | {late / 2**20:.0f} | {growth:+.1%} | {MAX_GROWTH:.0%}"
    print(f"| worker of demo-smollm2 after 10 and after 200 requests | {row} |")
    return 0 if draw < 0.25 * step and growth <= MAX_GROWTH else 1


if __name__ == "__main__":
    raise SystemExit(main())
