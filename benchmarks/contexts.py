"""Selecting examples from a large pool, previewing a long context, prefilling it once: `python benchmarks/contexts.py`.

Prints rows of the table in benchmarks/README.md and ends with 1 where a target is missed. The preview runs on the
embedded base model, in its worker process: an example is edited, the prompt is rendered again and its tokens counted.
"""

from __future__ import annotations

import queue
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from alignbench.contexts.neighbours import NeighbourIndex
from alignbench.contexts.rendering import render
from alignbench.engines.blocking import loaded, tokenized
from alignbench.engines.protocol import Done, Event, Failed, SampleRequest, Started
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.scratch_preparer import trial_preparer
from alignbench.models.catalog import resolve
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Prompt, Sampling

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


def shared_prefill() -> tuple[float, float, int, int]:
    """Seconds until the first and until a second prompt under one context are in the cache, the context's tokens, and
    how many of the second prompt's tokens were there already."""
    model = resolve("demo-base")
    context = Context("plain", examples=Examples(ExampleSet(tuple(map(example, range(8))))))
    pool = WorkerPool()
    found: list[Started] = []
    try:
        capabilities = loaded(pool, model)
        for text in (PROMPT.text, "What makes a song stick in your head?"):
            rendered = render(Prompt.typed(text), context, capabilities)
            request = SampleRequest(
                key=pool.new_key(),
                context=rendered.context,
                query=rendered.query,
                sampling=Sampling(max_tokens=1),
                stops=(),
                samples=(0,),
                seed=0,
                stream=0,
            )
            events: queue.SimpleQueue[Event] = queue.SimpleQueue()
            pool.sample(model, request, events.put)
            while not isinstance(event := events.get(), Done):
                assert not isinstance(event, Failed), event
                if isinstance(event, Started):
                    found.append(event)
        n_context = len(tokenized(pool, model, [rendered.context]).ids[0])
    finally:
        pool.close()
    first, second = found
    return first.seconds, second.seconds, n_context, second.n_cached


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
    first, second, n_context, n_cached = shared_prefill()
    print(
        f"| a second prompt under a context of {n_context} tokens, {n_cached} of them cached | {1000 * second:.0f} | | "
        f"the first: {1000 * first:.0f} | a quarter of it |"
    )
    return int(max(search[0], shown[0]) > TARGET_MS or second > first / 4)


if __name__ == "__main__":
    sys.exit(main())
