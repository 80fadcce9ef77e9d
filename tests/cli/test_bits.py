"""`alignbench bits` as a user runs it: on the embedded models, beside `likelihood`, and on bad input."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.support.commands import alignbench

TEXTS = ["Bread is made of flour and water.", "The committee met on Tuesday, and adjourned."]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    return path


@pytest.mark.models
def test_bits_are_those_of_likelihood(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text(json.dumps({"text": TEXTS[0], "prompt": "What is bread?"}) + "\n")
    models = ["--model", "demo-base", "--condition", "shown=demo-base,context=fixed-3"]
    ran = alignbench("bits", str(path), *models, "--json", "--db", str(tmp_path / "kept.db"))
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    for name, more in (("demo-base", []), ("shown", ["--context", "fixed-3"])):
        arguments = ["--model", "demo-base", "--prompt", "What is bread?", "--response", TEXTS[0], "--json", *more]
        totals = json.loads(alignbench("likelihood", *arguments).stdout.splitlines()[-1])["totals"]
        condition = printed["conditions"][name]
        assert condition["bits_per_byte"] == pytest.approx(totals["bits_per_byte"], rel=1e-5)
        assert condition["end_bits"] == pytest.approx(-totals["end_logprob"] / math.log(2), rel=1e-4)
        assert condition["tokens"] == totals["n_tokens"]


@pytest.mark.models
def test_tables_of_texts_that_stand_alone(tmp_path: Path, file: Path) -> None:
    models = ["--model", "demo-base", "--model", "demo-smollm2", "--condition", "chat=demo-smollm2,context=chat"]
    ran = alignbench("bits", str(file), *models, "--db", str(tmp_path / "kept.db"))
    assert ran.returncode == 0, ran.stderr
    assert "demo-base minus demo-smollm2" in ran.stdout
    assert "the context around no prompt" in ran.stdout
    assert "no difference is called one under 20 texts" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "demo-base", "--condition", "near=demo-base,context=nearest-prompt-3"], "only a session has"),
        ([], "No --model given"),
        (["--model", "demo-base", "--condition", "demo-base=demo-base"], "Two conditions would be called 'demo-base'"),
    ],
)
def test_bad_input_is_one_message(tmp_path: Path, file: Path, arguments: list[str], said: str) -> None:
    ran = alignbench("bits", str(file), *arguments, "--db", str(tmp_path / "kept.db"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    ran = alignbench("bits", str(tmp_path / "gone.txt"), "--model", "demo-base")
    assert ran.returncode == 2
    assert "There is no file" in ran.stderr
