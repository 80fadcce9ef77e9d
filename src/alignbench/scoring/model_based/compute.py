"""Metrics that a model has to be asked for, computed in one place for `alignbench score`, the app and reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from alignbench.contexts.source_samples import Sources, no_sources
from alignbench.engines.protocol import EmbedPool
from alignbench.judging.qualities import THRESHOLD, Qualities
from alignbench.judging.stances import NO_STANCES, Stances
from alignbench.metrics.likelihood import ORDERS
from alignbench.metrics.registry import METRICS
from alignbench.metrics.semantic import CLASS_THRESHOLD
from alignbench.progress import Progress, silent
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.alignment_gap import GAP, session_gaps
from alignbench.scoring.model_based.base_model import LOGPROB, SURPRISE, BaseScores
from alignbench.scoring.model_based.bertscore import BERTSCORE, bert_scores
from alignbench.scoring.model_based.imported import imported_pairs
from alignbench.scoring.model_based.judge import JUDGED, JudgedScores
from alignbench.scoring.model_based.stances import STANCE_SCORES, stance_scores
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.scoring.responses import Responses, all_texts
from alignbench.spec import Model
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class ModelMetricRequest:
    """Which metrics, of what.

    Attributes:
        metrics: Names; those that need no model are not computed here.
        responses: What is scored.
        reference: Name of a condition, None without one.
        floor: The same.
        sources: The samples of the reference that contexts are made from (see `held_out`).
        session: Where the responses are from, None for a file.
        prompt_text: The text of a prompt by its id, None where it is not known.
        base: The base model that reads the responses, None without one.
        no_base: Why there is no base model, where there is none.
        imported: Whether pairs that the session was imported with go before BERTScore that is computed here.
        qualities: A judge's grades, None where nobody judged.
        no_qualities: Why there are no grades, where there are none.
        judged_by: The judge and its template, for the versions.
        stances: What side responses take, None where nobody judged.
        threshold: Least quality that passes the gate, 1 to 5.
        class_threshold: Cosine from which two responses are one answer.
        seed: Of the orders of progressive surprise and of BERTScore's shuffled null.
    """

    metrics: Collection[str]
    responses: Responses
    reference: str | None = None
    floor: str | None = None
    sources: Sources = no_sources
    session: tuple[Store, int] | None = None
    prompt_text: Callable[[str], str | None] = lambda _: None
    base: Model | None = None
    no_base: str = ""
    imported: bool = False
    qualities: Qualities | None = None
    no_qualities: str = ""
    judged_by: str = ""
    stances: Stances | None = None
    threshold: float = THRESHOLD
    class_threshold: float = CLASS_THRESHOLD
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ModelBackends:
    """What metrics are computed with.

    Attributes:
        likelihoods: Opens what asks models for log-probs; called only where a metric needs some.
        embed: Makes token vectors, None without an embedding model.
        no_embed: Why there is no embedding model, where there is none.
        embeddings: Of whole responses, None where there are none.
    """

    likelihoods: Callable[[], LikelihoodCache] | None = None
    embed: EmbedPool | None = None
    no_embed: str = ""
    embeddings: Embeddings | None = None


@dataclass(frozen=True, slots=True)
class ModelMetrics:
    """What models said.

    Attributes:
        scores: By prompt and condition.
        why_not: By metric, why there is no value where `scores` has none.
        versions: By metric, with the model.
        base: Name of the base model that read the responses, None where none did.
        imported: What a reader of imported pairs has to know, empty without any.
        notes: What a reader of the other numbers has to know.
    """

    scores: PrecomputedScores = field(default_factory=PrecomputedScores)
    why_not: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None
    imported: str = ""
    notes: tuple[str, ...] = ()

    def __or__(self, other: ModelMetrics) -> ModelMetrics:
        return ModelMetrics(
            self.scores | other.scores,
            {**self.why_not, **other.why_not},
            {**self.versions, **other.versions},
            other.base or self.base,
            other.imported or self.imported,
            (*self.notes, *other.notes),
        )


def compute_model_metrics(
    request: ModelMetricRequest, backends: ModelBackends, progress: Progress = silent
) -> ModelMetrics:
    """Those of the metrics that need a model; nothing is loaded that none of them needs."""
    computed = ModelMetrics()
    if under_base := tuple(metric for metric in (LOGPROB, SURPRISE) if metric in request.metrics):
        computed |= _under_base(under_base, request, backends, progress)
    if GAP in request.metrics:
        computed |= _gap(request, backends, progress)
    if BERTSCORE in request.metrics:
        computed |= _bertscore(request, backends, progress)
    if judged := tuple(metric for metric in JUDGED if metric in request.metrics):
        computed |= _judged(judged, request, backends, progress)
    if of_stances := tuple(metric for metric in STANCE_SCORES if metric in request.metrics):
        computed |= _of_stances(of_stances, request)
    return computed


def _under_base(
    metrics: tuple[str, ...], request: ModelMetricRequest, backends: ModelBackends, progress: Progress
) -> ModelMetrics:
    model = request.base
    if model is None or backends.likelihoods is None:
        return ModelMetrics(why_not=dict.fromkeys(metrics, request.no_base))
    likelihoods = backends.likelihoods()
    scores = BaseScores(likelihoods, model, request.prompt_text, seed=request.seed)
    within = scores.within(request.responses, metrics, progress)
    identity = likelihoods.identity(model)  # the weights decide the tokenizer too
    versions = {metric: f"{METRICS[metric].version}+{model.name}@{identity[:12]}" for metric in metrics}
    if SURPRISE in metrics:
        versions[SURPRISE] += f"+{ORDERS}orders"
    return ModelMetrics(PrecomputedScores(within), versions=versions, base=model.name)


def _gap(request: ModelMetricRequest, backends: ModelBackends, progress: Progress) -> ModelMetrics:
    if request.session is None or backends.likelihoods is None:
        return ModelMetrics(why_not={GAP: "needs a session, whose conditions name their models"})
    if request.reference is None:
        return ModelMetrics(why_not={GAP: "needs a reference"})
    gaps = session_gaps(
        *request.session, request.responses, request.reference, request.floor, request.sources,
        backends.likelihoods(), progress,
    )  # fmt: skip
    notes = []
    others = {name: ends for name, ends in gaps.ends.items() if name != request.reference}
    for so_far in dict.fromkeys(ends.so_far for ends in others.values() if ends.so_far):
        names = ", ".join(name for name, ends in others.items() if ends.so_far == so_far)
        notes.append(f"{GAP} is {so_far}: {names}")
    for why in dict.fromkeys(gaps.cross_entropies.values()):
        names = ", ".join(name for name, reason in gaps.cross_entropies.items() if reason == why)
        notes.append(f"{GAP} is a difference of cross-entropies, no KL divergence, since {why}: {names}")
    return ModelMetrics(PrecomputedScores(compared=gaps.compared), notes=tuple(notes))


def _bertscore(request: ModelMetricRequest, backends: ModelBackends, progress: Progress) -> ModelMetrics:
    """From the pairs that a session was imported with, or from token vectors of the embedding model."""
    version = METRICS[BERTSCORE].version
    if request.imported and request.session is not None:
        pairs, note = imported_pairs(*request.session, request.reference, request.floor, request.sources)
        if note:
            return ModelMetrics(
                pairs, {BERTSCORE: "no imported pairs"}, {BERTSCORE: f"{version}+imported"}, imported=note
            )
    if backends.embed is None:
        return ModelMetrics(why_not={BERTSCORE: backends.no_embed})
    computed = bert_scores(
        request.responses, backends.embed, request.reference, progress, request.seed,
        floor=request.floor, sources=request.sources,
    )  # fmt: skip
    scores = PrecomputedScores(
        {place: {BERTSCORE: value} for place, value in computed.within.items()},
        computed.compared,
    )
    return ModelMetrics(scores, versions={BERTSCORE: f"{version}+{computed.encoder}"})


def _judged(
    metrics: tuple[str, ...], request: ModelMetricRequest, backends: ModelBackends, progress: Progress
) -> ModelMetrics:
    if request.qualities is None:
        return ModelMetrics(why_not=dict.fromkeys(metrics, request.no_qualities))
    if backends.embeddings is not None:
        backends.embeddings.make(all_texts(request.responses), progress, total=request.responses.n)
    judged = JudgedScores(request.qualities, backends.embeddings, request.threshold, request.class_threshold)
    within = judged.within(request.responses)
    versions = {metric: f"{METRICS[metric].version}+{request.judged_by}" for metric in metrics}
    return ModelMetrics(PrecomputedScores(within), versions=versions)


def _of_stances(metrics: tuple[str, ...], request: ModelMetricRequest) -> ModelMetrics:
    stances = request.stances
    if stances is None or not stances.of:
        return ModelMetrics(why_not=dict.fromkeys(metrics, NO_STANCES))
    versions = {metric: f"{METRICS[metric].version}+{stances.judge}" for metric in metrics}
    return ModelMetrics(PrecomputedScores(stance_scores(request.responses, stances)), versions=versions)
