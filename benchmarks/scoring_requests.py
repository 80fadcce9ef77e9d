"""Log-probs of given responses under a shared context, with llama.cpp.

    .venv/bin/python benchmarks/scoring_requests.py

6 responses of about 110 tokens to 2 prompts under one context of about 1,140, in one process, against the same
requests with an empty cache each, as independent calls would have it; and against the decodes alone, without the
softmax, the ranks and the alternatives. CPU seconds. Ends with 1 where a target is missed.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1")

import sys
import time

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.protocol import LikelihoodRequest
from alignbench.models.catalog import resolve, weights_path

SHARE = 0.45  # of independent calls, at most: a sixth of the contexts, and the responses
OVERHEAD = 1.5  # over the decodes alone, at most

CONTEXT = "The gardener counts the seeds twice, notes the weather, and plants in straight rows before noon. " * 60
QUERIES = [f"\n\nQuestion {i}: what does the gardener count on day {i}?\nAnswer: " for i in range(2)]
RESPONSES = [
    f"On day {i} she counts seeds, pots and rows, then sits down by the pond and writes it all in a small book. " * 4
    for i in range(3)
]


def requests(top: int) -> list[LikelihoodRequest]:
    return [LikelihoodRequest(1, CONTEXT, query, response, top) for query in QUERIES for response in RESPONSES]


def shared(engine: LlamaCppEngine, top: int = 5) -> None:
    forget(engine)
    for request in requests(top):
        engine.score(request)


def independent(engine: LlamaCppEngine) -> None:
    for request in requests(5):
        forget(engine)
        engine.score(request)


def decodes(engine: LlamaCppEngine) -> None:
    """What `shared` decodes, and nothing with the logits."""
    forget(engine)
    for request in requests(0):
        start = len(engine.tokenize(request.context + request.query))
        ids = engine.tokenize(request.context + request.query + request.continuation)
        _, cut = engine.tokenize_parts(request.context, request.query)
        for _ in engine._forced_logits(ids, start, cut, 1):
            pass


def forget(engine: LlamaCppEngine) -> None:
    engine._cached, engine._cached_cut, engine._forced = [], -1, None


def main() -> int:
    missed = False
    print("| what | CPU s | independent | ratio | decodes only | ratio |\n|---|---:|---:|---:|---:|---:|")
    for name in ("demo-base", "demo-smollm2"):
        threads = len(os.sched_getaffinity(0))
        engine = LlamaCppEngine(weights_path(resolve(name)), Cancellation(), threads=threads)
        spent = []
        for work in (shared, independent, decodes):
            start = time.process_time()
            work(engine)
            spent.append(time.process_time() - start)
        ours, apart, bare = spent
        engine.close()
        missed |= ours > SHARE * apart or ours > OVERHEAD * bare
        print(
            f"| {name}, 6 responses of 110 tokens under 1,140 | {ours:.1f} | {apart:.1f} | {ours / apart:.2f} "
            f"| {bare:.1f} | {ours / bare:.2f} |"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
