"""`alignbench ledger` as a user runs it: killed in the middle on the embedded models, its controls on known answers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.books import WORDS, Pool
from tests.support.commands import alignbench
from tests.support.waiting import wait_until

MODELS = ["--teacher", "demo-smollm2", "--base", "demo-base"]
LEDGER = ["ledger", *MODELS, "--contexts", "instruction", "--json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give --prompts NAME|FILE, or the SESSION"),
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


@pytest.mark.models
@pytest.mark.slow
def test_killed_and_started_again_it_does_only_what_is_missing(tmp_path: Path) -> None:
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    short = [*LEDGER, "--n", "2", "--max-tokens", "12"]
    command = [*short, "--prompts", "open-ended", "--limit", "1", "--db", str(path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "alignbench", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: len(rows(path, "likelihoods")) >= 8 or process.poll() is not None)
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = {table: rows(path, table) for table in KEYS}
    ran = alignbench(*command)
    assert ran.returncode == 0, ran.stderr
    record = json.loads(ran.stdout)
    assert record["session"] == 1
    for table, there in before.items():
        assert there
        after = rows(path, table)
        assert {key: after[key] for key in there} == there, table  # none was written again
    assert len(rows(path, "likelihoods")) > len(before["likelihoods"])
    shutil.copy(path, copy)
    early = [(key,) for key in before["likelihoods"]]
    with sqlite3.connect(copy) as database:  # what the killed process read is read again by one that is not
        database.executemany(f"DELETE FROM likelihoods WHERE {KEYS['likelihoods']} = ?", early)
    undisturbed = alignbench(*short, "--session", "1", "--db", str(copy))
    assert json.loads(undisturbed.stdout) == record
    assert [row["level"] for row in record["curve"]] == ["keywords", "topics", "outline", "sentence", "summary"]
    for row in record["curve"]:
        assert row["cost"]["bits"] > 0
        assert set(row["saved"]) == {"held_out", "source"}
        assert row["saved"]["held_out"]["n_responses"] == 1
    assert record["meta"]["few_prompts"] is True
    assert (record["meta"]["measure"], record["meta"]["reason"]) == ("cross-entropy", "the tokenizers differ")
    for account in record["contexts"].values():
        assert account["parts"] is None
        assert "the tokenizers differ" in account["parts_reason"]


class TestParts:
    """On a pool of one tokenizer, a token a byte, all of them half a bit dearer under the base."""

    @pytest.fixture
    def command(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr("tests.support.commands.lent_pool", lambda **_: Pool())
        prompts = tmp_path / "prompts.txt"
        prompts.write_text("".join(f"Why {word}?\n" for word in WORDS), encoding="utf-8")
        return [*LEDGER, "--n", "3", "--prompts", str(prompts)]

    def test_each_context_says_where_its_gap_is(self, command: list[str]) -> None:
        ran = alignbench(*command)
        assert ran.returncode == 0, ran.stderr
        floor = json.loads(ran.stdout)["contexts"]["zero-shot"]
        parts, n = floor["parts"], sum(len(f"{word} in {colour}") for word in WORDS for colour in ("blue", "green"))
        spaces = 12 - 2  # two in each response; the one after swim is of the first five tokens
        assert [*parts] == ["opening", "format", "end", "rest"]
        assert floor["parts_reason"] == ""
        expected = {"opening": 30 / n, "format": spaces / n, "end": 0.0, "rest": 1 - (30 + spaces) / n}
        assert {part: each["share"]["value"] for part, each in parts.items()} == pytest.approx(expected, abs=1e-6)
        assert sum(each["per_byte"] for each in parts.values()) == pytest.approx(floor["gap"])
        for each in parts.values():
            assert each["ci"][0] <= each["per_byte"] <= each["ci"][1]
        for row in floor["responses"]:
            assert row["bits"] == pytest.approx(sum(row["parts"].values()) + (row["end"] or 0.0))

    def test_the_table_fits_80_columns(self, command: list[str]) -> None:
        ran = alignbench(*(word for word in command if word != "--json"))
        assert ran.returncode == 0, ran.stderr
        lines = [line.rstrip() for line in ran.stdout.splitlines()]
        at = lines.index("Where the gap is, held out: bits per byte, and share of the gap")
        assert lines[at + 1].split() == ["context", "gap", "opening", "format", "end", "rest"]
        assert lines[at + 2].split()[:4] == ["zero-shot", "0.500", "0.190", "38%"]
        assert lines[at + 3].split()[0] == "instruction"
        assert max(map(len, lines)) <= 80


class TestControls:
    """On a pool that reads a text it has seen, and any text after examples, more cheaply than others."""

    @pytest.fixture(scope="class")
    def controls(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("controls")
        prompts = folder / "prompts.txt"
        prompts.write_text("".join(f"Why {word}?\n" for word in WORDS), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("tests.support.commands.lent_pool", lambda **_: Pool(by_example=0.9))
            options = ("--n", "3", "--controls", "--prompts", str(prompts), "--db", str(folder / "ledger.db"))
            ran = alignbench(*LEDGER, *options)
        assert ran.returncode == 0, ran.stderr
        controls: dict[str, Any] = json.loads(ran.stdout)["controls"]
        return controls

    def test_a_full_copy_saves_on_its_source_and_not_on_held_out_responses(self, controls: dict[str, Any]) -> None:
        copy = controls["given_away"]["copy of the source"]["saved"]
        assert copy["source"]["ci"][0] > 0.3
        assert copy["source"]["per_byte"] > 10 * abs(copy["held_out"]["per_byte"])
        assert copy["held_out"]["ci"][0] <= 0

    def test_keywords_of_another_prompt_save_nothing(self, controls: dict[str, Any]) -> None:
        other = controls["given_away"]["keywords of another prompt"]["saved"]
        assert other["source"]["ci"][0] <= 0
        assert other["held_out"]["ci"][0] <= 0

    def test_hidden_examples_are_recovered_by_all_of_them_in_part_by_one_and_not_by_none(
        self, controls: dict[str, Any]
    ) -> None:
        hidden = controls["hidden_examples"]
        gaps = [hidden[name]["gap"] for name in ("all of its examples", "one of its examples", "zero-shot")]
        assert gaps[0] == pytest.approx(0.0, abs=1e-6)
        assert gaps[0] < gaps[1] < gaps[2]
        assert hidden["one of its examples"]["saved"]["held_out"]["ci"][0] > 0
        assert hidden["zero-shot"]["ci"][0] > 0
