"""alignbench: a terminal workbench for studying what alignment does to a language model.

`sample`, `score` and `open` are for programs; see docs/python.md. They load what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.own_metrics.declaration import metric as metric
from alignbench.spec import DEFAULT_SAMPLES, Condition, Prompt, Sampling

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from os import PathLike

    from alignbench.api.sampling import SamplingResult
    from alignbench.experiments.runner import RunEvent
    from alignbench.frames import Database
    from alignbench.progress import Progress
    from alignbench.scoring.score_tables import ScoredResponses

__version__ = "0.1.0"


def open(path: str | PathLike[str]) -> Database:
    """A session database that is there already. InputError where there is none; it reads nothing else yet."""
    from pathlib import Path

    from alignbench.errors import InputError
    from alignbench.frames import Database

    if not Path(path).is_file():
        raise InputError(f"There is no session database {path}.")
    return Database(Path(path))


def sample(
    prompts: str | Prompt | Sequence[str | Prompt],
    models: Sequence[str] = (),
    *,
    conditions: Sequence[str | Condition] = (),
    contexts: Sequence[str] = (),
    n: int = DEFAULT_SAMPLES,
    sampling: Sampling | None = None,
    seed: int = 0,
    fast: bool = False,
    reference: str | None = None,
    floor: str | None = None,
    db: str | PathLike[str] | None = None,
    threads: int | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> SamplingResult:
    """Sample prompts under models, side by side, store and score what comes: `alignbench sample`.

    It returns when all is sampled. A cell that fails is among the result's `failures`; what was stored stays in the
    database whatever ends the call.

    Args:
        prompts: A text, or several; `alignbench.prompts.load_prompts` reads a set.
        models: Names or references, such as demo-base or llama:/path.gguf.
        conditions: Further conditions: values, or NAME=MODEL[,context=FILE].
        contexts: Names or TOML files; each base model among `models` is sampled in each of them.
        n: Samples of each prompt under each condition.
        sampling: Parameters of the conditions that are not values; temperature 0.7 and 256 tokens by default.
        seed: Sample i of these is drawn with seed + i.
        fast: Batches as wide as pays; the same seed need not give the same text.
        reference: Name of the condition the others are compared with; the first aligned one by default.
        floor: Name of the zero-shot condition; the only base model in the plain layout by default.
        db: The session database, runs/alignbench.db by default; it is made where there is none.
        threads: CPU threads that all models share, every core by default.
        on_event: Called in this thread with every event of the run, such as a sample that was stored.
        progress: Told how many samples are stored, of how many.
        stop: Once it is set, from another thread, running samples are kept as cancelled and the call returns.

    Raises:
        InputError: For names that mean nothing, before anything is sampled.
        StoreError: Where the database cannot be used.
    """
    from pathlib import Path

    from alignbench import paths
    from alignbench.api.sampling import make_conditions, run_sampling, sampling_job
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.progress import silent
    from alignbench.prompts import typed_prompt

    path = paths.default_database() if db is None else Path(db)
    together = [prompts] if isinstance(prompts, str | Prompt) else prompts
    chosen = [typed_prompt(each) if isinstance(each, str) else each for each in together]
    job = sampling_job(
        chosen,
        make_conditions(
            models, conditions, contexts, sets=StoredSets(path), sampling=sampling or Sampling(), seed=seed,
            mode="fast" if fast else "strict",
        ),
        n,
        title=chosen[0].text if len(chosen) == 1 else f"{len(chosen)} prompts",
        reference=reference,
        floor=floor,
    )  # fmt: skip
    return run_sampling(job, path, threads=threads, on_event=on_event, progress=progress or silent, stop=stop)


def score(
    session: int | None = None,
    *,
    file: str | PathLike[str] | None = None,
    metrics: str | Sequence[str] = "live",
    reference: str | None = None,
    floor: str | None = None,
    base: str | None = None,
    mode: str = "workbench",
    truncate: int | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    embedder: str | None = None,
    judge: str | None = None,
    equivalence: str = "embedding",
    db: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> ScoredResponses:
    """Score the responses of a session, or of a file from anywhere: `alignbench score`.

    Models are run where a metric needs them; a score that cannot be had has no value and a reason.

    Args:
        session: Its number in the database. Either this or a file.
        file: JSON lines of {"prompt_id", "condition", "text"}.
        metrics: Names, as `alignbench metrics` lists them, or live, or all.
        reference: Name of the condition that the others are compared with; a session's own by default.
        floor: Name of the zero-shot condition; a session's only one by default.
        base: The base model that reads responses for scores by log-probs; a session's only one by default.
        mode: How texts become words: workbench or paper.
        truncate: Score only the first so many words of every response.
        resamples: Of the prompts, for 95% intervals.
        seed: Of the resamples, the shuffled null, and the sentences drawn at matched length.
        embedder: A sentence-transformers folder, or none; the embedded MiniLM by default.
        judge: A model that judges the quality of a session's responses first, for the judged scores.
        equivalence: What says that two responses are one answer: embedding, judge, or nli:FOLDER of a cross-encoder.
        db: The session database, runs/alignbench.db by default.
        progress: Told of prompts, texts and passages.

    Raises:
        InputError: For a session, a condition, a metric or a file that is not there.
        StoreError: Where the database cannot be used.
    """
    from pathlib import Path

    from alignbench.api.scoring import run_scoring, scoring_job
    from alignbench.progress import silent

    job = scoring_job(
        session,
        None if file is None else Path(file),
        metrics=metrics if isinstance(metrics, str) else ",".join(metrics),
        reference=reference,
        floor=floor,
        base=base,
        mode=mode,
        truncate=truncate,
        resamples=resamples,
        seed=seed,
        embedder=embedder,
        judge=judge,
        equivalence=equivalence,
    )
    return run_scoring(job, None if db is None else Path(db), progress=progress or silent)
