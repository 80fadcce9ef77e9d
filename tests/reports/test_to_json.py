"""The JSON of results: which keys there are, in which order, and which are left out."""

from __future__ import annotations

import json

import pytest

from alignbench.judging.summary import JudgedEstimate
from alignbench.metrics.statistics import PairedDifference
from alignbench.reports.to_json import judged_json, scores_json
from alignbench.scoring.score_tables import CrossEstimate, MatchedEstimate, ScoreTables, WithinEstimate
from alignbench.store import Store
from tests.support.reported import grade, record


def test_a_score_has_its_extras_behind_what_all_scores_have() -> None:
    difference = PairedDifference(1.0, (0.5, 1.5), 0.01, 30, 0.02)
    score = WithinEstimate(5.0, (4.0, 6.0), 30, samples=120, extra={"sd": None}, difference=difference)
    scores = scores_json(ScoreTables({"A": {"words": score}}, {"A": {"jaccard": CrossEstimate(reason="none")}}))
    words = scores["within"]["A"]["words"]
    assert list(words) == ["value", "ci", "n", "samples", "reason", "sd", "difference"]
    assert words["difference"] == {"value": 1.0, "ci": [0.5, 1.5], "p": 0.01, "p_holm": 0.02, "n": 30}
    assert list(scores["cross"]["A"]["jaccard"]) == [
        "value", "ci", "max_matched", "mmd2", "ceiling", "floor", "null", "recovery", "held_out", "source",
        "with_source", "n", "reason", "mmd2_ci", "recovery_ci", "recovery_reason", "warning", "gap_ci",
    ]  # fmt: skip
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_matched_has_both_sides_and_their_difference() -> None:
    there = MatchedEstimate(0.2, 0.3, PairedDifference(-0.1, (-0.2, 0.0), 0.03, 30, 0.06), 5)
    missing = MatchedEstimate(None, None, PairedDifference(None, None, None, 0), 9, "no words")
    matched = scores_json(ScoreTables(matched={"A": {"jaccard": there, "rouge_l": missing}}))["matched"]["A"]
    assert matched["jaccard"] == {
        "value": 0.2, "reference": 0.3, "difference": -0.1, "ci": [-0.2, 0.0], "p": 0.03, "n": 30, "skipped": 5,
    }  # fmt: skip
    assert matched["rouge_l"] == {
        **dict.fromkeys(("value", "reference", "difference", "ci", "p")), "n": 0, "skipped": 9, "reason": "no words",
    }  # fmt: skip


def test_only_pairs_can_be_flipped() -> None:
    judged = {
        "quality": {"A": {"depth": JudgedEstimate(4.0, n=2)}},
        "topics": {"A vs B": {"a": JudgedEstimate(flipped=0)}},
    }
    kinds = judged_json(judged)
    assert "flipped" not in kinds["quality"]["A"]["depth"]
    assert kinds["topics"]["A vs B"]["a"]["flipped"] == 0


def test_a_report_leaves_out_what_was_not_computed(store: Store) -> None:
    grade(store)
    plain = record(store, reference=None, floor=None, investigation="diversity")["investigation"]
    assert list(plain["coverage"]) == ["threshold", "reason", "conditions"]
    assert "gap" not in plain["gate"]["conditions"]["raw"]
    assert "frontier" not in plain
    compared = record(store, investigation="diversity", temperatures=(0.7, 1.0))["investigation"]
    assert list(compared["gate"]["conditions"]["raw"]["gap"]) == ["jaccard", "embedding_diversity"]
    assert [point["k"] for point in compared["coverage"]["conditions"]["raw"]["of_reference"]] == [1, 2]
    assert list(compared["coverage"]) == [
        "threshold", "false_matches", "share", "reference", "reason", "conditions",
    ]  # fmt: skip
    assert list(compared["coverage"]["reference"]) == ["n", "of_itself"]
    covered = compared["coverage"]["conditions"]["raw"]
    assert [point["k"] for point in covered["of_itself"]] == [1]
    for way in ("of_reference", "by_reference"):
        equal = covered["equal_count"][way]
        assert list(equal) == ["value", "ci", "n", "reason", "sentences", "itself", "difference"]
        assert equal["difference"]["value"] == pytest.approx(equal["value"] - equal["itself"]["value"])
    assert list(compared["frontier"]) == ["temperatures", "points", "missing"]
