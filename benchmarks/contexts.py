"""Selecting examples from a large pool, and the preview of a long context: `python benchmarks/contexts.py`.

Prints rows of the table in benchmarks/README.md and ends with 1 where a target is missed. The preview runs on the
embedded base model, in its worker process: an example is edited, the prompt is rendered again and its tokens counted.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from alignbench.contexts.neighbours import NeighbourIndex
from alignbench.engines.asking import loaded, tokenized
from alignbench.engines.pool import WorkerPool
from alignbench.experiments.trial import trial_preparer
from alignbench.models import resolve
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Prompt

POOL, DIMENSIONS, K = 100_000, 384, 5
CONTEXT_TOKENS = 4000
RUNS = 30
TARGET_MS = 50.0
PROMPT = Prompt.typed("Why do people keep diaries?")
WORDS = Path(__file__).read_text(encoding="utf-8").split()


def median_ms(step: Callable[[int], object]) -> tuple[float, float]:
    """Milliseconds of RUNS calls, after one that does not count: the median, and the mean of this process's own time.

    The two part where other work runs on the machine. Each call is told its number.
    """
    step(0)
    times = []
    begun = time.process_time()
    for i in range(1, RUNS + 1):
        start = time.perf_counter()
        step(i)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times), 1000 * (time.process_time() - begun) / RUNS


def neighbours() -> tuple[tuple[float, float], tuple[float, float]]:
    """Times of a search in an index that is there, and of sorting the whole pool by cosine."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(POOL, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = NeighbourIndex(vectors)
    queries = vectors[rng.integers(0, POOL, RUNS + 1)]

    def search(i: int) -> list[int]:
        near = index.nearest(queries[i])
        return [next(near)[0] for _ in range(K)]

    def brute_force(i: int) -> list[int]:
        order: list[int] = np.argsort(-(vectors @ queries[i]), kind="stable")[:K].tolist()
        return order

    assert search(1) == brute_force(1)
    return median_ms(search), median_ms(brute_force)


def example(i: int, n_words: int = 150) -> Example:
    start = (i * 37) % len(WORDS)
    return Example(f"Question number {i}?", " ".join((WORDS * 3)[start : start + n_words]))


def preview() -> tuple[tuple[float, float], tuple[float, float], int]:
    """Times of a preview after an edit, of the tokenizer alone, and how many tokens the context has."""
    model = resolve("demo-base")
    pool = WorkerPool()
    try:
        loaded(pool, model)
        with trial_preparer(pool, None, None) as preparer:

            def shown(items: list[Example]) -> int:
                context = Context("plain", examples=Examples(ExampleSet(tuple(items))))
                found = preparer.compose(PROMPT, Condition("bench", model, context)).preview
                assert found is not None
                texts.append(found.text)
                return found.n_tokens

            texts: list[str] = []
            items = [example(0)]
            while (n := shown(items)) < CONTEXT_TOKENS:
                items.append(example(len(items)))
            whole = median_ms(lambda i: shown([*items[:-1], example(len(items), 150 + i)]))
            alone = median_ms(lambda i: tokenized(pool, model, [texts[-1 - i]]))
    finally:
        pool.close()
    return whole, alone, n


def main() -> int:
    search, brute = neighbours()
    shown, tokenizer, n = preview()
    print("| what | ms | own time | measured against | at most |\n|---|---:|---:|---|---:|")
    print(
        f"| {K} nearest of {POOL:,} x {DIMENSIONS} vectors, index there | {search[0]:.0f} | {search[1]:.0f} | "
        f"sorting all of them: {brute[0]:.0f}, {brute[1]:.0f} | {TARGET_MS:.0f} |"
    )
    print(
        f"| preview after an edit of a context of {n} tokens, tokens counted | {shown[0]:.0f} | {shown[1]:.0f} | "
        f"asking for the tokens alone: {tokenizer[0]:.0f}, {tokenizer[1]:.0f} | {TARGET_MS:.0f} |"
    )
    return int(max(search[0], shown[0]) > TARGET_MS)


if __name__ == "__main__":
    sys.exit(main())
