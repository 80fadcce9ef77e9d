"""`alignbench judge` as a user runs it, on the embedded models."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignbench.judging import plan
from alignbench.store import Judgment, Store
from tests.support.commands import alignbench
from tests.support.judged import fill, judgment, terse_template
from tests.support.waiting import LIMIT

ASPECTS = ("helpfulness", "clarity", "factuality", "depth", "engagement")


@pytest.fixture(autouse=True)
def terse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignbench.judging.plan.judge_template", terse_template)


@pytest.fixture
def db() -> Path:
    """Session 1: one prompt, a base and an aligned condition, two samples each."""
    path = Path(os.environ["ALIGNBENCH_DB"])
    with Store.open(path) as store:
        texts = {(0, "demo-base", 0): "[/]\x1b]52;c;x\x07 people walk", (0, "demo-base", 1): " "}
        fill(store, prompts=1, texts=texts)
    return path


def judged(*arguments: str, code: int = 0) -> dict[str, Any]:
    ran = alignbench("judge", "1", "--model", "demo-smollm2", *arguments, "--json")
    assert ran.returncode == code, ran.stderr
    tables: dict[str, Any] = json.loads(ran.stdout)
    return tables


@pytest.mark.models
def test_a_session_is_judged_once_and_summed_up(db: Path) -> None:
    first = judged("--kind", "quality")
    assert set(first["quality"]) == {"demo-base", "demo-smollm2"}
    assert set(first["quality"]["demo-base"]) == set(ASPECTS)
    clarity = first["quality"]["demo-base"]["clarity"]
    assert 1 <= clarity["value"] <= 5
    assert (clarity["n"], clarity["invalid"], clarity["na"]) == (1, 0, 1)
    assert first["meta"]["counts"] == {"valid": 3, "invalid": 0, "na": 1, "failed": 0}
    with Store.open(db) as store:
        rows = list(store.judgments(1))
    assert all(json.loads(row.judgment.reply, strict=False)["clarity"] for row in rows if row.judgment.reply)
    again = alignbench("judge", "1", "--kind", "quality", "--model", "demo-smollm2")
    assert again.returncode == 0
    assert "4 of 4 are judged already" in again.stderr
    assert "loaded" not in again.stderr
    assert "clarity" in again.stdout


@pytest.mark.models
def test_pairs_against_a_reference(db: Path) -> None:
    assert db.exists()
    tables = judged("--kind", "new-information", "--reference", "demo-base")
    score = tables["new-information"]["demo-smollm2 vs demo-base"]["score"]
    assert (score["n"], score["na"], score["invalid"]) == (1, 1, 0)
    assert 1 <= score["value"] <= 5
    assert 0 <= score["flipped"] <= 2


def keep(db: Path, kind: str, *judgments: Judgment) -> None:
    """Store judgments as if this template had asked for them."""
    with Store.open(db) as store:
        store.add_judgments(1, [replace(one, template_hash=plan.judge_template(kind).hash) for one in judgments])


@pytest.fixture
def samples(db: Path) -> list[int]:
    with Store.open(db) as store:
        return [row.id for row in store.samples(1)]


def test_replies_that_stayed_invalid_are_exit_code_3(db: Path, samples: list[int]) -> None:
    valid = [judgment("stance", sample, stance="yes") for sample in samples[1:]]
    keep(db, "stance", judgment("stance", samples[0], "invalid"), *valid)
    tables = judged("--kind", "stance", code=3)
    assert tables["meta"]["counts"] == {"valid": 3, "invalid": 1, "na": 0, "failed": 0}
    assert tables["stance"]["demo-smollm2"]["yes"]["value"] == 1


def test_two_judges_are_compared(db: Path, samples: list[int]) -> None:
    for judge in ("demo-smollm2", "gpt"):
        graded = [dict.fromkeys(ASPECTS, 1 + k % 3) for k in range(len(samples))]
        keep(db, "quality", *(judgment("quality", s, judge=judge, **g) for s, g in zip(samples, graded, strict=True)))
    tables = judged("--kind", "quality")
    assert tables["meta"]["agreement"]["depth"] == {"alpha": 1.0, "items": 4, "judges": ["gpt", "demo-smollm2"]}
    ran = alignbench("judge", "1", "--kind", "quality", "--model", "demo-smollm2")
    assert "Krippendorff's alpha" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1", "--kind", "qualty", "--model", "demo-smollm2"], "'qualty' is not one of 'quality'"),
        (["7", "--kind", "quality", "--model", "demo-smollm2"], "There is no session 7"),
        (["1", "--kind", "quality", "--model", "demo-smolm2"], "demo-smollm2"),
        (["1", "--kind", "topics", "--model", "demo-smollm2", "--reference", "nobody"], "no condition named 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_one_message(db: Path, arguments: list[str], message: str) -> None:
    assert db.exists()
    ran = alignbench("judge", *arguments)
    assert ran.returncode == 2, ran.stderr
    assert message in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr


@pytest.mark.models
def test_ctrl_c_keeps_what_is_judged() -> None:
    path = Path(os.environ["ALIGNBENCH_DB"])
    with Store.open(path) as store:
        fill(store, prompts=10, n=1)
    command = [sys.executable, "-m", "alignbench", "judge", "1", "--kind", "stance", "--model", "demo-smollm2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if (progress := re.search(r"(\d+) of 20 judged", line)) is not None:
                running.send_signal(signal.SIGINT)
                break
        rest = running.stderr.read()
        assert running.wait(LIMIT) == 130, rest
    with Store.open(path) as store:
        assert progress is not None
        assert int(progress[1]) <= len(list(store.judgments(1))) < 20
    assert "Traceback" not in rest


def test_score_adds_what_a_judge_says(db: Path, samples: list[int]) -> None:
    graded = [dict.fromkeys(ASPECTS, 2 + k % 3) for k in range(len(samples))]
    keep(db, "quality", *(judgment("quality", s, **g) for s, g in zip(samples, graded, strict=True)))
    command = ["score", "--session", "1", "--metrics", "words", "--embedder", "none", "--json"]
    scored = alignbench(*command, "--judge", "demo-smollm2")
    assert scored.returncode == 0, scored.stderr
    tables = json.loads(scored.stdout)
    with Store.open(db) as store:
        expected = [g["depth"] for row, g in zip(store.samples(1), graded, strict=True) if row.condition == "demo-base"]
    assert tables["within"]["demo-base"]["quality"]["value"] == pytest.approx(sum(expected) / len(expected))
    assert tables["within"]["demo-base"]["effective_diversity"]["reason"] == "no embedding model is in use"
    assert tables["meta"]["metrics"]["quality"].startswith("1+demo-smollm2@")
    assert any("4 of 4 responses have a grade" in note for note in tables["meta"]["notes"])
    without = json.loads(alignbench(*command[:4], "quality", *command[5:]).stdout)
    assert without["within"]["demo-base"]["quality"]["reason"] == "needs a judge; name one with --judge"


@pytest.mark.models
def test_score_judges_what_is_missing_and_gates_diversity(db: Path, samples: list[int]) -> None:
    keep(db, "quality", *(judgment("quality", sample, **dict.fromkeys(ASPECTS, 4)) for sample in samples[:-1]))
    ran = alignbench("score", "--session", "1", "--metrics", "words", "--judge", "demo-smollm2", "--json")
    assert ran.returncode == 0, ran.stderr
    within = json.loads(ran.stdout)["within"]["demo-smollm2"]
    assert 1 <= within["quality"]["value"] <= 5
    for name in ("effective_diversity", "distinct_passing", "novelty_utility"):
        assert within[name]["value"] is not None, within[name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--file", "x.jsonl"], "--judge needs SESSION"),
        (["--session", "1", "--truncate", "5"], "leave --truncate away"),
        (["--session", "1"], "demo-smollm2"),
    ],
)
def test_score_with_a_judge_that_cannot_be(db: Path, arguments: list[str], message: str) -> None:
    assert db.exists()
    ran = alignbench("score", *arguments, "--judge", "demo-smolm2")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert message in ran.stderr
