"""Which responses say the same: thresholds that are calibrated, and classes that saturate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from alignbench.metrics.semantic import CLASS_THRESHOLD, EQUIVALENT, CalibratedThreshold
from alignbench.scoring.equivalence import Equivalence, calibrated_classes
from alignbench.scoring.notes import score_notes
from alignbench.scoring.score_tables import ScoreTables, WithinEstimate


def unit(rng: np.random.Generator, around: np.ndarray, spread: float, n: int) -> Sequence[np.ndarray]:
    vectors = around + spread * rng.normal(size=(n, len(around)))
    return list((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))


def test_the_threshold_rises_where_all_texts_look_alike() -> None:
    rng = np.random.default_rng(0)
    one = np.eye(64)[0]
    alike = {f"p{p}": {"a": unit(rng, one, 0.03, 5), "b": unit(rng, one, 0.03, 5)} for p in range(20)}
    threshold = calibrated_classes(alike)
    assert threshold.value == threshold.chance > CLASS_THRESHOLD
    assert threshold.false_matches == pytest.approx(0.05, abs=0.005)


def test_the_threshold_stays_where_prompts_are_apart() -> None:
    rng = np.random.default_rng(0)
    apart = {f"p{p}": {"a": unit(rng, rng.normal(size=64), 0.01, 5)} for p in range(20)}
    threshold = calibrated_classes(apart)
    assert threshold.value == CLASS_THRESHOLD
    assert threshold.chance is not None
    assert threshold.chance < CLASS_THRESHOLD
    assert threshold.false_matches == 0.0


def test_without_another_prompt_there_is_nothing_to_calibrate_on() -> None:
    assert calibrated_classes({"p": {"a": [np.ones(2, np.float32)]}}) == CalibratedThreshold(CLASS_THRESHOLD)
    no_token = [np.zeros(2, np.float32)]
    assert calibrated_classes({"p": {"a": no_token}, "q": {"a": no_token}}) == CalibratedThreshold(CLASS_THRESHOLD)


def test_how_it_came_about_is_said_and_part_of_the_version() -> None:
    calibrated = Equivalence(threshold=CalibratedThreshold(0.8, 0.35, 0.0))
    assert calibrated.words == (
        "two responses are one answer from a cosine of 0.800 on; of responses to different prompts 0.0% reach it, and "
        "5% reach 0.350"
    )
    assert calibrated.versions(["semantic_classes", "jaccard"]) == {"semantic_classes": "1+cosine0.800"}
    assert "no other prompt" in Equivalence().words
    other = Equivalence("judge j", None)
    assert other.versions(["semantic_entropy"]) == {"semantic_entropy": "1+judge j"}


def notes(**shares: float) -> str:
    within = {
        name: {"semantic_classes": WithinEstimate(1.3, n=20, samples=100, extra={EQUIVALENT: share})}
        for name, share in shares.items()
    }
    return "\n".join(score_notes(ScoreTables(within), {}, Equivalence(), scores_empty=False))


def test_classes_that_saturate_are_said() -> None:
    said = notes(chat=0.91, other=0.85, base=0.11)
    assert "carry no claim between such conditions: 91% in chat, 85% in other" in said
    assert "base" not in said
    assert "saturate" not in notes(base=0.11, icl=0.6)
