"""A session's report: its scores, its judgments, its counts, what it was made with, and an investigation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from alignbench.contexts.source_samples import Sources
from alignbench.errors import InputError, did_you_mean
from alignbench.judging.preferences import label_agreement
from alignbench.judging.qualities import Qualities, read_qualities
from alignbench.judging.stances import read_stances
from alignbench.judging.summary import Agreement, agreement, judged_tables
from alignbench.machine import usable_cores
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.registry import METRICS, cross, within
from alignbench.metrics.statistics import Uncertainty
from alignbench.own_metrics.registration import failures
from alignbench.progress import Progress, silent
from alignbench.reports.caveats import said_first
from alignbench.reports.constraint_ladders import constraint_ladders, read_satisfied
from alignbench.reports.contents import Diversity, Investigated, Report, ReportedCondition, ReportMeta, SampleCounts
from alignbench.reports.coverage_curves import Coverage, coverage_curves
from alignbench.reports.dial import NO_BITS, Dial, adapter_ladders, dial
from alignbench.reports.entropies import entropies
from alignbench.reports.finding import Finding
from alignbench.reports.findings import findings
from alignbench.reports.frontier import frontier
from alignbench.reports.gate import quality_gate
from alignbench.reports.openings import openings
from alignbench.reports.options import Options
from alignbench.reports.pluralism import pluralism
from alignbench.reports.pluralism_findings import pluralism_findings
from alignbench.reports.recovery import recovery_findings
from alignbench.reports.revisions import revision_ladders
from alignbench.reports.roles import role_of
from alignbench.scoring.batch import score_responses
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.endings import ended_shares
from alignbench.scoring.equivalence import Equivalence, embedding_equivalence
from alignbench.scoring.given_classes import ClassScores
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.alignment_gap import GAP
from alignbench.scoring.model_based.bertscore import BERTSCORE
from alignbench.scoring.model_based.bits_from_base import BitsFromBase, bits_from_base
from alignbench.scoring.model_based.compute import ModelBackends, ModelMetricRequest, compute_model_metrics
from alignbench.scoring.model_based.judge import JUDGED
from alignbench.scoring.model_based.stances import STANCE_SCORES
from alignbench.scoring.notes import draw_notes, prompt_notes, score_notes
from alignbench.scoring.own_scores import KeptScores, kept_scores, precomputed
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.scoring.responses import SessionResponses
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.scorer import ScoreRequest
from alignbench.scoring.truncation import Truncations, session_truncations
from alignbench.spec import Condition
from alignbench.store import Store
from alignbench.surveys.session_survey import session_survey


def build_report(
    store: Store,
    session: int,
    options: Options,
    embeddings: Embeddings | None,
    of_sentences: Embeddings | None,
    progress: Progress = silent,
    of_classes: ClassScores | None = None,
    likelihoods: Callable[[], LikelihoodCache] | None = None,
) -> Report:
    """The report of a session.

    embeddings, of_sentences: of whole responses and of their sentences, None where no wanted score needs any.
    of_classes: what responses are one answer by; None for their embeddings.
    likelihoods: opens what asks models for log-probs, called only where a wanted score needs some; None where they
    cannot be asked.
    InputError where the reference or the floor is no condition of the session.
    """
    info = store.session(session)
    only_read = store.has_option_masses(session)  # a survey by log-probs has no samples
    responses = SessionResponses(store, session, options.conditions, may_be_empty=only_read)
    conditions = [condition for condition in store.conditions(session) if condition.name in responses.conditions]
    for option, name in (("--reference", options.reference), ("--floor", options.floor)):
        if name is not None and name not in responses.conditions:
            near = did_you_mean(name, responses.conditions)
            raise InputError(f"{option}: session {session} has no condition named {name!r}. {near}".rstrip())
    sources = store.sources(session, options.reference)
    own = next((condition for condition in conditions if condition.name == options.reference), None)
    qualities = read_qualities(store, session, options.judge)
    stances = read_stances(store, session, options.judge)
    of_classes = of_classes or ClassScores(embedding_equivalence(responses, embeddings, progress))
    equivalence = of_classes.equivalence
    asked = {*options.metrics} & {GAP} if likelihoods is not None else set()
    of_models = compute_model_metrics(
        ModelMetricRequest(
            {*options.metrics} & {*JUDGED, *STANCE_SCORES} | asked | {BERTSCORE},
            responses,
            options.reference,
            options.floor,
            sources,
            (store, session),
            imported=True,
            qualities=qualities if qualities.of else None,
            no_qualities="no quality judgments",
            stances=stances,
            threshold=options.gate,
            class_threshold=equivalence.cosine,
        ),
        ModelBackends(likelihoods, embeddings=embeddings),
        progress,
    )
    kept = kept_scores(store, session)
    uncertainty = Uncertainty(resamples=options.resamples, seed=options.seed)
    tables = score_responses(
        responses,
        ScoreRequest(
            within=within(options.metrics),
            cross=cross(options.metrics),
            unavailable={**of_models.why_not, **_unavailable(options.metrics, asked)},
            reference=options.reference,
            floor=options.floor,
            no_floor=options.no_floor,
            mode=options.mode,
            resamples=options.resamples,
            seed=options.seed,
            class_threshold=equivalence.cosine,
        ),
        embeddings,
        progress,
        of_sentences=of_sentences,
        given=of_models.scores | _kept_values(kept, responses, options),
        of_classes=of_classes.scores,
        sources=sources,
        processes=usable_cores(),
    )
    rungs = {prompt.id: prompt.rung for prompt in store.prompts(session) if prompt.rung is not None}
    report = Report(
        session=session,
        scores=tables,
        constraints=constraint_ladders(
            rungs,
            responses,
            read_satisfied(store, session, options.judge) if rungs else ("", {}),
            options.metrics,
            options.mode,
            embeddings,
            options.reference,
            uncertainty,
        ),
        survey=session_survey(store, session, uncertainty, options.conditions, options.judge),
        judged=judged_tables(
            store,
            session,
            judge=options.judge,
            reference=options.reference,
            conditions=options.conditions,
            uncertainty=uncertainty,
        ),
        counts=_counts(store, session, responses.conditions),
        meta=ReportMeta(
            name=info.name,
            created=info.created,
            updated=info.updated,
            reference=options.reference,
            floor=options.floor,
            floor_reason="" if options.floor else options.no_floor,
            mode=options.mode.name,
            prompts=len(responses.prompts),
            contested=len(responses.contested),
            samples=responses.n,
            left_out=responses.left_out,
            metrics={
                **{name: METRICS[name].version_in(options.mode) for name in options.metrics},
                **equivalence.versions(options.metrics),
            },
            equivalence=equivalence,
            resamples=options.resamples,
            seed=options.seed,
            conditions={c.name: ReportedCondition(c, role_of(c, own, options.floor)) for c in conditions},
            ladders=revision_ladders(conditions, store.manifest(session).get("experiment", {}).get("ladders", ())),
            judges=_agreement(store, session),
            manifest={k: v for k, v in store.manifest(session).items() if k not in ("conditions", "imported")},
            notes=(
                *([of_models.imported] if of_models.imported else ()),
                *of_models.notes,
                *prompt_notes({prompt: responses.whole_prompt(prompt) for prompt in responses.prompts}),
                *_notes(store, session, tables, responses.truncations, equivalence, options),
                *of_classes.notes,
                *failures(options.metrics),
                *(kept.metrics[name].remark for name in _kept_names(kept, options)),
            ),
        ),
    )
    if options.investigation is None:
        return report
    roles = {condition.name: _role(condition) for condition in conditions}
    diversity = of_pluralism = None
    sentences: list[Finding] = []
    if options.investigates("diversity"):
        diversity = _diversity(
            conditions, qualities, options, responses, embeddings, of_sentences, uncertainty, report, sources
        )
        dials = _dials(
            store, session, conditions, options, responses, tables, qualities, likelihoods, uncertainty, progress
        )
        diversity = replace(diversity, dials=dials)
        sentences += findings(report, diversity)
    if options.investigates("recovery"):
        sentences += recovery_findings(report, roles)
    if options.investigates("pluralism"):
        of_pluralism = pluralism(responses, stances, options.reference, embeddings, options.mode, uncertainty, sources)
        sentences += pluralism_findings(report, of_pluralism)
    said = *said_first(sentences, report, None if diversity is None else diversity.coverage), *sentences
    return replace(report, investigation=Investigated(options.investigation, roles, said, diversity, of_pluralism))


def _diversity(
    conditions: Sequence[Condition],
    qualities: Qualities,
    options: Options,
    responses: SessionResponses,
    embeddings: Embeddings | None,
    of_sentences: Embeddings | None,
    uncertainty: Uncertainty,
    report: Report,
    sources: Sources,
) -> Diversity:
    if options.reference is None or of_sentences is None:
        coverage = Coverage("there is no reference" if options.reference is None else "coverage was not asked for")
    else:
        coverage = coverage_curves(
            responses, options.reference, of_sentences, responses.contested, uncertainty, sources
        )
    temperatures = {condition.name: condition.settings["temperature"] for condition in conditions}
    return Diversity(
        openings=openings(responses, options.mode, options.reference, resamples=options.resamples, seed=options.seed),
        gate=quality_gate(
            responses, qualities, options.metrics, options.mode, embeddings, responses.contested, options.reference,
            uncertainty, options.gate, report.meta.equivalence.cosine,
        ),
        coverage=coverage,
        entropies=entropies(responses, temperatures, options.reference, uncertainty),
        frontier=frontier(conditions, options.temperatures, report.scores, qualities, uncertainty)
        if options.temperatures
        else None,
    )  # fmt: skip


def _dials(
    store: Store,
    session: int,
    conditions: Sequence[Condition],
    options: Options,
    responses: SessionResponses,
    tables: ScoreTables,
    qualities: Qualities,
    likelihoods: Callable[[], LikelihoodCache] | None,
    uncertainty: Uncertainty,
    progress: Progress,
) -> tuple[Dial, ...]:
    ladders = adapter_ladders(conditions)
    if not ladders:
        return ()
    base = next((condition for condition in conditions if condition.name == options.floor), None)
    asked = likelihoods() if likelihoods is not None and GAP in options.metrics and base is not None else None

    def bits(condition: Condition) -> BitsFromBase:
        if asked is None or base is None:
            return BitsFromBase(Estimate(reason=options.no_floor if GAP in options.metrics else NO_BITS))
        return bits_from_base(store, session, responses, condition, base, asked, uncertainty, progress)

    ends = ended_shares(store, session, [condition.name for of in ladders for _, condition in of.rungs])
    return tuple(
        dial(ladder, base, responses, options.metrics, options.mode, tables, qualities, ends, bits, uncertainty)
        for ladder in ladders
    )


def _kept_names(kept: KeptScores, options: Options) -> list[str]:
    """Users' scores whose function is not asked here."""
    return [name for name in options.metrics if name in kept.metrics and METRICS[name].formula is None]


def _kept_values(kept: KeptScores, responses: SessionResponses, options: Options) -> PrecomputedScores:
    names = _kept_names(kept, options)
    cells = {prompt: responses.cells(prompt) for prompt in responses.prompts} if names else {}
    return precomputed(kept, cells, options.reference, names)


def _agreement(store: Store, session: int) -> dict[str, dict[str, Agreement]]:
    """Of judges with each other, and of people with judges."""
    return {**agreement(store, session), **label_agreement(store, session)}


def _role(condition: Condition) -> str:
    if condition.model.kind == "aligned":
        return "aligned"
    return "base" if condition.context.zero_shot else "in-context"


def _unavailable(metrics: Sequence[str], asked: Collection[str]) -> dict[str, str]:
    """What only a model that is asked again could tell; `alignbench score` asks it. asked: what is asked for here."""
    needs = {name: METRICS[name].needs for name in metrics if name not in asked}
    asks = [name for name, of in needs.items() if "base model" in of or "both models" in of]
    why_not = {name: f"not part of this report: alignbench score --metrics {name}" for name in asks}
    gone = {
        name: f"nothing is kept of {METRICS[name].origin}, which is not at hand: {METRICS[name].meaning}"
        for name in metrics
        if METRICS[name].origin and METRICS[name].formula is None
    }
    return {**why_not, **gone, BERTSCORE: "no pairs were imported"}


def _counts(store: Store, session: int, conditions: Sequence[str]) -> dict[str, SampleCounts]:
    truncations = session_truncations(store, session)
    return {
        of.condition: SampleCounts(of.samples, of.errors, truncations[of.condition].cut, of.refused)
        for of in store.counts(session)
        if of.condition in conditions
    }


def _notes(
    store: Store,
    session: int,
    tables: ScoreTables,
    truncations: Truncations,
    equivalence: Equivalence,
    options: Options,
) -> list[str]:
    """What a reader of the numbers has to know."""
    notes = list(store.manifest(session).get("imported", {}).get("notes", []))
    return [
        *notes,
        *draw_notes(store, session, tables),
        *score_notes(tables, truncations, equivalence, scores_empty=options.mode.scores_empty),
        *store.damage,
    ]
