"""Draw samples with the embedded models, and look at them as DataFrames.

python examples/from_python.py runs/example.db
"""

from __future__ import annotations

import sys
from pathlib import Path

import alignbench
from alignbench.spec import Prompt, Sampling


def draw(path: Path) -> int:
    """Two samples of each model for each prompt; the session's number."""
    prompts = [Prompt("diary", "Why do people keep diaries?"), Prompt("city", "What makes a good city?")]
    drawn = alignbench.sample(
        prompts, ["demo-base", "demo-aligned"], n=2, sampling=Sampling(temperature=1.0, max_tokens=24), db=path
    )
    for row in drawn.samples:
        print(row.condition, row.prompt_id, row.sample, row.status)
    return drawn.session


def main(path: Path) -> None:
    number = draw(path)
    session = alignbench.open(path).session(number)
    samples = session.samples()
    print(samples.groupby("condition")[["n_tokens", "logprob"]].mean().round(1))
    scores = session.scores(("words", "distinct_2"), resamples=1000)
    print(scores[["table", "condition", "metric", "value", "ci_low", "ci_high"]].round(3).to_string(index=False))


if __name__ == "__main__":  # models run in processes of their own, which import this file again
    main(Path(sys.argv[1]))
