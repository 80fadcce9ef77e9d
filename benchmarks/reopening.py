"""A session of 200 cells x 10 samples taken up again: how soon the prompt on the screen has its scores.

    python benchmarks/reopening.py

20 prompts x 10 conditions, responses of 480 words whose embeddings the database keeps, as it does once a session has
been open. The prompt on the screen is the last one. From `Workbench.open` to the last score of that prompt, and to
those of all prompts.
Prints rows of the table in benchmarks/README.md; ends with 1 where the target is missed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _score_texts import texts

from alignbench.engines.embedder import DEFAULT_EMBEDDER, WINDOW_MODE
from alignbench.engines.workers.pool import WorkerPool
from alignbench.spec import Condition, Model, Prompt, content_hash, default_context
from alignbench.store import Store
from alignbench.tui.workbench import persistence
from alignbench.tui.workbench.comparison_values import ScoreTable
from alignbench.tui.workbench.controller import Workbench

PROMPTS, CONDITIONS, SAMPLES = 20, 10, 10
DIMENSIONS = 384
TARGET_SECONDS = 2.0
ROUNDS = 3


def fill(path: Path) -> int:
    """A session with all its samples and their embeddings; its number."""
    written = iter(texts(PROMPTS * CONDITIONS * SAMPLES, seed=3))
    model = Model("demo-base", "demo-base", "base")
    conditions = [Condition(f"c{i}", model, default_context(model), seed=1000 * i) for i in range(CONDITIONS)]
    rng = np.random.default_rng(0)
    with Store.open(path) as store:
        session = store.create_session("benchmark", reference="c0")
        vectors = {}
        for p in range(PROMPTS):
            for condition in conditions:
                cell = store.add_cell(session, Prompt(f"p{p}", f"Question {p}?"), condition, SAMPLES)
                for sample in range(SAMPLES):
                    text = next(written)
                    store.add_text(cell, sample, text, raw_text=text, finish_reason="stop")
                    vector = rng.normal(size=DIMENSIONS)
                    vectors[content_hash(text)] = (vector / np.linalg.norm(vector)).astype(np.float32)
        bench, _ = persistence.restore(store, session)
        bench.prompt = bench.asked[-1]
        persistence.save(store, session, persistence.layout(bench), "c0", ())
        store.add_embeddings(DEFAULT_EMBEDDER, vectors, windows=dict.fromkeys(vectors, 3), mode=WINDOW_MODE)
    return session


def complete(table: ScoreTable) -> bool:
    """Every score of the prompt has a value."""
    within = [score for row in (table.within or {}).values() for score in row]
    cross = [score for row in (table.cross or {}).values() for score in (*row.scores, row.ceiling) if score]
    return bool(within) and bool(cross) and all(score.value is not None for score in (*within, *cross))


async def reopened(path: Path, session: int) -> tuple[float, float]:
    """Seconds until the prompt on the screen has its scores, and until the last prompt has."""
    moved = asyncio.Event()
    loop = asyncio.get_running_loop()
    bench = Workbench(path, WorkerPool(threads=1), None, lambda: loop.call_soon_threadsafe(moved.set))
    began = time.perf_counter()
    opening = asyncio.ensure_future(bench.open(session))
    first = last = 0.0
    while not last:
        with contextlib.suppress(TimeoutError):  # the last event may come before the opening is over
            await asyncio.wait_for(moved.wait(), 0.05)
        moved.clear()
        if bench.bench.session != session:
            continue
        if not first and complete(bench.scores()):
            first = time.perf_counter() - began
        if first and opening.done():
            bench.bench.prompt = bench.bench.asked[-2]
            if complete(bench.scores()):
                last = time.perf_counter() - began
    await opening
    await bench.close()
    return first, last


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sessions.db"
        session = fill(path)
        rounds = [asyncio.run(reopened(path, session)) for _ in range(ROUNDS)]
    first, last = (min(times) for times in zip(*rounds, strict=True))
    print(f"| what, a session of {PROMPTS * CONDITIONS} cells x {SAMPLES} samples | seconds | at most |")
    print("|---|---:|---:|")
    print(f"| from opening it to all scores of the prompt on the screen | {first:.2f} | {TARGET_SECONDS:.0f} |")
    print(f"| to those of every prompt | {last:.2f} | |")
    return int(first > TARGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
