"""Prompts sampled under conditions, stored in a session, and scored while samples arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alignbench import bounds
from alignbench.contexts.files import Sets, load_context
from alignbench.contexts.source_samples import unknown_conditions
from alignbench.engines.embedder import default_embedder
from alignbench.errors import InputError
from alignbench.experiments.manifest import manifest
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import CellFailed, RunEvent, SampleStored
from alignbench.experiments.staged import StagedRun
from alignbench.models.catalog import resolve
from alignbench.paths import said_in_config, user_config
from alignbench.progress import Progress, silent
from alignbench.prompts import refuse_repeated
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.floor import Floor, zero_shot_floor
from alignbench.scoring.live import LiveScores
from alignbench.scoring.responses import SessionResponses
from alignbench.scoring.run_scores import session_scores
from alignbench.scoring.score_tables import ScoreTables
from alignbench.spec import DEFAULT_SAMPLES, Condition, Context, Mode, Model, Prompt, Sampling, default_context
from alignbench.store import SampleRow, Store

INTERRUPTED_WAIT = 1.0  # seconds for embeddings of a run that was cancelled


@dataclass(frozen=True, slots=True)
class SamplingJob:
    """What is to be sampled; `sampling_job` makes one whose names are checked.

    Attributes:
        title: Name of the session, empty for one by its date, prompts and models.
        prompts: What is responded to.
        conditions: No two of one name.
        n: Samples of each prompt under each condition.
        reference: Name of the condition that the others are compared with, None without one.
        floor: The zero-shot condition, or why there is none.
    """

    title: str
    prompts: tuple[Prompt, ...]
    conditions: tuple[Condition, ...]
    n: int
    reference: str | None
    floor: Floor


@dataclass(frozen=True, slots=True)
class CellFailure:
    """A prompt under a condition that could not be sampled, and why."""

    condition: str
    prompt_id: str
    message: str


@dataclass(frozen=True, slots=True)
class SamplingResult:
    """What came of a job.

    Attributes:
        db: The session database.
        session: The session's number in it.
        samples: As they were stored, in the order in which they ended; errors and cancelled ones too.
        scores: Of each condition, within it and across to the reference.
        failures: Of cells.
    """

    db: Path
    session: int
    samples: tuple[SampleRow, ...]
    scores: ScoreTables
    failures: tuple[CellFailure, ...]


def sampling_job(
    prompts: Sequence[Prompt],
    conditions: Sequence[Condition],
    n: int = DEFAULT_SAMPLES,
    *,
    title: str = "",
    reference: str | None = None,
    floor: str | None = None,
) -> SamplingJob:
    """A checked job. InputError where a name is no condition, a prompt is there twice, or a context is made of samples
    that nobody draws.

    Args:
        prompts: What is responded to.
        conditions: No two of one name.
        n: Samples of each prompt under each condition, 1 or more.
        title: Name of the session, empty for one by its date, prompts and models.
        reference: Name of a condition; the first aligned one by default.
        floor: Name of the zero-shot condition; by default the only one, see `zero_shot_floor`.
    """
    bounds.SAMPLES.check("-n", n)
    refuse_repeated(prompts)
    names = [condition.name for condition in conditions]
    for option, name in (("--reference", reference), ("--floor", floor)):
        if name is not None and name not in names:
            raise InputError(f"{option} {name!r} is no condition of this run; expected one of: {', '.join(names)}.")
    if reference is None:
        reference = next((condition.name for condition in conditions if condition.model.kind == "aligned"), None)
    if unknown := unknown_conditions([condition.context for condition in conditions], reference, names):
        raise InputError(
            f"A context is made of samples of {unknown[0]!r}, which is no condition of this run; add --model "
            f"{unknown[0]} or --condition {unknown[0]}=MODEL. The run has: {', '.join(names)}."
        )
    lowest = zero_shot_floor(conditions, reference) if floor is None else Floor(floor)
    return SamplingJob(title, tuple(prompts), tuple(conditions), n, reference, lowest)


def make_conditions(
    models: Sequence[str],
    named: Sequence[str | Condition] = (),
    contexts: Sequence[str] = (),
    *,
    sets: Sets | None = None,
    sampling: Sampling,
    seed: int = 0,
    mode: Mode = "strict",
) -> list[Condition]:
    """Conditions from the words that a person has for them. InputError for words that mean nothing.

    Args:
        models: Names or references, those of config.toml where nothing is named: each a condition of that name, or
            a base model one under each of the contexts.
        named: Further conditions: NAME=MODEL, NAME=MODEL,context=FILE, or values that stay as they are.
        contexts: Names or TOML files, for the base models among `models`.
        sets: Where contexts find example sets by name.
        sampling: Parameters of those that are not values already, as are seed and mode.
        seed: Sample i is drawn with seed + i.
        mode: strict, so that the same seed gives the same text, or fast.
    """
    around = [load_context(name, sets) for name in contexts]
    resolved = [resolve(name) for name in models]
    if not models and not named:
        with said_in_config("models"):
            resolved = [resolve(name) for name in user_config().models]
    parts = in_contexts(resolved, around)
    if around and not any(model.kind == "base" for model in resolved):
        raise InputError(
            "--context is for base models, and no --model is one; try --condition NAME=MODEL,context=FILE."
        )
    parts += [_parsed(each, sets) for each in named if isinstance(each, str)]
    conditions = [Condition(name, model, context, sampling, seed=seed, mode=mode) for name, model, context in parts]
    conditions += [each for each in named if isinstance(each, Condition)]
    if not conditions:
        raise InputError("No --model given. Try --model demo-base --model demo-aligned.")
    names = [condition.name for condition in conditions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"Two conditions would be called {twice!r}; name one with --condition NAME=MODEL.")
    return conditions


def in_contexts(models: Sequence[Model], contexts: Sequence[Context]) -> list[tuple[str, Model, Context]]:
    """Name, model and context of the conditions of models: a base model is in each of the contexts, where there are
    some, an aligned one in its own."""
    parts: list[tuple[str, Model, Context]] = []
    for model in models:
        if contexts and model.kind == "base":
            parts += [(f"{model.name} + {context.name}", model, context) for context in contexts]
        else:
            parts.append((model.name, model, default_context(model)))
    return parts


def _parsed(text: str, sets: Sets | None) -> tuple[str, Model, Context]:
    name, equals, rest = text.partition("=")
    reference, comma, file = rest.partition(",context=")
    if not (name and equals and reference) or (comma and not file):
        raise InputError(f"--condition {text!r}: expected NAME=MODEL[,context=FILE], such as warm=demo-base.")
    model = resolve(reference)
    return name, model, load_context(file, sets) if file else default_context(model)


class SamplingRun:
    """A session that is being sampled. Iterate over it once for its events; `open_sampling` makes one."""

    def __init__(self, store: Store, run: StagedRun, live: LiveScores, job: SamplingJob) -> None:
        self.store, self.session, self.plan = store, run.plan.session, run.plan
        self._run, self._live, self._job = run, live, job
        self._any_done = self._cancelled = False

    def finish(self) -> None:
        """Begin no further cell; those that run go on to their end. From any thread."""
        self._run.finish()

    def cancel(self) -> None:
        """Cancel what runs, which is kept as cancelled, and begin no further cell. From any thread."""
        self._cancelled = True
        self._run.cancel()

    def __iter__(self) -> Iterator[RunEvent]:
        for event in self._run:
            if isinstance(event, SampleStored):
                self._live.add(event.row)
                self._any_done |= event.row.status == "done"
            yield event

    def scores(self) -> ScoreTables:
        """Of the samples that are there, embeddings included; of a run that was cancelled those that come at once."""
        while not self._live.wait(INTERRUPTED_WAIT):
            if self._cancelled:  # perhaps only now
                self._live.give_up("sampling was cancelled before embeddings came")
        return session_scores(
            self._live,
            self._job.prompts,
            self._job.conditions,
            self._job.reference,
            self._job.floor,
            responses=SessionResponses(self.store, self.session) if self._any_done else None,
            embeddings=Embeddings(self.store, None, default_embedder()),
        )


@contextmanager
def open_sampling(job: SamplingJob, db: Path, *, threads: int | None = None) -> Iterator[SamplingRun]:
    """A new session for a job, in a database that is made where there is none, with models that end with it.

    threads: CPU threads that all models share, every core by default.
    """
    from alignbench.engines.workers.pool import WorkerPool

    with Store.open(db) as store:
        facts = manifest(job.conditions, job.n)
        with store.together():  # what is refused leaves no session
            session = store.create_session(job.title or None, reference=job.reference, manifest=facts)
            plan = make_plan(store, session, job.prompts, job.conditions, job.n)
        try:
            with (
                closing(WorkerPool(threads=threads)) as pool,
                closing(LiveScores(db, pool, lambda: None)) as live,
            ):
                yield SamplingRun(store, StagedRun(plan, pool, store, pool), live, job)
        finally:
            store.drop_session_if_empty(session)


def run_sampling(
    job: SamplingJob,
    db: Path,
    *,
    threads: int | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
    progress: Progress = silent,
    stop: threading.Event | None = None,
) -> SamplingResult:
    """Carry out a job to its end. A cell that fails is among the failures, and raises nothing.

    Args:
        job: What is sampled.
        db: The session database; it is made where there is none.
        threads: CPU threads that all models share, every core by default.
        on_event: Called with every event in the thread that calls.
        progress: Told of samples.
        stop: Once it is set, running samples are cancelled and no further cell is begun.
    """
    samples: list[SampleRow] = []
    failures: list[CellFailure] = []
    with open_sampling(job, db, threads=threads) as run:
        for event in run:
            if isinstance(event, SampleStored):
                samples.append(event.row)
                progress("sampling", len(samples), run.plan.n_missing)
            elif isinstance(event, CellFailed):
                failures.append(CellFailure(event.cell.condition.name, event.cell.prompt.id, event.message))
            if on_event is not None:
                on_event(event)
            if stop is not None and stop.is_set():
                run.cancel()
        return SamplingResult(db, run.session, tuple(samples), run.scores(), tuple(failures))
