"""Lexical similarity at equal length."""

from __future__ import annotations

import random

from alignbench.metrics.values import WORKBENCH
from alignbench.reports.equal_length import equal_length
from tests.support.given import GivenResponses

WORDS = [f"w{i}" for i in range(60)]


def said(n_sentences: int, seed: int) -> str:
    draw = random.Random(seed)
    return " ".join(f"{' '.join(draw.choices(WORDS, k=8)).capitalize()}." for _ in range(n_sentences))


def test_length_alone_makes_no_difference_at_equal_length() -> None:
    """Both conditions draw from the same words; one says five times as much."""
    texts = {
        f"p{p}": {
            "short": [said(2, 100 * p + i) for i in range(4)],
            "long": [said(10, 7000 + 100 * p + i) for i in range(4)],
        }
        for p in range(25)
    }
    table = equal_length(GivenResponses(texts), WORKBENCH, "short", resamples=100)
    assert table.words == 16
    low, high = table.equal["long"].difference.ci
    assert low <= 0 <= high
    assert table.opening["long"].value > 2 * table.equal["long"].value  # an opening is longer here
    assert table.equal["short"].difference is None


def test_one_response_has_a_reason() -> None:
    texts = {"p": {"a": ["Sun."], "b": ["", "Moon."]}}
    entry = equal_length(GivenResponses(texts), WORKBENCH, "b", resamples=100).equal["a"]
    assert (entry.value, entry.reason) == (None, "needs 2 samples, has 1")
