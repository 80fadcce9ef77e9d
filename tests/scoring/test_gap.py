"""A gap between ceiling and floor is told where there is one, and rarely where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from alignbench.metrics.counted_cell import CountedCell, counted_cells
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.recovery import no_gap
from alignbench.metrics.values import WORKBENCH
from alignbench.metrics.word_table import Documents
from alignbench.scoring.jackknife import gap_intervals

VOCABULARY = np.array([f"w{chr(97 + i // 26)}{chr(97 + i % 26)}x" for i in range(200)])
REPETITIONS = 150


def cells(n: int, floor_topic: float, rng: np.random.Generator) -> list[CountedCell]:
    """Of n responses each. floor_topic: how much of the reference's topic the floor has."""
    topic = rng.choice(VOCABULARY, 20, replace=False)
    other = np.where(rng.random(20) < floor_topic, topic, rng.choice(VOCABULARY, 20))
    lexicon = Lexicon(WORKBENCH, stem)

    def said(words: np.ndarray) -> dict[int, str]:
        return {
            i: " ".join([*words[rng.random(20) < 0.5], *rng.choice(VOCABULARY, 25, replace=False)]) for i in range(n)
        }

    return counted_cells([Documents.of(said(of), lexicon) for of in (topic, other)], lexicon, ["jaccard"])


def told(n: int, floor_topic: float) -> float:
    """How often there is a gap."""
    rng = np.random.default_rng(n)
    gaps = [gap_intervals(*cells(n, floor_topic, rng)) for _ in range(REPETITIONS)]
    return float(np.mean([not no_gap(gap["jaccard"]) for gap in gaps]))


@pytest.mark.parametrize("n", [3, 5])
def test_of_one_distribution_there_is_no_gap(n: int) -> None:
    assert told(n, floor_topic=1.0) <= 0.05


def test_another_topic_is_a_gap() -> None:
    assert told(10, floor_topic=0.0) >= 0.9


def test_two_samples_tell_of_none() -> None:
    assert not gap_intervals(*cells(2, 0.0, np.random.default_rng(0)))
