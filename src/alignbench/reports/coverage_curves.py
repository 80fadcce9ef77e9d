"""How many base responses one aligned response covers: coverage curves over k responses, both ways.

After Lake, Choi and Durrett 2024 (arXiv 2406.17692): an aligned response that gathers what several base responses say
is covered by their union, more so the more of them there are, and by none of them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from alignbench.metrics.coverage import COVERAGE_THRESHOLD, best_matches, coverage_at, covered_responses, union_coverage
from alignbench.metrics.estimates import Estimate, PromptValues, mean_estimate
from alignbench.metrics.intervals import UNIT
from alignbench.metrics.semantic import calibrated_threshold
from alignbench.metrics.statistics import Uncertainty
from alignbench.scoring.coverage import SentenceVectors, sentence_vectors
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.null import other_prompt
from alignbench.scoring.responses import Responses

SHARE = 0.5  # of a response's sentences, from which it counts as covered

_Curve = dict[str, list[float]]  # by prompt, for k = 1..n


@dataclass(frozen=True, slots=True)
class ConditionCoverage:
    """What a condition's responses and the reference's say of each other.

    Attributes:
        n: responses to a prompt, of the prompt that has the most.
        of_reference: for k = 1, 2, ..., the share of one reference response's sentences that k of the condition's
            responses say together.
        by_reference: the other way.
        responses_covered: how many of the condition's responses one reference response covers.
        equal_of_reference: the share at k = 1 with as many sentences as the shortest response has.
        equal_by_reference: the other way.
    """

    n: int
    of_reference: tuple[Estimate, ...]
    by_reference: tuple[Estimate, ...]
    responses_covered: Estimate
    equal_of_reference: Estimate
    equal_by_reference: Estimate


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of every condition but the reference; of none where `reason` says why.

    Attributes:
        threshold: cosine of a sentence's best match from which on it is said; it rises until at most 5% of sentences
            reach it in an answer to another prompt.
        false_matches: share of the sentences that do; None without another prompt.
        share: of a response's sentences from which on it counts as covered; None where nobody asked for coverage.
    """

    reason: str = ""
    threshold: float | None = None
    false_matches: float | None = None
    share: float | None = None
    conditions: Mapping[str, ConditionCoverage] = field(default_factory=dict)


def coverage_curves(
    responses: Responses, reference: str, embeddings: Embeddings, unseen: frozenset[str], uncertainty: Uncertainty
) -> Coverage:
    """Coverage of conditions and of the reference by each other. unseen: prompts on which embeddings say nothing."""
    prompts = [prompt for prompt in responses.prompts if prompt not in unseen]
    said = {
        prompt: {name: sentence_vectors(texts, embeddings) for name, texts in responses.cells(prompt).items()}
        for prompt in prompts
    }
    if not any(len(v) for cells in said.values() for cell in cells.values() for v in cell.values()):
        reason = embeddings.why_not or "embeddings do not see stance, and every prompt is contested"
        return Coverage(reason, share=SHARE)
    mismatched = _mismatched(said, reference)
    threshold = max(COVERAGE_THRESHOLD, calibrated_threshold(mismatched)) if mismatched else COVERAGE_THRESHOLD
    conditions = {
        name: _condition(said, reference, name, threshold, uncertainty)
        for name in responses.conditions
        if name != reference
    }
    return Coverage(
        threshold=threshold,
        false_matches=sum(match >= threshold for match in mismatched) / len(mismatched) if mismatched else None,
        share=SHARE,
        conditions=conditions,
    )


def _mismatched(said: Mapping[str, Mapping[str, SentenceVectors]], reference: str) -> list[float]:
    """Best matches of the sentences of all conditions in one reference response to another prompt."""
    matches: list[float] = []
    for prompt, other in other_prompt(said, 0).items():
        answers = [v for v in said[other].get(reference, {}).values() if len(v)]
        own = [v for cell in said[prompt].values() for v in cell.values() if len(v)]
        if answers and own:
            matches += best_matches(np.concatenate(own), answers[:1])[:, 0].tolist()
    return matches


def _condition(
    said: Mapping[str, Mapping[str, SentenceVectors]],
    reference: str,
    name: str,
    threshold: float,
    uncertainty: Uncertainty,
) -> ConditionCoverage:
    of_reference: _Curve = {}
    by_reference: _Curve = {}
    covered: dict[str, float | None] = {}
    equal_of: dict[str, float | None] = {}
    equal_by: dict[str, float | None] = {}
    n = 0
    for prompt, cells in said.items():
        own = [v for v in cells.get(reference, {}).values() if len(v)]
        others = [v for v in cells.get(name, {}).values() if len(v)]
        if not own or not others:
            continue
        n = max(n, len(others))
        of_reference[prompt] = _union(own, others, threshold)
        by_reference[prompt] = _union(others, own, threshold)
        matches = [best_matches(v, own) for v in others]
        covered[prompt] = float(covered_responses(matches, SHARE, threshold).mean())
        shortest = min(map(len, (*own, *others)))
        equal_of[prompt] = coverage_at(np.concatenate(own), others, shortest, threshold)
        equal_by[prompt] = coverage_at(np.concatenate(others), own, shortest, threshold)
    return ConditionCoverage(
        n=n,
        of_reference=_points(of_reference, uncertainty),
        by_reference=_points(by_reference, uncertainty),
        responses_covered=mean_estimate(covered, uncertainty, bounds=(0.0, inf)),
        equal_of_reference=mean_estimate(equal_of, uncertainty, bounds=UNIT),
        equal_by_reference=mean_estimate(equal_by, uncertainty, bounds=UNIT),
    )


def _union(responses: list[Any], others: list[Any], threshold: float) -> list[float]:
    """The curve of one response's sentences by k of the others, the mean over the responses."""
    curves = [union_coverage(best_matches(sentences, others), threshold) for sentences in responses]
    return np.mean([curve for curve in curves if curve], axis=0).tolist()  # type: ignore[no-any-return]


def _points(curves: _Curve, uncertainty: Uncertainty) -> tuple[Estimate, ...]:
    """By k, over the prompts that have as many responses."""
    longest = max(map(len, curves.values()), default=0)
    points = []
    for k in range(1, longest + 1):
        column: PromptValues = {prompt: curve[k - 1] for prompt, curve in curves.items() if len(curve) >= k}
        points.append(mean_estimate(column, uncertainty, bounds=UNIT))
    return tuple(points)
