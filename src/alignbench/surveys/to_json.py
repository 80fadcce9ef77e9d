"""Answers and what they come to over questions, ready for JSON; null where a key does not apply."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from alignbench.metrics.answer_distributions import AnswerDistance
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import PairedDifference
from alignbench.surveys.distribution import AnswerDistribution
from alignbench.surveys.session_survey import SurveyResults
from alignbench.surveys.summary import Answering, MeanDistance, Steering, SurveySummary

ANSWER_KEYS = ("prompt_id", "condition", "by", "options", "p", "outside", "refusals", "unparsed", "n", "entropy",
               "order_consistency", "groups", "refusal_share", "expected_consistency", "uniform", "floor",
               "judged", "paraphrase_of", "paraphrase_consistency", "expected_paraphrase_consistency")  # fmt: skip


def answer_json(answer: AnswerDistribution) -> dict[str, Any]:
    """One line: a question under a condition, by one way. `options`: those that answer, in the order of `p`."""
    options = answer.options
    return {
        "prompt_id": answer.question.id,
        "condition": answer.condition,
        "by": answer.by,
        "options": [options.texts[i] for i in options.answers],
        "p": None if answer.p is None else [*answer.p],
        "outside": answer.outside,
        "refusals": answer.refusals,
        "unparsed": answer.unparsed,
        "n": answer.n,
        "entropy": answer.entropy,
        "order_consistency": answer.order_consistency,
        "groups": {
            name: {**_distance(apart), "floor": answer.floor_to(name)} for name, apart in answer.to_groups.items()
        },
        "refusal_share": answer.refusal_share,
        "expected_consistency": answer.expected_consistency,
        "uniform": {**_distance(answer.to_uniform), "floor": answer.floor_to_uniform},
        "floor": answer.floor,
        "judged": answer.judged,
        "paraphrase_of": options.paraphrase_of or None,
        "paraphrase_consistency": answer.paraphrase_consistency,
        "expected_paraphrase_consistency": answer.expected_paraphrase_consistency,
    }


def _distance(distance: AnswerDistance | None) -> dict[str, float | None]:
    if distance is None:
        return dict.fromkeys(("tv", "jsd", "w1", "representativeness"))
    return asdict(distance)


def survey_json(results: SurveyResults) -> dict[str, Any]:
    """{"answers": [a line each], ...} and what `summary_json` has."""
    return {"answers": [answer_json(each) for each in results.answers], **summary_json(results.summary)}


def summary_json(summary: SurveySummary) -> dict[str, Any]:
    """Everything over questions."""
    return {
        "answering": [_answering(each) for each in summary.answering],
        "uniform": [_mean_distance(each, "uniform") for each in summary.to_uniform],
        "groups": [_mean_distance(each, "group") for each in summary.to_groups],
        "between": [_mean_distance(each, "other") for each in summary.between],
        "ways": [_mean_distance(each, "other") for each in summary.ways],
        "steering": [_steering(each) for each in summary.steering],
    }


def _answering(each: Answering) -> dict[str, Any]:
    return {
        "condition": each.condition,
        "by": each.by,
        "entropy": _estimate(each.entropy),
        "order_consistency": _estimate(each.consistency),
        "expected_consistency": _estimate(each.expected_consistency),
        "paraphrase_consistency": None if each.rewording is None else _estimate(each.rewording.consistency),
        "expected_paraphrase_consistency": None if each.rewording is None else _estimate(each.rewording.expected),
        "outside": None if each.outside is None else _estimate(each.outside),
        "n": each.n,
        "refusals": each.refusals,
        "unparsed": each.unparsed,
        "judged": each.judged,
        "unanswered": each.unanswered,
    }


def _mean_distance(each: MeanDistance, called: str) -> dict[str, Any]:
    other = {} if called == "uniform" else {called: each.other}
    distances = {name: _estimate(mean) for name, mean in each.distances.items()}
    return {"condition": each.condition, "by": each.by, **other, **distances, "floor": _estimate(each.floor)}


def _steering(each: Steering) -> dict[str, Any]:
    return {
        "condition": each.condition,
        "persona": each.persona,
        "by": each.by,
        "group": each.group,
        "named": each.named,
        **_difference(each.difference),
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    ci = None if estimate.ci is None else [*estimate.ci]
    return {"value": estimate.value, "ci": ci, "n": estimate.n, "reason": estimate.reason}


def _difference(difference: PairedDifference) -> dict[str, Any]:
    return {
        "difference": difference.value,
        "ci": None if difference.ci is None else [*difference.ci],
        "p": difference.p,
        "p_holm": difference.p_holm,
        "n": difference.n,
    }
