"""What `alignbench run` costs over the engines alone: rendering, planning, events, and a commit for every sample.

    python benchmarks/run_overhead.py                # two prompts of the experiment `quick`, both ways, twice
    python benchmarks/run_overhead.py --limit 8 --rounds 3

Engines alone are the same worker processes with the same requests, one at a time a model, whose events are thrown
away. Models are loaded before, and the ways alternate. Prints a row of the table in benchmarks/README.md; ends with 1
where the median overhead is over its target.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from functools import partial
from pathlib import Path

from alignbench.engines.blocking import loaded
from alignbench.engines.protocol import Done, Event, Failed, SampleRequest, Sink
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.experiment import Experiment, experiment_path, read_experiment
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import SampleStored
from alignbench.experiments.staged import StagedRun
from alignbench.spec import Model
from alignbench.store import Store

TARGET = 0.05


class RecordingPool(WorkerPool):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Model, SampleRequest]] = []

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        self.asked.append((model, request))
        super().sample(model, request, sink)


def run_seconds(pool: WorkerPool, experiment: Experiment, limit: int, db: Path) -> float:
    """The experiment in a new session of a database."""
    with Store.open(db) as store:
        began = time.perf_counter()
        session = store.create_session("run")
        plan = make_plan(store, session, experiment.prompts[:limit], experiment.conditions, experiment.n)
        stored = sum(isinstance(event, SampleStored) for event in StagedRun(plan, pool, store, pool))
        seconds = time.perf_counter() - began
    assert stored == plan.n_missing
    return seconds


def bare_seconds(pool: WorkerPool, asked: list[tuple[Model, SampleRequest]]) -> float:
    """The same requests, straight to the workers: each model gets its next one when the last one is done."""
    waiting: dict[Model, deque[SampleRequest]] = {}
    for model, request in asked:
        waiting.setdefault(model, deque()).append(request)
    left = threading.Semaphore(0)

    def begin_next(model: Model) -> None:
        if waiting[model]:
            pool.sample(model, waiting[model].popleft(), partial(take, model))

    def take(model: Model, event: Event) -> None:
        if isinstance(event, Done | Failed):
            begin_next(model)
            left.release()

    began = time.perf_counter()
    for model in waiting:
        begin_next(model)
    for _ in asked:
        left.acquire()
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    experiment, pool = read_experiment(experiment_path("quick")), RecordingPool()
    for model in {condition.model for condition in experiment.conditions}:
        loaded(pool, model)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            pool.asked.clear()
            run = run_seconds(pool, experiment, arguments.limit, Path(folder, f"{number}.db"))
            bare = bare_seconds(pool, list(pool.asked))
            ratios.append(run / bare - 1)
            print(f"run {run:.2f} s, engines alone {bare:.2f} s", file=sys.stderr)
    pool.close()
    overhead = statistics.median(ratios)
    print("| what | overhead | at most |\n|---|---:|---:|")
    print(f"| `run quick --limit {arguments.limit}` over the engines alone | {overhead:.1%} | {TARGET:.0%} |")
    return int(overhead > TARGET)


if __name__ == "__main__":
    sys.exit(main())
