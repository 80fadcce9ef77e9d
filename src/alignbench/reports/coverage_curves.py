"""How many base responses one aligned response covers: curves over k responses, of each other and of themselves.

After Lake, Choi and Durrett 2024 (arXiv 2406.17692): an aligned response that gathers what several base responses say
is covered by their union, more so the more of them there are, and by none of them alone. But every union rises: base
responses cover each other by a curve as steep, and a long response covers more than a short one. So beside both cross
curves stand both self-curves, and an aligned response gathers more than base responses do only where it says more of
one of them than the others of them say in equally many sentences (`SaidSentences.equal_sentences`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TypeVar

import numpy as np

from alignbench.contexts.source_samples import Sources, no_sources
from alignbench.metrics.estimates import Estimate, mean_estimates, paired_differences
from alignbench.metrics.intervals import UNIT
from alignbench.metrics.said_sentences import EqualSentences
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.reports.coverage_columns import SHARE, Column, CoverageColumns, coverage_columns
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import Responses

_Key = TypeVar("_Key", bound=Hashable)

ALONE = "needs two responses to a prompt, of which one covers the other"


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
    responses: Responses,
    reference: str,
    embeddings: Embeddings,
    unseen: frozenset[str],
    uncertainty: Uncertainty,
    sources: Sources = no_sources,
) -> Coverage:
    """Coverage of conditions and of the reference by each other.

    Args:
        responses: The responses.
        reference: Name of the condition that the others are compared with.
        embeddings: Of sentences.
        unseen: Prompts on which embeddings say nothing.
        uncertainty: Of means over prompts.
        sources: The samples of the reference that contexts are made from; a condition meets the others only.
    """
    columns = coverage_columns(responses, reference, embeddings, unseen, sources)
    if columns is None:
        reason = embeddings.why_not or "embeddings do not see stance, and every prompt is contested"
        return Coverage(reason, share=SHARE)
    return coverage_of(columns, reference, uncertainty)


def coverage_of(columns: CoverageColumns, reference: str, uncertainty: Uncertainty) -> Coverage:
    """The means of columns over prompts."""
    others = [*columns.of_reference]
    curves = _curves(
        {
            **{("of itself", name): columns.of_itself[name] for name in (reference, *others)},
            **{("of reference", name): columns.of_reference[name] for name in others},
            **{("by reference", name): columns.by_reference[name] for name in others},
        },
        uncertainty,
    )
    equal_of_reference = _equal_coverage(columns.equal_of_reference, uncertainty, columns.why_none)
    equal_by_reference = _equal_coverage(columns.equal_by_reference, uncertainty, columns.why_none)
    covered = mean_estimates(columns.responses_covered, uncertainty, dict.fromkeys(others, (0.0, inf)))
    return Coverage(
        threshold=columns.threshold,
        false_matches=columns.false_matches,
        share=SHARE,
        n=_most(columns.n[reference]),
        reference=curves["of itself", reference],
        conditions={
            name: ConditionCoverage(
                n=_most(columns.n[name]),
                of_reference=curves["of reference", name],
                by_reference=curves["by reference", name],
                of_itself=curves["of itself", name],
                responses_covered=covered[name],
                equal_of_reference=equal_of_reference[name],
                equal_by_reference=equal_by_reference[name],
            )
            for name in others
        },
    )


def _most(responses: Column[int]) -> int:
    return max(responses.values(), default=0)


def _curves(curves: Mapping[_Key, Column[list[float]]], uncertainty: Uncertainty) -> dict[_Key, tuple[Estimate, ...]]:
    """Of each, by k, over the prompts that have as many responses."""
    lengths = {key: max(map(len, of.values()), default=0) for key, of in curves.items()}
    points = {
        (key, k): {prompt: curve[k] if k < len(curve) else None for prompt, curve in curves[key].items()}
        for key, length in lengths.items()
        for k in range(length)
    }
    estimates = mean_estimates(points, uncertainty, dict.fromkeys(points, UNIT))
    return {key: tuple(estimates[key, k] for k in range(length)) for key, length in lengths.items()}


def _equal_coverage(
    conditions: Mapping[str, Column[EqualSentences]], uncertainty: Uncertainty, why_none: Mapping[str, str]
) -> dict[str, EqualCoverage]:
    """By condition; what is covered, and by what. why_none: of conditions of which nothing can be covered."""
    columns = {
        name: ({p: one.by_others for p, one in of.items()}, {p: one.by_itself for p, one in of.items()})
        for name, of in conditions.items()
    }
    differences = paired_differences(columns, uncertainty, dict.fromkeys(columns, UNIT))
    sides = {(name, side): of[side] for name, of in columns.items() for side in (0, 1)}
    reasons = {(name, side): why_none.get(name, ALONE) for name, side in sides}
    shares = mean_estimates(sides, uncertainty, dict.fromkeys(sides, UNIT), reasons)
    return {
        name: EqualCoverage(
            by_other=shares[name, 0],
            by_itself=shares[name, 1],
            difference=differences[name],
            sentences=float(np.mean([one.sentences for one in of.values()])) if of else None,
        )
        for name, of in conditions.items()
    }
