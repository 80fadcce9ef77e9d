"""`alignbench run` as a user runs it, on the embedded weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from alignbench.engines.memory import needed_bytes
from alignbench.experiments.experiment import read_experiment
from alignbench.experiments.plan import make_plan
from alignbench.models.catalog import resolve
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.waiting import LIMIT

FILE = """
n = 3
[prompts]
sets = ["open-ended"]
limit = 4
[sampling]
max_tokens = 12
[[conditions]]
model = "demo-smollm2"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    return path


def texts(session: int = 1) -> dict[tuple[str, int], str]:
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        return {(row.prompt_id, row.sample): row.text for row in store.samples(session) if row.status == "done"}


def test_a_check_and_a_dry_run_touch_nothing(file: Path) -> None:
    checked = alignbench("run", str(file), "--check")
    assert checked.returncode == 0
    assert "4 prompts, 1 conditions, 12 samples" in checked.stderr
    dry = alignbench("run", str(file), "--dry-run", "--json", "--limit", "2")
    assert json.loads(dry.stdout) == [
        {"condition": "demo-smollm2", "cells": 2, "samples": 6, "most_tokens": 72, "tokens": None, "seconds": None,
         "memory": needed_bytes(resolve("demo-smollm2"))}
    ]  # fmt: skip
    for flags in (("--ray", str(file)), (str(file), "--ray"), (str(file), "--ray", "10.0.0.1:6379")):
        assert alignbench("run", *flags, "--check").returncode == 0  # an address is told from a file
    assert not Path(os.environ["ALIGNBENCH_DB"]).exists()
    file.write_text(FILE + "modle = 3\n")
    broken = alignbench("run", str(file))
    assert broken.returncode == 2
    assert "mine.toml, field conditions[0].modle: unknown. Did you mean mode" in broken.stderr


def test_a_changed_condition_is_refused_and_changes_nothing(file: Path) -> None:
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        experiment = read_experiment(file)
        described = {"experiment": {"file": str(file.resolve())}}
        session = store.create_session("mine", manifest=described)
        make_plan(store, session, experiment.prompts, experiment.conditions, 3)
    file.write_text(FILE.replace("max_tokens = 12", "max_tokens = 13"))
    refused = alignbench("run", str(file))
    assert refused.returncode == 2
    assert "The name 'demo-smollm2' stands for another condition in session 1" in refused.stderr
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        assert store.manifest(1) == described
        assert [condition.sampling.max_tokens for condition in store.conditions(1)] == [12]


@pytest.mark.models
@pytest.mark.slow
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(file: Path, tmp_path: Path) -> None:
    many = FILE.replace("limit = 4", "limit = 6").replace("max_tokens = 12", "max_tokens = 6")
    file.write_text(many)
    running = subprocess.Popen(
        [sys.executable, "-m", "alignbench", "run", str(file)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "5 to go" in line:
            running.send_signal(signal.SIGINT)
            break
    _, said = running.communicate(timeout=LIMIT)
    assert running.returncode == 130
    assert f"resume with: alignbench run {file}" in said
    first = texts()
    assert 0 < len(first) < 18
    resumed = alignbench("run", str(file), "--json")
    assert resumed.returncode == 0, resumed.stderr
    counted = json.loads(resumed.stdout)
    assert counted["session"] == 1
    assert counted["conditions"]["demo-smollm2"]["samples"] == 18
    assert first.items() <= texts().items()
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        loaded = store.manifest(1)["loaded"]["demo-smollm2"]
        assert (len(loaded["weights"]), len(loaded["chat_template"]), loaded["device"]) == (64, 64, "cpu")
    again = alignbench("run", str(file))
    assert "nothing is missing" in again.stderr
    undisturbed = tmp_path / "other.toml"
    undisturbed.write_text(many)
    assert alignbench("run", str(undisturbed)).returncode == 0
    assert texts(2) == texts(1)
    # Drawn again, one text is not that of the session, because it was changed here.
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        row = next(store.samples(2))
        store.db.execute("UPDATE samples SET raw_text = raw_text || '!' WHERE id = ?", [row.id])
    checked = alignbench("rerun", "2", "--check", "--json")
    assert checked.returncode == 1, checked.stderr
    check = json.loads(checked.stdout)
    assert (check["session"], check["identical"], check["different"], check["failed"]) == (2, 17, 1, 0)
    assert check["conditions"] == {"demo-smollm2": {"identical": 17, "different": 1, "failed": 0}}
    assert [each for each in check["samples"] if not each["identical"]] == [
        {"prompt_id": row.prompt_id, "condition": "demo-smollm2", "sample": row.sample, "identical": False,
         "same": len(row.raw_text), "same_prompt": True, "error": ""}
    ]  # fmt: skip
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        assert [info.id for info in store.sessions()] == [2, 1]
