"""`alignbench ledger` as a user runs it; on the embedded models also killed in the middle, and its controls."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import alignbench

MODELS = ["--teacher", "demo-aligned", "--base", "demo-base"]
LEDGER = ["ledger", *MODELS, "--contexts", "instruction", "--n", "3", "--max-tokens", "32", "--controls", "--json"]
PATIENCE = 1200  # seconds: on two crowded cores


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give --prompts NAME|FILE, or the --session"),
        (["--prompts", "open-endd"], "open-ended"),
        (["--session", "7"], "There is no session 7"),
        (["--prompts", "open-ended", "--contexts", "fixed-4"], "There is no context or file 'fixed-4'"),
        (["--prompts", "open-ended", "--contexts", "fixed-3,fixed-3"], "Two contexts are called 'fixed-3'"),
        (["--prompts", "open-ended", "--contexts", "prefill-8"], "begins the response itself"),
        (["--prompts", "open-ended", "--n", "1"], "--n"),
        (["--prompts", "open-ended", "--reach", "0.2"], "--reach needs --budget-tokens"),
    ],
)
def test_bad_input_is_one_message_before_anything_is_stored(tmp_path: Path, arguments: list[str], message: str) -> None:
    path = tmp_path / "none.db"
    ran = alignbench("ledger", *MODELS, *arguments, "--db", str(path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not path.exists()


KEYS = {"samples": "id", "hints": "id", "likelihoods": "model || prompt_hash || text_hash"}


def rows(path: Path, table: str) -> dict[Any, str]:
    """When each row of a table was written."""
    database = sqlite3.connect(path)
    try:
        return dict(database.execute(f"SELECT {KEYS[table]}, created FROM {table}"))
    except sqlite3.OperationalError:  # not made yet
        return {}
    finally:
        database.close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[Any, str]], dict[str, Any]]:
    """A ledger with controls that was killed while it read: its database, what was in it then, and what came of it."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ALIGNBENCH_CACHE_DIR", str(path.parent / "cache"))
        command = [*LEDGER, "--prompts", "open-ended", "--limit", "3", "--db", str(path)]
        process = subprocess.Popen(
            [sys.executable, "-m", "alignbench", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while len(rows(path, "likelihoods")) < 20:
                assert process.poll() is None, "it ended before it could be killed"
                assert time.monotonic() < deadline, "it reads nothing"
                time.sleep(0.2)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        before = {table: rows(path, table) for table in KEYS}
        ran = alignbench(*command)
    assert ran.returncode == 0, ran.stderr
    return path, before, json.loads(ran.stdout)


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE)
class TestOnTheEmbeddedModels:
    def test_killed_and_started_again_it_does_only_what_is_missing(self, killed: Any, tmp_path: Path) -> None:
        path, before, record = killed
        assert record["session"] == 1
        for table, there in before.items():
            assert there
            after = rows(path, table)
            assert {key: after[key] for key in there} == there, table  # none was written again
        assert len(rows(path, "likelihoods")) > len(before["likelihoods"])
        copy = tmp_path / "copy.db"
        shutil.copy(path, copy)
        early = [(key,) for key in before["likelihoods"]]
        with sqlite3.connect(copy) as database:  # what the killed process read is read again by one that is not
            database.executemany(f"DELETE FROM likelihoods WHERE {KEYS['likelihoods']} = ?", early)
        undisturbed = alignbench(*LEDGER, "--session", "1", "--db", str(copy))
        assert json.loads(undisturbed.stdout) == record

    def test_a_full_copy_saves_on_its_source_and_not_on_held_out_responses(self, killed: Any) -> None:
        copy = killed[2]["controls"]["given_away"]["copy of the source"]["saved"]
        assert copy["source"]["ci"][0] > 0.3
        assert copy["source"]["per_byte"] > 10 * abs(copy["held_out"]["per_byte"])
        assert copy["held_out"]["ci"][0] <= 0

    def test_keywords_of_another_prompt_save_nothing(self, killed: Any) -> None:
        other = killed[2]["controls"]["given_away"]["keywords of another prompt"]["saved"]
        assert other["source"]["ci"][0] <= 0
        assert other["held_out"]["ci"][0] <= 0

    def test_hidden_examples_are_recovered_by_all_of_them_in_part_by_one_and_not_by_none(self, killed: Any) -> None:
        hidden = killed[2]["controls"]["hidden_examples"]
        gaps = [hidden[name]["gap"] for name in ("all of its examples", "one of its examples", "zero-shot")]
        assert gaps[0] == pytest.approx(0.0, abs=1e-6)
        assert gaps[0] < gaps[1] < gaps[2]
        assert hidden["one of its examples"]["saved"]["held_out"]["ci"][0] > 0
        assert hidden["zero-shot"]["ci"][0] > 0

    def test_the_curve_has_bits_and_savings_of_every_level_and_few_prompts_are_said(self, killed: Any) -> None:
        record = killed[2]
        assert [row["level"] for row in record["curve"]] == ["keywords", "topics", "outline", "sentence", "summary"]
        for row in record["curve"]:
            assert row["cost"]["bits"] > 0
            assert set(row["saved"]) == {"held_out", "source"}
            assert row["saved"]["held_out"]["n_responses"] == 6
        assert record["meta"]["few_prompts"] is True
        assert (record["meta"]["measure"], record["meta"]["reason"]) == ("cross-entropy", "the tokenizers differ")
