"""Lexical similarity freed of length, and of openings: longer responses share more words by chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignbench.metrics.statistics import RESAMPLES
from alignbench.metrics.values import WordMode
from alignbench.scoring.batch import ScoreRequest, score_responses
from alignbench.scoring.equal_words import EqualWords
from alignbench.scoring.responses import Responses, Truncated

OPENING = 50  # words
METRIC = "jaccard"


def equal_length_table(
    responses: Responses, mode: WordMode, reference: str | None, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """{"metric", "words", "equal", "opening"}: by condition the entries of `scoring.tables`, with their differences.

    equal: of random sentences at an equal word budget (see `scoring.equal_words`), `words` of them on average in the
    condition that has the most. opening: of the first 50 words of each response.
    """
    wanted = ScoreRequest(
        within=("words", METRIC), cross=(), reference=reference, mode=mode, resamples=resamples, seed=seed
    )
    equal = score_responses(EqualWords(responses, seed), wanted, None)["within"]
    openings = score_responses(Truncated(responses, OPENING), wanted, None)["within"]
    lengths = [entry["words"]["value"] for entry in equal.values() if entry["words"]["value"] is not None]
    return {
        "metric": METRIC,
        "words": max(lengths, default=None),
        "equal": _of_metric(equal),
        "opening": _of_metric(openings),
    }


def _of_metric(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {condition: scores[METRIC] for condition, scores in table.items()}
