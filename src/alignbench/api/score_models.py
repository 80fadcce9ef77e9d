"""The scores of `alignbench score` that a language model has to be asked for: which model, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alignbench.errors import InputError

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool
    from alignbench.judging.runner import JudgeRun
    from alignbench.metrics.values import Cross, Value
    from alignbench.progress import Progress
    from alignbench.scoring.embedding_cache import Embeddings
    from alignbench.scoring.likelihood_cache import LikelihoodCache
    from alignbench.scoring.responses import FileResponses, Responses, SessionResponses
    from alignbench.spec import Model
    from alignbench.store import Store


@dataclass(slots=True)
class ModelMetrics:
    """What models said. why_not: of metrics that nothing can be said of. versions: of metrics, with their model. base:
    the name of the base model that read the responses."""

    within: dict[tuple[str, str], dict[str, Value]] = field(default_factory=dict)
    cross: dict[tuple[str, str], dict[str, Cross]] = field(default_factory=dict)
    null: dict[str, dict[str, Cross]] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    base: str | None = None
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False


def ask_models(
    stack: ExitStack,
    metrics: Collection[str],
    responses: Responses,
    source: FileResponses | SessionResponses,
    base: str | None,
    reference: str | None,
    seed: int,
    progress: Progress,
    *,
    keep: Callable[[], Store],
    session: tuple[Store, int] | None,
) -> ModelMetrics:
    """Those of the metrics that need log-probs of given texts. source: what `responses` may be a shortened form of.

    keep: where the answers are kept.
    """
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.scoring.likelihood_cache import LikelihoodCache
    from alignbench.scoring.model_based.alignment_gap import GAP
    from alignbench.scoring.model_based.base_model import LOGPROB, SURPRISE

    asked = ModelMetrics()
    wanted = {LOGPROB, SURPRISE, GAP} & set(metrics)
    model, why_not = base_model(base, session) if wanted - {GAP} else (None, "")
    if model is None:
        asked.why_not |= dict.fromkeys(wanted - {GAP}, why_not)
    if session is None:
        asked.why_not |= dict.fromkeys(wanted & {GAP}, "needs a session, whose conditions name their models")
    elif reference is None:
        asked.why_not |= dict.fromkeys(wanted & {GAP}, "needs a reference")
    wanted -= asked.why_not.keys()
    if not wanted:
        return asked
    pool = WorkerPool()
    stack.callback(pool.close)
    likelihoods = LikelihoodCache(keep(), pool)
    if model is not None and wanted - {GAP}:
        _ask_base(asked, likelihoods, model, wanted - {GAP}, responses, source, seed, progress)
    if session is not None and reference is not None and GAP in wanted:
        _ask_both(asked, likelihoods, session, responses, reference, progress)
    return asked


def base_model(name: str | None, session: tuple[Store, int] | None) -> tuple[Model | None, str]:
    """The base model that is named, else a session's only one; or why there is none. InputError for an aligned one."""
    from alignbench.models.catalog import resolve

    if name is not None:
        model = resolve(name)
        if model.kind != "base":
            raise InputError(f"--base {name!r} is an aligned model; expected a base model.")
        return model, ""
    if session is None:
        return None, "name the base model with --base"
    store, number = session
    models = {condition.model for condition in store.conditions(number) if condition.model.kind == "base"}
    if len(models) != 1:
        return None, f"the session has {len(models) or 'no'} base models; name one with --base"
    return models.pop(), ""


def _ask_base(
    asked: ModelMetrics,
    likelihoods: LikelihoodCache,
    model: Model,
    metrics: Collection[str],
    responses: Responses,
    source: FileResponses | SessionResponses,
    seed: int,
    progress: Progress,
) -> None:
    from alignbench.metrics.likelihood import ORDERS
    from alignbench.metrics.registry import METRICS
    from alignbench.scoring.model_based.base_model import SURPRISE, BaseScores

    asked.base = model.name
    asked.within = BaseScores(likelihoods, model, source.prompt_text, seed=seed).within(responses, metrics, progress)
    identity = likelihoods.identity(model)
    name = f"{model.name}@{identity[:12]}"  # the weights decide the tokenizer too
    asked.versions |= {metric: f"{METRICS[metric].version}+{name}" for metric in metrics}
    if SURPRISE in metrics:
        asked.versions[SURPRISE] += f"+{ORDERS}orders"


def _ask_both(
    asked: ModelMetrics,
    likelihoods: LikelihoodCache,
    session: tuple[Store, int],
    responses: Responses,
    reference: str,
    progress: Progress,
) -> None:
    from alignbench.scoring.model_based.alignment_gap import GAP, session_gaps

    gaps = session_gaps(*session, responses, reference, likelihoods, progress)
    for place, cross in gaps.cross.items():
        asked.cross.setdefault(place, {})[GAP] = cross
    for why in dict.fromkeys(gaps.cross_entropies.values()):
        names = ", ".join(name for name, reason in gaps.cross_entropies.items() if reason == why)
        asked.notes.append(f"alignment_gap is a difference of cross-entropies, no KL divergence, since {why}: {names}")


def ask_encoder(
    asked: ModelMetrics,
    responses: Responses,
    pool: EmbedPool | None,
    why_not: str,
    reference: str | None,
    seed: int,
    progress: Progress,
    imported: tuple[Store, int] | None,
) -> None:
    """BERTScore from the token vectors of the embedding model, or from the pairs that a session was imported with.

    imported: the session whose pairs, if it has any, go before what can be computed here.
    """
    from alignbench.metrics.registry import METRICS
    from alignbench.scoring.model_based.bertscore import BERTSCORE, bert_scores
    from alignbench.scoring.model_based.imported import imported_pairs

    pairs, note = imported_pairs(*imported, reference) if imported else (None, "")
    if pairs is not None and note:
        asked.notes.append(f"{note}; name an --embedder to compute it here")
        asked.versions[BERTSCORE] = f"{METRICS[BERTSCORE].version}+imported"
        asked.why_not[BERTSCORE] = "no imported pairs"
        for place, values in pairs.within.items():
            asked.within.setdefault(place, {}).update(values)
        for place, crosses in pairs.cross.items():
            asked.cross.setdefault(place, {}).update(crosses)
        return
    if pool is None:
        asked.why_not[BERTSCORE] = why_not
        return
    found = bert_scores(responses, pool, reference, progress, seed)
    asked.versions[BERTSCORE] = f"{METRICS[BERTSCORE].version}+{found.encoder}"
    for place, value in found.within.items():
        asked.within.setdefault(place, {})[BERTSCORE] = value
    for place, cross in found.cross.items():
        asked.cross.setdefault(place, {})[BERTSCORE] = cross
    asked.null |= {prompt: {BERTSCORE: cross} for prompt, cross in found.null.items()}


def ask_judge(
    asked: ModelMetrics,
    judge: Model,
    session: tuple[Store, int],
    responses: Responses,
    embeddings: Embeddings | None,
    follow: Callable[[JudgeRun], bool],
) -> None:
    """Judge the quality of the samples that this judge has not judged yet, and score what passes.

    embeddings: of the responses, made where they are not kept. follow: takes the judge to its end, see `run_scoring`.
    """
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.judging.plan import plan_judging
    from alignbench.judging.qualities import read_qualities
    from alignbench.judging.runner import JudgeRun
    from alignbench.metrics.registry import METRICS
    from alignbench.scoring.model_based.judge import JUDGED, JudgedScores

    plan = plan_judging(*session, "quality", judge)
    with closing(WorkerPool()) as pool:
        asked.interrupted = follow(JudgeRun(plan, pool, session[0]))
    if embeddings is not None:
        texts = (
            text for prompt in responses.prompts for cell in responses.cells(prompt).values() for text in cell.values()
        )
        embeddings.make(texts)
    scores = JudgedScores(read_qualities(*session, judge.reference), embeddings)
    for place, values in scores.within(responses).items():
        asked.within.setdefault(place, {}).update(values)
    name = f"{judge.reference}@{plan.template.hash[:12]}"
    asked.versions |= {metric: f"{METRICS[metric].version}+{name}" for metric in JUDGED}
    asked.notes.append(
        f"judged by {judge.name}: {len(scores.qualities.of)} of {plan.n} responses have a grade; "
        f"{scores.threshold:g} or more passes the gate"
    )
