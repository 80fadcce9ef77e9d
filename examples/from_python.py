"""Draw samples with the embedded models, and look at them as DataFrames.

python examples/from_python.py runs/example.db
"""

from __future__ import annotations

import sys
from pathlib import Path

import alignbench
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import Run, SampleStored
from alignbench.models.catalog import resolve
from alignbench.spec import Condition, Prompt, Sampling
from alignbench.store import Store


def draw(path: Path) -> int:
    """Two samples of each model for each prompt; the session's number."""
    prompts = [Prompt("diary", "Why do people keep diaries?"), Prompt("city", "What makes a good city?")]
    sampling = Sampling(temperature=1.0, max_tokens=24)
    conditions = [Condition.zero_shot(resolve(name), sampling=sampling) for name in ("demo-base", "demo-aligned")]
    pool = WorkerPool()
    try:
        with Store.open(path) as store:
            session = store.create_session("from Python", reference="demo-aligned")
            for event in Run(make_plan(store, session, prompts, conditions, n=2), pool, store):
                if isinstance(event, SampleStored):
                    print(event.row.condition, event.row.prompt_id, event.row.sample, event.row.status)
    finally:
        pool.close()
    return session


def main(path: Path) -> None:
    number = draw(path)
    session = alignbench.open(path).session(number)
    samples = session.samples()
    print(samples.groupby("condition")[["n_tokens", "logprob"]].mean().round(1))
    scores = session.scores(("words", "distinct_2"), resamples=1000)
    print(scores[["table", "condition", "metric", "value", "ci_low", "ci_high"]].round(3).to_string(index=False))


if __name__ == "__main__":  # models run in processes of their own, which import this file again
    main(Path(sys.argv[1]))
