"""Scores of a session, or of responses from anywhere in a JSONL file, with the models that they need."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from alignbench.api.embedding import embedding_cache, embedding_pool
from alignbench.api.equivalence import class_scores, known_equivalence
from alignbench.api.options import one_of
from alignbench.api.score_models import base_model, judge_quality
from alignbench.config import NO_EMBEDDER
from alignbench.contexts.source_samples import no_sources
from alignbench.engines.embedder import default_embedder
from alignbench.errors import InputError, StoreError, did_you_mean
from alignbench.judging.qualities import read_qualities
from alignbench.judging.runner import JudgeRun
from alignbench.judging.stances import read_stances
from alignbench.machine import usable_cores
from alignbench.metrics.metric import Metric
from alignbench.metrics.paper import paper_mode
from alignbench.metrics.registry import METRICS, live, shipped
from alignbench.metrics.statistics import RESAMPLES
from alignbench.metrics.values import WORKBENCH, WordMode
from alignbench.models.catalog import resolve
from alignbench.own_metrics.registration import failures, registered, unknown
from alignbench.paths import existing_database
from alignbench.progress import Progress, silent
from alignbench.scoring.batch import score_responses
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.equivalence import CLASSES, EMBEDDING, Equivalence
from alignbench.scoring.floor import NOT_GIVEN, Floor, session_floor
from alignbench.scoring.given_classes import ClassScores
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.base_model import LOGPROB, SURPRISE
from alignbench.scoring.model_based.compute import ModelBackends, ModelMetricRequest, compute_model_metrics
from alignbench.scoring.model_based.judge import JUDGED
from alignbench.scoring.model_based.stances import STANCE_SCORES
from alignbench.scoring.notes import draw_notes, prompt_notes, score_notes
from alignbench.scoring.own_scores import keep_scores
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.responses import FileResponses, Responses, SessionResponses, Truncated
from alignbench.scoring.score_tables import ScoredResponses, ScoreTables
from alignbench.scoring.scorer import ScoreRequest
from alignbench.scoring.truncation import Truncations
from alignbench.spec import Model
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class ScoringJob:
    """Which scores, of what; `scoring_job` makes one whose names are checked.

    Attributes:
        source: A session's number, or a JSONL file.
        metrics: In the registry's order.
        reference: Name of the condition that the others are compared with; None for the session's own.
        floor: Name of the zero-shot condition; None for the session's only one.
        base: The base model that reads the responses; None for the session's only one.
        mode: How texts become words: workbench or paper.
        truncate: Only so many words of every response are scored; None for all.
        resamples: Of the prompts, for intervals.
        seed: Of the resamples, the shuffled null, and the sentences drawn at matched length.
        embedder: A sentence-transformers folder, or none; None for the embedded model.
        judge: Judges the quality of the session's responses first; None for nobody.
        equivalence: What says that two responses are one answer: embedding, judge, or nli:FOLDER.
    """

    source: int | Path
    metrics: tuple[Metric, ...]
    reference: str | None = None
    floor: str | None = None
    base: str | None = None
    mode: str = "workbench"
    truncate: int | None = None
    resamples: int = RESAMPLES
    seed: int = 0
    embedder: str | None = None
    judge: Model | None = None
    equivalence: str = EMBEDDING


def scoring_job(
    session: int | None = None,
    file: Path | None = None,
    *,
    metrics: str = "live",
    reference: str | None = None,
    floor: str | None = None,
    base: str | None = None,
    mode: str = "workbench",
    truncate: int | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    embedder: str | None = None,
    judge: str | None = None,
    equivalence: str = EMBEDDING,
) -> ScoringJob:
    """A job from the words that a person has for it; see `ScoringJob`.

    Args:
        metrics: Names with commas between, or live, or all; FILE.py:FUNCTION is a score of the user's own.
        judge: A model's name or reference; judged metrics join the others.
        equivalence: embedding, judge, or nli:FOLDER; the scores of classes join the others where it is not embedding.

    Raises:
        InputError: For words that mean nothing, or not together.
    """
    source = session if session is not None else file
    if source is None or (session is not None and file is not None):
        raise InputError("Give either SESSION or --file FILE.jsonl.")
    if judge is not None and session is None:
        raise InputError("--judge needs SESSION: judgments are kept with the samples they are of.")
    if judge is not None and truncate is not None:
        raise InputError("--judge judges whole responses; leave --truncate away.")
    critic = None if judge is None else resolve(judge)
    if known_equivalence(equivalence, of_session=session is not None) != EMBEDDING:
        metrics = f"{metrics},{','.join(CLASSES)}"
    return ScoringJob(
        source,
        tuple(_metrics(metrics if critic is None else f"{metrics},{','.join(JUDGED)}")),
        reference,
        floor,
        base,
        one_of("--mode", mode, ("workbench", "paper")),
        truncate,
        resamples,
        seed,
        embedder,
        critic,
        equivalence,
    )


def judged_to_the_end(run: JudgeRun) -> bool:
    """Follow a judge without a word; it is never interrupted."""
    for _ in run:
        pass
    return False


def run_scoring(
    job: ScoringJob,
    db: Path | None = None,
    *,
    progress: Progress = silent,
    follow: Callable[[JudgeRun], bool] = judged_to_the_end,
) -> ScoredResponses:
    """Compute the scores of a job; what has no value says why. Vectors and log-probs are kept, and asked for once ever.

    Args:
        job: What is scored.
        db: The session database, the default one by default.
        progress: Told of prompts, texts and passages.
        follow: Takes a judge to its end; whether it was interrupted, when what is judged already is scored.

    Raises:
        InputError: For a session or a condition that is not there, or a file that cannot be read.
        StoreError: Where the database cannot be used.
    """
    from alignbench.engines.workers.pool import WorkerPool

    with ExitStack() as stack:
        known: tuple[Store, int] | None = None
        reference = job.reference
        source: FileResponses | SessionResponses
        if isinstance(job.source, Path):
            source = stack.enter_context(FileResponses(job.source))
        else:
            opened = Store.read if job.judge is None else Store.open
            known = stack.enter_context(opened(existing_database(db))), job.source
            source = SessionResponses(*known)
            reference = reference or known[0].session(job.source).reference
        _known(source, "--reference", reference)
        floor = _floor(job, known, reference, source)
        sources = no_sources if known is None else known[0].sources(known[1], reference)
        responses: Responses = source if job.truncate is None else Truncated(source, job.truncate)
        needs = {need for metric in job.metrics for need in metric.needs}
        cache = functools.cache(lambda: stack.enter_context(embedding_cache()))
        embeddings, of_sentences, embed, embedder, no_embed = None, None, None, None, ""
        if needs & {"embeddings", "sentence embeddings", "token vectors"}:
            embed, embedder, no_embed = embedding_pool(stack, job.embedder)
            name = embedder or default_embedder()
            if "embeddings" in needs:  # a session keeps its samples' vectors beside them
                embeddings = Embeddings(known[0] if known is not None else cache(), embed, name, no_embed)
            if "sentence embeddings" in needs:
                of_sentences = Embeddings(cache(), embed, name, no_embed)
        names = {metric.name for metric in job.metrics}
        base, no_base = base_model(job.base, known) if names & {LOGPROB, SURPRISE} else (None, "")

        @functools.cache
        def likelihoods() -> LikelihoodCache:
            pool = stack.enter_context(closing(WorkerPool()))
            return LikelihoodCache(known[0] if known is not None else cache(), pool)

        of_classes = ClassScores()
        if names & {*CLASSES, *JUDGED}:
            of_classes = class_scores(job.equivalence, responses, known, source.prompt_text, embeddings, progress)
        equivalence = of_classes.equivalence
        asked = ModelMetricRequest(
            names if job.judge is None else names - {*JUDGED}, responses, reference, floor.name, sources, known,
            source.prompt_text, base, no_base,
            imported=job.embedder in (None, NO_EMBEDDER), no_qualities="needs a judge; name one with --judge",
            stances=read_stances(*known) if known is not None and names & {*STANCE_SCORES} else None,
            seed=job.seed, class_threshold=equivalence.cosine,
        )  # fmt: skip
        backends = ModelBackends(likelihoods, embed, no_embed, embeddings)
        of_models = compute_model_metrics(asked, backends, progress)
        notes = [*of_models.notes]
        if of_models.imported:
            notes.append(f"{of_models.imported}; name an --embedder to compute it here")
        interrupted = False
        if job.judge is not None and known is not None:
            plan, interrupted = judge_quality(job.judge, *known, follow)
            grades = read_qualities(*known, job.judge.reference)
            judged_by = f"{job.judge.reference}@{plan.template.hash[:12]}"
            judged = replace(asked, metrics=JUDGED, qualities=grades, judged_by=judged_by)
            of_models |= compute_model_metrics(judged, backends, progress)
            notes.append(
                f"judged by {job.judge.name}: {len(grades.of)} of {plan.n} responses have a grade; "
                f"{judged.threshold:g} or more passes the gate"
            )
        request = _request(job, reference, floor, of_models.why_not, equivalence)
        tables = score_responses(
            responses, request, embeddings, progress, of_sentences=of_sentences,
            given=of_models.scores,
            of_classes=of_classes.scores,
            sources=sources,
            processes=usable_cores(),
            computed=lambda scored: notes.extend(_keep(job, db, responses, scored, reference)),
        )  # fmt: skip
        truncations = source.truncations
        return ScoredResponses(
            source=job.source,
            tables=tables,
            mode=job.mode,
            truncate=job.truncate,
            reference=reference,
            no_reference=_why_no_reference(job, reference),
            floor=floor,
            prompts=len(responses.prompts),
            samples=responses.n,
            left_out=responses.left_out,
            versions={
                **{metric.name: metric.version_in(request.mode) for metric in job.metrics},
                **equivalence.versions(names),
                **of_models.versions,
            },
            resamples=job.resamples,
            seed=job.seed,
            embedder=embedder,
            base=of_models.base,
            truncations=truncations,
            notes=(
                *prompt_notes({prompt: source.whole_prompt(prompt) for prompt in responses.prompts}),
                *_notes(responses, tables, truncations, equivalence, request.mode),
                *(draw_notes(*known, tables) if known else ()),
                *of_classes.notes,
                *failures(names),
                *notes,
                *(known[0].damage if known else ()),
            ),
            equivalence=equivalence,
            interrupted=interrupted,
        )


def _keep(
    job: ScoringJob, db: Path | None, responses: Responses, scored: Mapping[str, PromptScores], reference: str | None
) -> Iterator[str]:
    """Keep what users' functions said of whole samples of a session; why that cannot be, where it cannot."""
    own = [metric.name for metric in job.metrics if metric.runs_outside]
    if not own or isinstance(job.source, Path) or job.truncate is not None:
        return
    cells = {prompt: responses.cells(prompt) for prompt in responses.prompts}
    try:
        with Store.open(existing_database(db)) as store:
            keep_scores(store, job.source, cells, scored, reference, own)
    except StoreError as error:
        yield f"{', '.join(own)}: not kept with the session, for its report and the app: {error}"


def _floor(job: ScoringJob, session: tuple[Store, int] | None, reference: str | None, responses: Responses) -> Floor:
    if job.floor is not None:
        return Floor(_known(responses, "--floor", job.floor))
    return Floor(None, NOT_GIVEN) if session is None else session_floor(*session, reference)


def _why_no_reference(job: ScoringJob, reference: str | None) -> str:
    if reference is not None:
        return ""
    return "the session has no reference" if isinstance(job.source, int) else "name the reference with --reference"


def _metrics(wanted: str) -> list[Metric]:
    """The scores that were asked for, in the registry's order; InputError for a name that is none."""
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise InputError("--metrics is empty; expected names, or live, or all.")
    chosen = {"words"}  # no score is read without the length of what it scores
    for name in registered(names):
        if name in ("all", "live"):
            chosen.update(shipped() if name == "all" else live())
        elif name in METRICS:
            chosen.add(name)
        else:
            raise unknown(name, ("all", "live"))
    return [metric for metric in METRICS.values() if metric.name in chosen]


def _request(
    job: ScoringJob, reference: str | None, floor: Floor, why_not: Mapping[str, str], equivalence: Equivalence
) -> ScoreRequest:
    unavailable = {
        metric.name: f"needs {' and '.join(need for need in metric.needs if need != 'text')}"
        for metric in job.metrics
        if metric.formula is None and "sentence embeddings" not in metric.needs
    }
    return ScoreRequest(
        within=tuple(metric.name for metric in job.metrics if "within" in metric.scope),
        cross=tuple(metric.name for metric in job.metrics if "cross" in metric.scope),
        unavailable={**unavailable, **why_not},
        reference=reference,
        floor=floor.name,
        no_floor=floor.reason,
        mode=paper_mode() if job.mode == "paper" else WORKBENCH,
        resamples=job.resamples,
        seed=job.seed,
        class_threshold=equivalence.cosine,
    )


def _known(responses: Responses, option: str, name: str | None) -> str | None:
    if name is not None and name not in responses.conditions:
        there = ", ".join(responses.conditions)
        near = did_you_mean(name, responses.conditions)
        raise InputError(f"{option}: there is no condition named {name!r}. {near or f'Known: {there}.'}")
    return name


def _notes(
    responses: Responses, tables: ScoreTables, truncations: Truncations, equivalence: Equivalence, mode: WordMode
) -> list[str]:
    """What a reader of the numbers has to know."""
    notes = []
    if responses.left_out:
        notes.append(f"left out, failed or cancelled: {responses.left_out}")
    if responses.contested:
        notes.append(f"contested prompts, left out of scores that rest on embeddings: {len(responses.contested)}")
    return [*notes, *score_notes(tables, truncations, equivalence, scores_empty=mode.scores_empty)]
