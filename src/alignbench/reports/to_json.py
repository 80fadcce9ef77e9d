"""What commands print with --json: the one place where results become JSON. Every key here is public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from alignbench.judging.summary import Agreement, JudgedEstimate, JudgedTable
from alignbench.metrics.intervals import LEVEL
from alignbench.metrics.power import POWER, prompts_needed
from alignbench.reports.constraints_to_json import constraints_json
from alignbench.reports.contents import Diversity, Investigated, Report, ReportMeta, SampleCounts
from alignbench.reports.coverage_curves import Coverage, EqualCoverage
from alignbench.reports.dial import Dial, DialPoint
from alignbench.reports.entropies import Entropies
from alignbench.reports.frontier import Frontier
from alignbench.reports.gate import GatedCondition, QualityGate
from alignbench.reports.json_values import (
    ESTIMATE_KEYS,
    JsonObject,
    change_json,
    curve_json,
    difference_json,
    ends_json,
    estimate_json,
)
from alignbench.reports.plan_section import prompts_by_samples
from alignbench.reports.pluralism_to_json import pluralism_json
from alignbench.scoring.equivalence import Equivalence
from alignbench.scoring.pilot import ComparisonPlan, PilotComparison
from alignbench.scoring.score_tables import CrossEstimate, MatchedEstimate, ScoredResponses, ScoreTables, WithinEstimate
from alignbench.scoring.truncation import Truncations
from alignbench.spec import Condition
from alignbench.surveys.to_json import survey_json


def scores_json(tables: ScoreTables) -> JsonObject:
    """{"within": {condition: {metric: {"value", "ci", "n", ...}}}, "cross": the same, "matched": the same}."""
    return {
        "within": {name: {m: _within(one) for m, one in scores.items()} for name, scores in tables.within.items()},
        "cross": {name: {m: _cross(one) for m, one in scores.items()} for name, scores in tables.cross.items()},
        "matched": {name: {m: _matched(one) for m, one in scores.items()} for name, scores in tables.matched.items()},
    }


def _shares(truncations: Truncations) -> JsonObject:
    """By condition the share of responses that were cut by length; null where nobody recorded how they ended."""
    return {name: of.share for name, of in truncations.items()}


def plan_json(plan: ComparisonPlan) -> JsonObject:
    """{"session", "reference", "effect", "power", "level", "comparisons": [{"condition", "metric", ...}]}."""
    return {
        "session": plan.session,
        "reference": plan.reference,
        "effect": plan.effect,
        "power": POWER,
        "level": LEVEL,
        "comparisons": [_planned(one, plan.effect) for one in plan.comparisons],
    }


def _planned(one: PilotComparison, effect: float) -> JsonObject:
    """prompts: with the samples of the pilot; by_samples: with others."""
    spread = one.spread
    by_samples = None if spread is None else prompts_by_samples(spread, effect)
    return {
        "condition": one.condition,
        "metric": one.metric,
        "matched": one.matched,
        "difference": spread and spread.difference,
        "sd": spread and spread.sd,
        "sd_ci": ends_json(None if spread is None else spread.sd_ci),
        "n": spread and spread.n_prompts,
        "of_prompts": spread and spread.of_prompts,
        "of_samples": spread and spread.of_samples,
        "prompts": spread and prompts_needed(spread.sd, effect),
        "by_samples": by_samples and {str(n): prompts for n, prompts in by_samples.items()},
        "reason": one.reason,
    }


def scored_json(scored: ScoredResponses) -> JsonObject:
    """{"within", "cross", "matched", "meta"}."""
    source = scored.source
    meta = {
        **({"session": source} if isinstance(source, int) else {"file": str(source)}),
        "mode": scored.mode,
        "truncate": scored.truncate,
        "reference": scored.reference,
        "floor": scored.floor.name,
        "floor_reason": scored.floor.reason,
        "reason": scored.no_reference,
        "prompts": scored.prompts,
        "samples": scored.samples,
        "left_out": scored.left_out,
        "conditions": {name: asdict(size) for name, size in scored.tables.sizes.items()},
        "truncated_share": _shares(scored.truncations),
        "metrics": {**scored.versions},
        "bootstrap": {"resamples": scored.resamples, "seed": scored.seed},
        "embedder": scored.embedder,
        "base": scored.base,
        "equivalence": _equivalence(scored.equivalence),
        "notes": [*scored.notes],
    }
    return {**scores_json(scored.tables), "meta": meta}


def _equivalence(equivalence: Equivalence) -> JsonObject:
    """`by` and, where that is a cosine, `value`, `chance` and `false_matches` (see `CalibratedThreshold`)."""
    threshold = equivalence.threshold
    return {"by": equivalence.by, "threshold": None if threshold is None else asdict(threshold)}


def _within(score: WithinEstimate) -> JsonObject:
    return {
        "value": score.value,
        "ci": ends_json(score.ci),
        "n": score.n,
        "samples": score.samples,
        "reason": score.reason,
        **score.extra,
        **({} if score.difference is None else {"difference": difference_json(score.difference)}),
    }


def _cross(score: CrossEstimate) -> JsonObject:
    whole = score.with_source
    return {
        **_numbers(score),
        "held_out": score.held_out,
        "source": score.source,
        "with_source": None if whole is None else {**_numbers(whole), **_beside(whole)},
        **_beside(score),
    }


def _numbers(score: CrossEstimate) -> JsonObject:
    return {
        "value": score.value,
        "ci": ends_json(score.ci),
        "max_matched": score.max_matched,
        "mmd2": score.mmd2,
        "ceiling": score.ceiling,
        "floor": score.floor,
        "null": score.null,
        "recovery": score.recovery,
    }


def _beside(score: CrossEstimate) -> JsonObject:
    return {
        "n": score.n,
        "reason": score.reason,
        "mmd2_ci": ends_json(score.mmd2_ci),
        "recovery_ci": ends_json(score.recovery_ci),
        "recovery_reason": score.recovery_reason,
        "warning": score.warning,
        "gap_ci": ends_json(score.gap_ci),
        **score.extra,
    }


def _matched(matched: MatchedEstimate) -> JsonObject:
    difference = matched.difference
    return {
        "value": matched.value,
        "reference": matched.reference,
        "difference": difference.value,
        "ci": ends_json(difference.ci),
        "p": difference.p,
        "n": difference.n,
        "skipped": matched.skipped,
        **({} if matched.value is not None else {"reason": matched.reason}),
    }


def judged_json(judged: Mapping[str, JudgedTable]) -> JsonObject:
    """{kind: {condition, or "alternative vs reference": {field: {"value", "ci", "n", ...}}}}."""
    return {
        kind: {name: {field: _judged(one) for field, one in fields.items()} for name, fields in table.items()}
        for kind, table in judged.items()
    }


def agreement_json(agreed: Mapping[str, Agreement]) -> JsonObject:
    """{field: {"alpha", "items", "judges"}}."""
    return {name: {**asdict(one), "judges": [*one.judges]} for name, one in agreed.items()}


def report_json(report: Report) -> JsonObject:
    """{"session", "within", "cross", "matched", "judged", "counts", "meta"}; "investigation" if one was asked for,
    "constraints" if there are ladders of them, "survey" if prompts have options."""
    return {
        "session": report.session,
        **scores_json(report.scores),
        "judged": judged_json(report.judged),
        "counts": _counts(report.counts),
        "meta": {
            **_meta(report.meta),
            "truncated_share": _shares(report.truncations),
        },
        **({} if report.investigation is None else {"investigation": _investigation(report.investigation)}),
        **({} if report.constraints is None else {"constraints": constraints_json(report.constraints)}),
        **({} if report.survey is None else {"survey": survey_json(report.survey)}),
    }


def _counts(counts: Mapping[str, SampleCounts]) -> JsonObject:
    """By condition; `refused` where any of the session's samples is a refusal, as its server says."""
    values = {name: asdict(of) for name, of in counts.items()}
    if not any(of.refused for of in counts.values()):
        for of_condition in values.values():
            del of_condition["refused"]
    return values


def _meta(meta: ReportMeta) -> JsonObject:
    return {
        "name": meta.name,
        "created": meta.created,
        "updated": meta.updated,
        "reference": meta.reference,
        "floor": meta.floor,
        "floor_reason": meta.floor_reason,
        "mode": meta.mode,
        "prompts": meta.prompts,
        "contested": meta.contested,
        "samples": meta.samples,
        "left_out": meta.left_out,
        "metrics": meta.metrics,
        "bootstrap": {"resamples": meta.resamples, "seed": meta.seed},
        "conditions": {name: _condition(one.condition, one.role) for name, one in meta.conditions.items()},
        "ladders": [[*ladder] for ladder in meta.ladders],
        "judges": {kind: agreement_json(agreed) for kind, agreed in meta.judges.items()},
        "manifest": meta.manifest,
        "notes": [*meta.notes],
        "embedder": meta.embedder,
        "equivalence": _equivalence(meta.equivalence),
    }


def _condition(condition: Condition, role: str) -> JsonObject:
    return {
        "model": condition.model.reference,
        "kind": condition.model.kind,
        "role": role,
        "context": condition.context.to_json(),
        **{name: [*value] if isinstance(value, tuple) else value for name, value in condition.settings.items()},
        "hash": condition.hash,
    }


def _investigation(investigated: Investigated) -> JsonObject:
    return {
        "kind": investigated.kind,
        "conditions": investigated.conditions,
        "findings": [finding.text for finding in investigated.findings],
        **({} if investigated.diversity is None else _diversity(investigated.diversity)),
        **({} if investigated.pluralism is None else {"pluralism": pluralism_json(investigated.pluralism)}),
    }


def _diversity(diversity: Diversity) -> JsonObject:
    openings = diversity.openings
    return {
        "openings": {
            "metric": openings.metric,
            "words": openings.words,
            "conditions": {name: _within(score) for name, score in openings.scores.items()},
        },
        "entropies": _entropies(diversity.entropies),
        "gate": _gate(diversity.gate),
        "coverage": _coverage(diversity.coverage),
        **({} if diversity.frontier is None else {"frontier": _frontier(diversity.frontier)}),
        **({"dial": [_dial(one) for one in diversity.dials]} if diversity.dials else {}),
    }


def _entropies(entropies: Entropies) -> JsonObject:
    return {
        name: {
            "temperature": one.temperature,
            "raw": estimate_json(one.raw),
            "drawn": estimate_json(one.drawn),
            "per_byte": estimate_json(one.per_byte),
            **({} if one.difference is None else {"difference": difference_json(one.difference)}),
            **({} if one.raw_difference is None else {"raw_difference": difference_json(one.raw_difference)}),
        }
        for name, one in entropies.conditions.items()
    }


def _gate(gate: QualityGate) -> JsonObject:
    return {
        "threshold": gate.threshold,
        "quality": gate.quality,
        "judge": gate.judge,
        "reason": gate.reason,
        "conditions": {name: _gated(gated) for name, gated in gate.conditions.items()},
    }


def _gated(gated: GatedCondition) -> JsonObject:
    metrics = {
        metric: {
            "before": estimate_json(one.before),
            "after": estimate_json(one.after),
            "change": change_json(one.change),
        }
        for metric, one in gated.metrics.items()
    }
    gap = {
        metric: {"before": change_json(one.before), "after": change_json(one.after), "share": estimate_json(one.share)}
        for metric, one in gated.gap.items()
    }
    return {
        "judged": gated.judged,
        "passing": gated.passing,
        "share": estimate_json(gated.share),
        "distinct_passing": estimate_json(gated.distinct_passing),
        "effective_diversity": estimate_json(gated.effective_diversity),
        "metrics": metrics,
        **({"gap": gap} if gap else {}),
    }


def _coverage(coverage: Coverage) -> JsonObject:
    computed: JsonObject = {}
    if coverage.share is not None:
        computed = {"false_matches": coverage.false_matches, "share": coverage.share}
    if not coverage.reason:
        computed["reference"] = {"n": coverage.n, "of_itself": curve_json(coverage.reference)}
    return {
        "threshold": coverage.threshold,
        **computed,
        "reason": coverage.reason,
        "conditions": {
            name: {
                "n": covered.n,
                "of_reference": curve_json(covered.of_reference),
                "by_reference": curve_json(covered.by_reference),
                "of_itself": curve_json(covered.of_itself),
                "responses_covered": estimate_json(covered.responses_covered),
                "equal_count": {
                    "of_reference": _equal_coverage(covered.equal_of_reference),
                    "by_reference": _equal_coverage(covered.equal_by_reference),
                },
            }
            for name, covered in coverage.conditions.items()
        },
    }


def _equal_coverage(equal: EqualCoverage) -> JsonObject:
    return {
        **estimate_json(equal.by_other),
        "sentences": equal.sentences,
        "itself": estimate_json(equal.by_itself),
        "difference": change_json(equal.difference),
    }


def _frontier(frontier: Frontier) -> JsonObject:
    return {
        "temperatures": [*frontier.temperatures],
        "points": [
            {
                "condition": point.condition,
                "group": point.group,
                "temperature": point.temperature,
                "surprisal": dict.fromkeys(ESTIMATE_KEYS)
                if point.surprisal is None
                else estimate_json(point.surprisal),
                "diversity": {name: estimate_json(one) for name, one in point.diversity.items()},
                "similarity": {name: estimate_json(one) for name, one in point.similarity.items()},
                "quality": estimate_json(point.quality),
            }
            for point in frontier.points
        ],
        "missing": [asdict(one) for one in frontier.missing],
    }


def _dial(dial: Dial) -> JsonObject:
    return {
        "name": dial.name,
        "base": dial.base,
        "same_layout": dial.same_layout,
        "skipped": {**dial.skipped},
        "points": [_dial_point(point) for point in dial.points],
    }


def _dial_point(point: DialPoint) -> JsonObject:
    """bits: `kl` says whether they estimate a KL divergence, null where there are none."""
    bits = point.bits
    kl = None if bits.estimate.value is None else not bits.no_kl
    return {
        "condition": point.condition,
        "scale": point.scale,
        "bits": {**estimate_json(bits.estimate), "kl": kl, "no_kl": bits.no_kl, "so_far": bits.ends.so_far},
        "ended": estimate_json(point.ended),
        "words": estimate_json(point.words),
        "diversity": {name: estimate_json(one) for name, one in point.diversity.items()},
        "matched": {
            name: {
                **estimate_json(one.estimate),
                **({} if one.difference is None else {"difference": difference_json(one.difference)}),
            }
            for name, one in point.matched.items()
        },
        "quality": estimate_json(point.quality),
    }


def _judged(judged: JudgedEstimate) -> JsonObject:
    whole = judged.with_source
    return {
        "value": judged.value,
        "ci": ends_json(judged.ci),
        "n": judged.n,
        "prompts": judged.prompts,
        "invalid": judged.invalid,
        "na": judged.na,
        **({} if judged.flipped is None else {"flipped": judged.flipped}),
        "judges": [*judged.judges],
        **({} if whole is None else {"with_source": _judged(whole), "reason": judged.reason}),
    }
