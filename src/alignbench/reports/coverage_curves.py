"""How many base responses one aligned response covers: curves over k responses, of each other and of themselves.

After Lake, Choi and Durrett 2024 (arXiv 2406.17692): an aligned response that gathers what several base responses say
is covered by their union, more so the more of them there are, and by none of them alone. But every union rises: base
responses cover each other by a curve as steep, and a long response covers more than a short one. So beside both cross
curves stand both self-curves, and an aligned response gathers more than base responses do only where it says more of
one of them than the others of them say in equally many sentences (`metrics.coverage.equal_sentences`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from alignbench.metrics.coverage import (
    COVERAGE_THRESHOLD,
    best_matches,
    covered_responses,
    equal_sentences,
    union_coverage,
)
from alignbench.metrics.estimates import Estimate, PromptValues, mean_estimate, paired_differences
from alignbench.metrics.intervals import UNIT
from alignbench.metrics.semantic import calibrated_threshold
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.scoring.coverage import SentenceVectors, sentence_vectors
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.null import other_prompt
from alignbench.scoring.responses import Responses

SHARE = 0.5  # of a response's sentences, from which it counts as covered

ALONE = "needs two responses to a prompt, of which one covers the other"

_Vectors = list[Any]  # of each response that has a sentence, the vectors of its sentences (t, dim)
_Said = Mapping[str, Mapping[str, _Vectors]]  # by prompt and condition
_Sides = Mapping[str, tuple[_Vectors, _Vectors]]  # by prompt, responses that are covered and those that cover


@dataclass(frozen=True, slots=True)
class EqualCoverage:
    """The share of a response that two conditions say in equally many sentences.

    Attributes:
        by_other: by the condition that it is not of.
        by_itself: by other responses of its own condition.
        difference: by the other minus by itself, corrected for the conditions that are compared.
        sentences: how many each of them has said, on average; None where no prompt has both.
    """

    by_other: Estimate
    by_itself: Estimate
    difference: PairedDifference
    sentences: float | None


@dataclass(frozen=True, slots=True)
class ConditionCoverage:
    """What a condition's responses and the reference's say of each other, and its own of each other.

    Attributes:
        n: responses to a prompt, of the prompt that has the most.
        of_reference: for k = 1, 2, ..., the share of one reference response's sentences that k of the condition's
            responses say together.
        by_reference: the other way.
        of_itself: the share of one of the condition's responses that k others of them say.
        responses_covered: how many of the condition's responses one reference response covers.
        equal_of_reference: of a reference response, by the condition and by the reference itself.
        equal_by_reference: of one of the condition's, by the reference and by the condition itself.
    """

    n: int
    of_reference: tuple[Estimate, ...]
    by_reference: tuple[Estimate, ...]
    of_itself: tuple[Estimate, ...]
    responses_covered: Estimate
    equal_of_reference: EqualCoverage
    equal_by_reference: EqualCoverage


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of every condition but the reference; of none where `reason` says why.

    Attributes:
        threshold: cosine of a sentence's best match from which on it is said; it rises until at most 5% of sentences
            reach it in an answer to another prompt.
        false_matches: share of the sentences that do; None without another prompt.
        share: of a response's sentences from which on it counts as covered; None where nobody asked for coverage.
        n: responses of the reference to a prompt, of the prompt that has the most.
        reference: for k = 1, 2, ..., the share of one reference response that k others of them say.
    """

    reason: str = ""
    threshold: float | None = None
    false_matches: float | None = None
    share: float | None = None
    n: int = 0
    reference: tuple[Estimate, ...] = ()
    conditions: Mapping[str, ConditionCoverage] = field(default_factory=dict)


def coverage_curves(
    responses: Responses, reference: str, embeddings: Embeddings, unseen: frozenset[str], uncertainty: Uncertainty
) -> Coverage:
    """Coverage of conditions and of the reference by each other. unseen: prompts on which embeddings say nothing."""
    prompts = [prompt for prompt in responses.prompts if prompt not in unseen]
    said = {
        prompt: {name: _spoken(sentence_vectors(texts, embeddings)) for name, texts in responses.cells(prompt).items()}
        for prompt in prompts
    }
    if not any(cell for cells in said.values() for cell in cells.values()):
        reason = embeddings.why_not or "embeddings do not see stance, and every prompt is contested"
        return Coverage(reason, share=SHARE)
    mismatched = _mismatched(said, reference)
    threshold = max(COVERAGE_THRESHOLD, calibrated_threshold(mismatched)) if mismatched else COVERAGE_THRESHOLD
    others = [name for name in responses.conditions if name != reference]
    of_reference = {name: _sides(said, reference, name) for name in others}
    by_reference = {name: _sides(said, name, reference) for name in others}
    equal_of_reference = _equal_sentences(of_reference, threshold, uncertainty)
    equal_by_reference = _equal_sentences(by_reference, threshold, uncertainty)
    return Coverage(
        threshold=threshold,
        false_matches=sum(match >= threshold for match in mismatched) / len(mismatched) if mismatched else None,
        share=SHARE,
        n=_most(said, reference),
        reference=_of_itself(said, reference, threshold, uncertainty),
        conditions={
            name: ConditionCoverage(
                n=_most(said, name),
                of_reference=_of_other(of_reference[name], threshold, uncertainty),
                by_reference=_of_other(by_reference[name], threshold, uncertainty),
                of_itself=_of_itself(said, name, threshold, uncertainty),
                responses_covered=_responses_covered(by_reference[name], threshold, uncertainty),
                equal_of_reference=equal_of_reference[name],
                equal_by_reference=equal_by_reference[name],
            )
            for name in others
        },
    )


def _spoken(vectors: SentenceVectors) -> _Vectors:
    return [of_response for of_response in vectors.values() if len(of_response)]


def _mismatched(said: _Said, reference: str) -> list[float]:
    """Best matches of the sentences of all conditions in one reference response to another prompt."""
    matches: list[float] = []
    for prompt, other in other_prompt(said, 0).items():
        answers = said[other].get(reference, [])
        own = [of_response for cell in said[prompt].values() for of_response in cell]
        if answers and own:
            matches += best_matches(np.concatenate(own), answers[:1])[:, 0].tolist()
    return matches


def _most(said: _Said, name: str) -> int:
    """Responses to a prompt, of the prompt that has the most."""
    return max(len(there.get(name, [])) for there in said.values())


def _sides(said: _Said, of: str, by: str) -> _Sides:
    """On the prompts that both have, the responses that are covered and those that cover."""
    cells = {prompt: (there.get(of, []), there.get(by, [])) for prompt, there in said.items()}
    return {prompt: sides for prompt, sides in cells.items() if all(sides)}


def _of_other(sides: _Sides, threshold: float, uncertainty: Uncertainty) -> tuple[Estimate, ...]:
    return _points({p: _curve([(one, by) for one in of], threshold) for p, (of, by) in sides.items()}, uncertainty)


def _of_itself(said: _Said, name: str, threshold: float, uncertainty: Uncertainty) -> tuple[Estimate, ...]:
    cells = {prompt: there.get(name, []) for prompt, there in said.items()}
    return _points(
        {
            prompt: _curve([(one, own[:at] + own[at + 1 :]) for at, one in enumerate(own)], threshold)
            for prompt, own in cells.items()
            if len(own) > 1
        },
        uncertainty,
    )


def _curve(covered: Sequence[tuple[Any, _Vectors]], threshold: float) -> list[float]:
    """Of one response's sentences by k of those that it is given with, the mean over the responses."""
    curves = [union_coverage(best_matches(sentences, others), threshold) for sentences, others in covered]
    mean: list[float] = np.mean(curves, axis=0).tolist()
    return mean


def _points(curves: Mapping[str, Sequence[float]], uncertainty: Uncertainty) -> tuple[Estimate, ...]:
    """By k, over the prompts that have as many responses."""
    longest = max(map(len, curves.values()), default=0)
    points = []
    for k in range(1, longest + 1):
        column: PromptValues = {prompt: curve[k - 1] for prompt, curve in curves.items() if len(curve) >= k}
        points.append(mean_estimate(column, uncertainty, bounds=UNIT))
    return tuple(points)


def _responses_covered(sides: _Sides, threshold: float, uncertainty: Uncertainty) -> Estimate:
    covered = {
        prompt: float(covered_responses([best_matches(one, by) for one in of], SHARE, threshold).mean())
        for prompt, (of, by) in sides.items()
    }
    return mean_estimate(covered, uncertainty, bounds=(0.0, inf))


def _equal_sentences(
    conditions: Mapping[str, _Sides], threshold: float, uncertainty: Uncertainty
) -> dict[str, EqualCoverage]:
    """By condition; what is covered, and by what."""
    shares = {
        name: {p: equal for p, (of, by) in sides.items() if (equal := equal_sentences(of, by, threshold)) is not None}
        for name, sides in conditions.items()
    }
    columns = {
        name: ({p: one.by_others for p, one in of.items()}, {p: one.by_itself for p, one in of.items()})
        for name, of in shares.items()
    }
    differences = paired_differences(columns, uncertainty, dict.fromkeys(columns, UNIT))
    return {
        name: EqualCoverage(
            by_other=mean_estimate(columns[name][0], uncertainty, ALONE, UNIT),
            by_itself=mean_estimate(columns[name][1], uncertainty, ALONE, UNIT),
            difference=differences[name],
            sentences=float(np.mean([one.sentences for one in of.values()])) if of else None,
        )
        for name, of in shares.items()
    }
