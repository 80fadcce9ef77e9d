"""Lexical similarity of how responses begin."""

from __future__ import annotations

from alignbench.metrics.values import WORKBENCH
from alignbench.reports.openings import openings
from tests.support.given import GivenResponses

SAME = " ".join(f"w{i}" for i in range(50))


def test_only_the_first_words_count() -> None:
    texts = {"p": {"a": [f"{SAME} sun", f"{SAME} moon"], "b": ["Rain falls.", "Snow melts."]}}
    table = openings(GivenResponses(texts), WORKBENCH, "b", resamples=100)
    assert table.words == 50
    assert table.scores["a"].value == 1.0
    assert table.scores["a"].difference.value == 1.0
    assert table.scores["b"].difference is None


def test_one_response_has_a_reason() -> None:
    texts = {"p": {"a": ["Sun."], "b": ["", "Moon."]}}
    entry = openings(GivenResponses(texts), WORKBENCH, "b", resamples=100).scores["a"]
    assert (entry.value, entry.reason) == (None, "needs 2 samples, has 1")
