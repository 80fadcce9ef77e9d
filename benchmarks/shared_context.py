"""Many prompts under one long context with llama.cpp: the second one pays only for its query.

    .venv/bin/python benchmarks/shared_context.py [--model demo-base]

Rates are tokens a second of generation with every prefill counted. Baseline: `Llama.create_completion` once a sample,
with llama-cpp-python's own reuse of the longest common prefix. Of the 20 prompts the baseline runs two: the first
pays for the context, the second stands for the other nineteen. Time to the first token is that of one sample of one
token, in strict mode, the median of three rounds.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1")

import argparse
import statistics
import time

import llama_cpp
from sampling import SENTENCE, THREADS, TOKENS, sequential

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.protocol import Finished, SampleRequest
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Mode, Sampling

CONTEXT_TOKENS = 1200
SAMPLES = 8
SUBJECTS = (
    "bread", "rivers", "clocks", "maps", "wool", "chess", "tides", "salt", "paper", "bees", "trams", "ink", "glass",
    "ferns", "coins", "wells", "drums", "kites", "locks", "mills",
)  # fmt: skip
QUERIES = tuple(f"\n\nQuestion: what is there to know about {subject}?\nAnswer:" for subject in SUBJECTS)


def ours(engine: LlamaCppEngine, context: str, mode: Mode) -> float:
    """Tokens a second of all the samples of all the prompts, with an empty cache to begin with."""
    engine._cached = []
    sampling = Sampling(max_tokens=TOKENS)
    requests = [
        SampleRequest(i, context, query, sampling, (), tuple(range(SAMPLES)), 0, 7 + i, mode)
        for i, query in enumerate(QUERIES)
    ]
    batches = [requests] if mode == "fast" else [[request] for request in requests]
    start = time.perf_counter()
    events = (event for batch in batches for event in engine.sample(batch))
    tokens = sum(event.result.n_tokens for event in events if isinstance(event, Finished))
    return tokens / (time.perf_counter() - start)


def baseline(llama: llama_cpp.Llama, context: str) -> float:
    """The same of sequential calls, from the first two prompts."""
    start = time.perf_counter()
    tokens = sequential(llama, context + QUERIES[0], SAMPLES)
    first = time.perf_counter() - start
    start = time.perf_counter()
    more = sequential(llama, context + QUERIES[1], SAMPLES, reset=False)
    others = time.perf_counter() - start
    n = len(QUERIES) - 1
    return (tokens + n * more) / (first + n * others)


def first_tokens(engine: LlamaCppEngine, context: str) -> tuple[float, float]:
    """Seconds to the first token of a first prompt under the context, and of a second one."""
    engine._cached = []
    seconds = []
    for query in QUERIES[:2]:
        start = time.perf_counter()
        list(engine.sample([SampleRequest(1, context, query, Sampling(max_tokens=1), (), (0,), 0, 7)]))
        seconds.append(time.perf_counter() - start)
    return seconds[0], seconds[1]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="demo-base")
    name = parser.parse_args().model
    path = weights_path(resolve(name))
    engine = LlamaCppEngine(path, Cancellation(), threads=THREADS)
    context = SENTENCE * (CONTEXT_TOKENS // (len(engine.tokenize(SENTENCE)) - 1))
    window = CONTEXT_TOKENS + 512
    llama = llama_cpp.Llama(str(path), n_ctx=window, n_threads=THREADS, n_threads_batch=THREADS, verbose=False)
    calls = baseline(llama, context)
    rates = {mode: ours(engine, context, mode) for mode in ("strict", "fast")}
    print("| what | tokens/s | sequential calls | ratio | at least |\n|---|---:|---:|---:|---:|")
    for mode, rate in rates.items():
        what = f"{name}, {len(QUERIES)} prompts x {SAMPLES} x {TOKENS} tokens under {CONTEXT_TOKENS}, {mode}"
        print(f"| {what} | {rate:.0f} | {calls:.0f} | {rate / calls:.2f} | 2.5 |")
    pairs = [first_tokens(engine, context) for _ in range(3)]
    first, second = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    print("\n| what | first prompt, ms | second prompt, ms | ratio | at most |\n|---|---:|---:|---:|---:|")
    print(f"| time to the first token, {name} | {first * 1e3:.0f} | {second * 1e3:.0f} | {second / first:.3f} | 0.15 |")
    return 0 if max(rates.values()) >= 2.5 * calls and second <= 0.15 * first else 1


if __name__ == "__main__":
    raise SystemExit(main())
