"""Lexical similarity freed of length, and of openings: longer responses share more words by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.metrics.statistics import RESAMPLES
from alignbench.metrics.values import WordMode
from alignbench.scoring.batch import score_responses
from alignbench.scoring.equal_words import EqualWords
from alignbench.scoring.responses import Responses, Truncated
from alignbench.scoring.score_tables import WithinEstimate
from alignbench.scoring.scorer import ScoreRequest

OPENING = 50  # words
METRIC = "jaccard"


@dataclass(frozen=True, slots=True)
class EqualLength:
    """A lexical score of parts of responses, by condition.

    Attributes:
        metric: its name.
        words: of the random sentences on average, in the condition that has the most; None without any.
        equal: of random sentences at an equal word budget (see `scoring.equal_words`).
        opening: of the first 50 words of each response.
    """

    metric: str
    words: float | None
    equal: Mapping[str, WithinEstimate]
    opening: Mapping[str, WithinEstimate]


def equal_length(
    responses: Responses, mode: WordMode, reference: str | None, *, resamples: int = RESAMPLES, seed: int = 0
) -> EqualLength:
    """Jaccard similarity of random sentences and of openings, with the differences to the reference."""
    request = ScoreRequest(
        within=("words", METRIC), cross=(), reference=reference, mode=mode, resamples=resamples, seed=seed
    )
    equal = score_responses(EqualWords(responses, seed), request, None).within
    openings = score_responses(Truncated(responses, OPENING), request, None).within
    words = [mean for scores in equal.values() if (mean := scores["words"].value) is not None]
    of_equal, of_openings = (
        {condition: scores[METRIC] for condition, scores in table.items()} for table in (equal, openings)
    )
    return EqualLength(METRIC, max(words, default=None), of_equal, of_openings)
