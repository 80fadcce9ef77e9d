"""Lexical similarity at equal length."""

from __future__ import annotations

import random

import pytest

from alignbench.reports.equal_length import equal_length_table
from alignbench.scores.statistics import Bootstrap
from alignbench.scores.values import WORKBENCH
from tests.test_scoring_batch import Given

WORDS = [f"w{i}" for i in range(60)]
BOOTSTRAP = Bootstrap(resamples=100)


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
    table = equal_length_table(Given(texts), WORKBENCH, "short", BOOTSTRAP)
    assert table["words"] == 16
    low, high = table["equal"]["long"]["difference"]["ci"]
    assert low <= 0 <= high
    whole = equal_length_table(
        Given({p: {"long": cell["long"]} for p, cell in texts.items()}), WORKBENCH, None, BOOTSTRAP
    )
    assert whole["equal"]["long"]["value"] > 2 * table["equal"]["long"]["value"]
    assert "difference" not in whole["equal"]["long"]


def test_the_draw_is_seeded_and_shorter_responses_stay_whole() -> None:
    texts = {"p": {"a": [said(3, i) for i in range(4)], "b": [said(9, i) for i in range(4, 8)]}}
    first, again = (equal_length_table(Given(texts), WORKBENCH, "a", BOOTSTRAP) for _ in range(2))
    assert first == again
    other = equal_length_table(Given(texts), WORKBENCH, "a", BOOTSTRAP, seed=1)
    assert other["equal"]["b"]["value"] != first["equal"]["b"]["value"]
    assert other["equal"]["a"]["value"] == pytest.approx(first["equal"]["a"]["value"])


def test_one_response_has_a_reason() -> None:
    entry = equal_length_table(Given({"p": {"a": ["Sun."], "b": ["", "Moon."]}}), WORKBENCH, "b", BOOTSTRAP)["equal"][
        "a"
    ]
    assert (entry["value"], entry["reason"]) == (None, "no prompt has two responses")
