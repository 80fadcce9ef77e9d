"""One more sample beside 100 scored ones, embeddings aside: `python benchmarks/scores.py`.

Prints a row of the table in benchmarks/README.md: what was measured, the median time, the target. The texts are
480 words drawn from a vocabulary with Zipf's frequencies, so that sets overlap as those of real responses do.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from alignbench.metrics.running_cell import CellPair, CellScores

N_SCORED = 100
N_WORDS = 480
REPEATS = 30
TARGET_MS = 5.0


def texts(n: int, seed: int) -> list[str]:
    """n texts of N_WORDS words, a sentence every twelve."""
    rng = np.random.default_rng(seed)
    ranks = np.arange(1, 20_001)
    drawn = rng.choice(ranks, size=(n, N_WORDS), p=(1 / ranks) / (1 / ranks).sum())
    return [" ".join(f"word{w}." if i % 12 == 11 else f"word{w}" for i, w in enumerate(row)) for row in drawn]


def cell(responses: list[str]) -> CellScores:
    scores = CellScores()
    for i, text in enumerate(responses):
        scores.add(i, text)
    return scores


def add_one() -> float:
    """Median milliseconds to add a sample to a cell of N_SCORED beside a reference of N_SCORED, and read all scores."""
    reference = cell(texts(N_SCORED, seed=0))
    scored = cell(texts(N_SCORED, seed=1))
    pair = CellPair(reference, scored)
    pair.cross()
    times = []
    for i, text in enumerate(texts(REPEATS, seed=2)):
        start = time.perf_counter()
        scored.add(N_SCORED + i, text)
        scored.within()
        pair.cross()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    print(
        f"| one more sample of {N_WORDS} words beside {N_SCORED} scored ones, within and against the reference, "
        f"embeddings aside | {add_one():.2f} ms | under {TARGET_MS:.0f} ms |"
    )
