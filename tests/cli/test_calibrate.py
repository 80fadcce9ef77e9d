"""`alignbench calibrate` as a user runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.samples import BASE, result

SMALL = ("--prompts", "2", "--repetitions", "1", "-n", "2")


@pytest.fixture
def _session() -> None:
    """Session 1: two prompts with four responses."""
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        session = store.create_session("", manifest={"n": 4})
        for p in range(2):
            cell = store.add_cell(session, Prompt(f"q{p}", f"Why {p}?"), Condition.zero_shot(BASE, name="raw"), 4)
            for i in range(4):
                store.add_sample(cell, result(i, f"Because word{i} follows word{p}. And so it goes{i}.", "stop"))


def test_made_responses_are_calibrated_and_printed(tmp_path: Path) -> None:
    shown = alignbench("calibrate", *SMALL)
    assert shown.returncode == 0, shown.stderr
    assert "worst null" in shown.stdout
    assert "planted experiments" in shown.stderr
    page = tmp_path / "page.md"
    assert alignbench("calibrate", *SMALL, "-o", str(page)).stdout == ""
    assert page.read_text().count("\n## ") == 4


@pytest.mark.usefixtures("_session")
def test_a_sessions_responses_are_calibrated() -> None:
    done = alignbench("calibrate", "--session", "1", "--condition", "raw", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["source"] == "raw of session 1"
    assert {claim["experiment"] for claim in record["claims"]} >= {"same", "empty", "cut"}
    assert "more samples" in record["skipped"]


@pytest.mark.usefixtures("_session")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--session", "1"), "go together"),
        (("--session", "1", "--condition", "row"), "Did you mean"),
        (("--prompts", "5,x"), "--prompts"),
        (("--session", "1", "--condition", "raw"), "cannot be drawn from 2"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], said: str) -> None:
    failed = alignbench("calibrate", *arguments)
    assert failed.returncode == 2
    assert said in failed.stderr
