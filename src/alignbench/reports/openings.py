"""Lexical similarity of how responses begin, which is alike for reasons of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.metrics.statistics import RESAMPLES
from alignbench.metrics.values import WordMode
from alignbench.scoring.batch import score_responses
from alignbench.scoring.responses import Responses, Truncated
from alignbench.scoring.score_tables import WithinEstimate
from alignbench.scoring.scorer import ScoreRequest

OPENING = 50  # words
METRIC = "jaccard"


@dataclass(frozen=True, slots=True)
class Openings:
    """A lexical score of the first words of each response, by condition.

    Attributes:
        metric: its name.
        words: how many.
        scores: by condition, with the differences to the reference.
    """

    metric: str
    words: int
    scores: Mapping[str, WithinEstimate]


def openings(
    responses: Responses, mode: WordMode, reference: str | None, *, resamples: int = RESAMPLES, seed: int = 0
) -> Openings:
    """Jaccard similarity of the first 50 words of responses."""
    request = ScoreRequest(within=(METRIC,), cross=(), reference=reference, mode=mode, resamples=resamples, seed=seed)
    within = score_responses(Truncated(responses, OPENING), request, None).within
    return Openings(METRIC, OPENING, {condition: scores[METRIC] for condition, scores in within.items()})
