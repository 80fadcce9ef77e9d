"""Stances that a judge stored, as scores: in commands, and of known answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignbench.judging.stances import NO_STANCES, read_stances
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import Value
from alignbench.scoring.aggregate import EQUAL_N
from alignbench.scoring.model_based.stances import NO_STANCE, STANCE_SCORES, stance_scores
from alignbench.scoring.responses import SessionResponses
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.judged import fill, judgment

SAID = {"demo-base": ["yes", "no", "yes", "no", "other"], "demo-smollm2": ["both"] * 5}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Two prompts; the stances of the first are those of `SAID`, one reply of the judge was not to be read."""
    path = tmp_path / "runs.db"
    with Store.open(path) as store:
        samples = fill(store, n=5)
        of_first = [
            judgment("stance", samples[0, name, i], stance=stance)
            for name, of in SAID.items()
            for i, stance in enumerate(of)
        ]
        store.add_judgments(1, [*of_first, judgment("stance", samples[1, "demo-base", 0], "invalid")])
    return path


def test_the_known_answers(db: Path) -> None:
    with Store.read(db) as store:
        stances = read_stances(store, 1)
        of = stance_scores(SessionResponses(store, 1), stances)
    assert (stances.judge, stances.unread) == ("demo-smollm2", {"demo-base": 1})
    base, aligned = of["q0", "demo-base"], of["q0", "demo-smollm2"]
    assert base["stance_entropy"].value == pytest.approx(1.522, abs=5e-4)
    assert base["stance_coverage"] == Value(pytest.approx(0.4), 5)
    assert (base["stance_union"].value, base["names_both"].value) == (1.0, 0.0)
    assert [aligned[name].value for name in STANCE_SCORES] == [0.0, 1.0, 1.0, 1.0]
    assert {value.reason for value in of["q1", "demo-base"].values()} == {NO_STANCE}


def test_what_moves_with_n_is_compared_at_equal_n(db: Path) -> None:
    with Store.read(db) as store:
        stances = read_stances(store, 1)
        fewer = {key: stance for key, stance in stances.of.items() if key[0] == "demo-base" or key[2] < 2}
        of = stance_scores(SessionResponses(store, 1), type(stances)("judge", fewer, {}))
    base = of["q0", "demo-base"]
    assert base["stance_entropy"].extra[EQUAL_N] == pytest.approx(0.8), "8 of the 10 pairs differ, a bit each"
    assert base["stance_union"].extra[EQUAL_N] == pytest.approx((4 * 1.0 + 6 * 0.5) / 10)
    assert EQUAL_N not in base["stance_coverage"].extra


def test_score_has_them(db: Path) -> None:
    command = ("score", "--session", "1", "--db", str(db), "--json", "--metrics", ",".join(STANCE_SCORES))
    tables = json.loads(alignbench(*command).stdout)
    assert tables["within"]["demo-base"]["stance_coverage"]["value"] == pytest.approx(0.4)
    assert tables["within"]["demo-smollm2"]["names_both"]["value"] == 1.0
    assert tables["meta"]["metrics"]["stance_entropy"] == "1+demo-smollm2"


def test_without_judgments_they_say_what_makes_some(tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    with Store.open(db) as store:
        fill(store)
    command = ("score", "--session", "1", "--db", str(db), "--json", "--metrics", "stance_entropy")
    score = json.loads(alignbench(*command).stdout)["within"]["demo-base"]["stance_entropy"]
    assert (score["value"], score["reason"]) == (None, NO_STANCES)


def test_all_four_are_registered() -> None:
    assert {name for name, metric in METRICS.items() if name in STANCE_SCORES and "judge" in metric.needs} == {
        *STANCE_SCORES
    }
