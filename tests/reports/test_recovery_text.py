"""A recovery in short."""

from __future__ import annotations

import pytest

from alignbench.reports.recovery_text import share
from alignbench.scoring.score_tables import CrossEstimate


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (CrossEstimate(0.4, ceiling=0.5, floor=0.3, n=3, recovery=0.5), "50% !"),
        (CrossEstimate(0.326, ceiling=0.33, floor=0.3, n=1, recovery=0.87, gap_ci=(-0.1, 0.16)), "no gap"),
        (CrossEstimate(0.01, ceiling=0.008, floor=0.029, n=1, recovery_reason="the ceiling is not over"), "no gap"),
        (CrossEstimate(0.01, ceiling=0.3, n=1, recovery_reason="no floor"), ""),
        (CrossEstimate(None, ceiling=0.1, floor=0.2, n=0, reason="no samples"), ""),
    ],
)
def test_a_share_only_of_a_gap(score: CrossEstimate, words: str) -> None:
    assert share(score) == words
