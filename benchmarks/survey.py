"""A survey by log-probs, every order of the options under one long context, with llama.cpp.

    .venv/bin/python benchmarks/survey.py [--rounds 5]

100 questions of 4 options in 24 orders under a context of about 1,000 tokens, of which a round asks one question in all
orders and the table says what 100 of them come to. The context is in every cache before the clock starts: in the whole
survey it is one of 2,400 prompts. Three ways alternate:

- `score_condition` as the command calls it, with worker process and database; of each option letter and text are read.
- The same decodes in this process, tokens cut before, nothing done with the logits.
- One `create_completion(echo=True)` of llama-cpp-python an option, nothing cached, timed for the options of one order
  and multiplied. It is asked for no log-probs: for these it would sort the vocabulary in Python once a prompt token,
  which takes minutes a call. So its real cost is higher.

The first row is of wall time, the second of processor time, that of the worker included; ratios are medians over the
rounds. Ends with 1 where the wall times miss a target, which other work on the machine changes.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1")

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from _soak_watch import children
from numpy.typing import NDArray
from sampling import SENTENCE, THREADS

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.local.teacher_forcing import continuation_start
from alignbench.engines.protocol import LikelihoodRequest
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.likelihood import content_for
from alignbench.models.catalog import resolve, weights_path
from alignbench.progress import silent
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.spec import Condition, Context, Model, Prompt
from alignbench.store import Store
from alignbench.surveys.scored import score_condition

QUESTIONS, ORDERS, CONTEXT_TOKENS = 100, 24, 1000
TIMES_FASTER, OVERHEAD = 8.0, 1.3

SUBJECTS = (
    "a new library", "more buses", "a market hall", "wider pavements", "a second bridge", "a music school",
    "longer opening hours", "a public pool", "more trees", "an evening class",
)  # fmt: skip
OPTIONS = AnswerOptions(tuple(map(AnswerOption, ("Very much", "Somewhat", "A little", "Not at all"))))


class RecordingPool(WorkerPool):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[LikelihoodRequest] = []

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Any], None]) -> None:
        self.asked.append(request)
        super().score(model, request, sink)


def question(i: int) -> Prompt:
    return Prompt(f"q{i}", f"How much would {SUBJECTS[i % len(SUBJECTS)]} help the town in year {i}?", "", OPTIONS)


def survey(cache: LikelihoodCache, pool: WorkerPool, condition: Condition, asked: Prompt) -> None:
    """One question in all orders."""

    def content_of(condition: Condition, prompt: Prompt) -> Any:
        return content_for(pool, condition.model, condition.context, prompt)

    (read,) = score_condition(cache, content_of, condition, [asked], "all", silent)
    assert len(read.masses) == ORDERS


def batches(engine: LlamaCppEngine, requests: list[LikelihoodRequest]) -> list[tuple[list[int], int, int]]:
    """Tokens of each request, where its continuation begins, and where its prompt is cut."""
    cut_up = []
    for request in requests:
        prompt, cut = engine.tokenize_parts(request.context, request.query)
        ids = engine.tokenize(request.context + request.query + request.continuation)
        start = continuation_start(prompt, ids)
        cut_up.append((ids, start, min(cut, start - 1)))
    return cut_up


def decodes(engine: LlamaCppEngine, cut_up: list[tuple[list[int], int, int]]) -> None:
    """What scoring them decodes."""
    for ids, start, cut in cut_up:
        engine._reserve_to_score(len(ids))
        for _ in engine._forced_logits(ids, start, cut, 1):
            pass


def echoes(llama: llama_cpp.Llama, prompt: str) -> None:
    """A call an option."""
    for option in OPTIONS.texts:
        llama.reset()
        llama.create_completion(prompt + option, max_tokens=1, echo=True, temperature=0.0)


Spent = NDArray[np.float64]  # (2,), seconds of wall time and of processor time


def spent_on(work: Callable[[], None]) -> Spent:
    start = clocks()
    work()
    spent: Spent = clocks() - start
    return spent


def clocks() -> Spent:
    return np.array([time.perf_counter(), time.process_time() + of_children()])


def of_children() -> float:
    """Processor seconds of the processes that this one has started and that still run."""
    ticks = 0
    for child in children(os.getpid()):
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def rounds(n: int, model: Model, pool: RecordingPool, store: Store) -> Iterator[tuple[Spent, Spent, Spent]]:
    """What a question takes in each way, the way of the tool first."""
    path = weights_path(model)
    engine = LlamaCppEngine(path, Cancellation(), threads=THREADS)
    llama = llama_cpp.Llama(
        str(path), n_ctx=CONTEXT_TOKENS + 512, n_threads=THREADS, n_threads_batch=THREADS, verbose=False
    )
    repeats = CONTEXT_TOKENS // (len(engine.tokenize(SENTENCE)) - 1)
    condition = Condition("survey", model, Context("plain", instruction=(SENTENCE * repeats).strip()))
    cache = LikelihoodCache(store, pool)
    survey(cache, pool, condition, question(0))
    decodes(engine, batches(engine, pool.asked[:1]))
    for i in range(1, n + 1):
        pool.asked.clear()
        ours = spent_on(partial(survey, cache, pool, condition, question(i)))
        bare = spent_on(partial(decodes, engine, batches(engine, pool.asked)))
        echoed = ORDERS * spent_on(partial(echoes, llama, pool.asked[0].context + pool.asked[0].query))
        print(f"survey {ours.round(2)} s, decodes {bare.round(2)} s, calls {echoed.round(1)} s", file=sys.stderr)
        yield ours, bare, echoed
    engine.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    n = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder, "bench.db")) as store,
        closing(RecordingPool()) as pool,
    ):
        ours, bare, echoed = map(np.array, zip(*rounds(n, resolve("demo-base"), pool, store), strict=True))
    faster, overhead = np.median(echoed / ours, axis=0), np.median(ours / bare, axis=0)
    ours, bare, echoed = (QUESTIONS * np.median(way, axis=0) for way in (ours, bare, echoed))
    what = f"{QUESTIONS} questions x {len(OPTIONS.options)} options x {ORDERS} orders under {CONTEXT_TOKENS:,}"
    print(f"{what}\n")
    print("| demo-base | survey, s | a call an option, s | ratio | at least | decodes only, s | ratio | at most |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for i, time_of in enumerate(("wall time", "processor time")):
        print(
            f"| {time_of} | {ours[i]:,.0f} | {echoed[i]:,.0f} | {faster[i]:.1f} | {TIMES_FASTER:.0f} "
            f"| {bare[i]:,.0f} | {overhead[i]:.2f} | {OVERHEAD} |"
        )
    return int(faster[0] < TIMES_FASTER or overhead[0] > OVERHEAD)


if __name__ == "__main__":
    sys.exit(main())
