"""`alignbench sample` as a user runs it: real weights, real database, and everything that can be typed wrong."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.gguf_files import write_gguf
from tests.support.waiting import LIMIT

PROMPT = "how to relieve stress from work"
BOTH = ["--model", "demo-base", "--model", "demo-smollm2"]


def sample_lines(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()][:-1]


def sampled_texts(output: str) -> dict[tuple[object, object], object]:
    return {(line["condition"], line["sample"]): line["text"] for line in sample_lines(output)}


@pytest.mark.models
@pytest.mark.slow
def test_the_same_seed_prints_the_same_texts_and_n_3_is_the_head_of_n_5() -> None:
    command = ["sample", "--prompt", PROMPT, *BOTH, "--max-tokens", "12", "--seed", "1", "--json"]
    first, second = alignbench(*command, "-n", "5"), alignbench(*command, "-n", "5")
    assert first.returncode == 0, first.stderr
    texts = sampled_texts(first.stdout)
    assert len(texts) == 10
    assert sampled_texts(second.stdout) == texts
    head = sampled_texts(alignbench(*command, "-n", "3").stdout)
    assert head == {key: text for key, text in texts.items() if int(str(key[1])) < 3}


@pytest.mark.models
def test_json_has_the_promised_keys() -> None:
    ran = alignbench("sample", "--prompt", PROMPT, *BOTH, "-n", "2", "--max-tokens", "8", "--seed", "4", "--json")
    assert ran.returncode == 0, ran.stderr
    for line in sample_lines(ran.stdout):
        assert list(line) == [
            "session", "prompt_id", "prompt", "condition", "model", "sample", "seed", "status", "text",
            "finish_reason", "n_prompt_tokens", "n_tokens", "seconds", "logprob",
            "thinking", "n_thinking_tokens", "refused", "note",
        ]  # fmt: skip
        assert line["seed"] == 4 + int(str(line["sample"]))
    scores = json.loads(ran.stdout.splitlines()[-1])["scores"]
    assert set(scores["within"]["demo-base"]) >= {"words", "jaccard", "distinct_2", "embedding_diversity"}
    assert set(scores["cross"]["demo-base"]) == {"jaccard", "embedding_similarity"}
    cross = scores["cross"]["demo-base"]["embedding_similarity"]
    assert cross["ceiling"] is not None
    assert cross["floor"] == cross["value"]


@pytest.mark.models
def test_a_page_for_people_without_json() -> None:
    ran = alignbench("sample", "--prompt", PROMPT, "--model", "demo-smollm2", "-n", "2", "--max-tokens", "8")
    assert ran.returncode == 0, ran.stderr
    assert PROMPT in ran.stdout
    assert "embedding diversity" in ran.stdout


@pytest.mark.models
def test_a_condition_is_a_name_and_a_model() -> None:
    ran = alignbench(
        "sample", "--prompt", PROMPT, "--condition", "small=demo-smollm2", "-n", "1", "--max-tokens", "4", "--json"
    )
    assert {(line["condition"], line["model"]) for line in sample_lines(ran.stdout)} == {("small", "demo-smollm2")}


def refused(*arguments: str, code: int = 2) -> str:
    """The one message of a command that cannot be carried out."""
    ran = alignbench("sample", *arguments)
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    return ran.stderr


def test_wrong_words_on_the_command_line() -> None:
    assert "-n is 0" in refused("--prompt", PROMPT, "--model", "demo-smollm2", "-n", "0")
    assert "--prompt is empty" in refused("--prompt", "  ", "--model", "demo-smollm2")
    assert "--prompt TEXT or --prompts" in refused("--model", "demo-smollm2")
    assert "No --model given" in refused("--prompt", PROMPT)
    assert "demo-smollm2" in refused("--prompt", PROMPT, "--model", "demo-smolml2")
    assert "temperature is -1" in refused("--prompt", PROMPT, "--model", "demo-smollm2", "--temperature", "-1")
    assert "Two conditions" in refused("--prompt", PROMPT, "--model", "demo-smollm2", "--model", "demo-smollm2")
    assert "no condition of this run" in refused("--prompt", PROMPT, *BOTH, "--reference", "gpt")
    assert "NAME=MODEL" in refused("--prompt", PROMPT, "--condition", "demo-base")


def test_models_that_cannot_be_used(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "cut.gguf")
    whole.write_bytes(whole.read_bytes()[:-1])
    text = tmp_path / "text.gguf"
    text.write_text("no weights here")
    for path, expected in ((whole, "cut.gguf"), (text, "text.gguf"), (tmp_path / "gone.gguf", "gone.gguf")):
        assert expected in refused("--prompt", PROMPT, "--model", f"llama:{path}")


def test_prompt_files_that_cannot_be_read(tmp_path: Path) -> None:
    lines = tmp_path / "mine.jsonl"
    lines.write_text("".join(f'{{"prompt": "Why {i}?"}}\n' for i in range(6)) + "{broken\n")
    assert "line 7" in refused("--prompts", str(lines), "--model", "demo-smollm2")
    latin = tmp_path / "latin.txt"
    latin.write_bytes("café\n".encode("latin-1"))
    assert "UTF-8" in refused("--prompts", str(latin), "--model", "demo-smollm2")


def test_databases_that_cannot_be_used(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE mine (x)")
    before = foreign.read_bytes()
    text = tmp_path / "text.db"
    text.write_text("not a database, but somebody's notes")
    for path in (foreign, text):
        message = refused("--prompt", PROMPT, "--model", "demo-smollm2", "--db", str(path), code=1)
        assert path.name in message
    assert foreign.read_bytes() == before


@pytest.mark.models
def test_a_request_that_cannot_fit_fails_with_the_numbers() -> None:
    ran = alignbench("sample", "--prompt", PROMPT, "--model", "demo-smollm2", "--max-tokens", "9000", "-n", "1")
    assert ran.returncode == 1
    assert "9000" in ran.stderr
    assert "8192" in ran.stderr


@pytest.mark.models
def test_one_failing_cell_is_exit_3() -> None:
    """9,000 tokens fit the window of one of the models only; stopping at once keeps the other one short."""
    ran = alignbench(
        "sample", "--prompt", PROMPT, *BOTH, "--max-tokens", "9000", "-n", "1", "--json",
        *[word for letter in "aeiou \n" for word in ("--stop", letter)],
    )  # fmt: skip
    assert ran.returncode == 3, ran.stderr
    statuses = {line["condition"]: line["status"] for line in sample_lines(ran.stdout)}
    assert statuses == {"demo-base": "done", "demo-smollm2": "error"}


@pytest.mark.models
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_what_had_finished_survives(how: signal.Signals, tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    process = subprocess.Popen(
        [sys.executable, "-m", "alignbench", "sample", "--prompts", "open-ended", "--model", "demo-smollm2", "-n", "2",
         "--max-tokens", "16", "--json", "--db", str(db)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    seen = [json.loads(process.stdout.readline()) for _ in range(3)]
    time.sleep(0.3 * random.random())  # anywhere in the run, sending a request included
    os.kill(process.pid, how)
    rest = process.stdout.read()
    assert process.wait(timeout=LIMIT) == (130 if how == signal.SIGINT else -9)
    seen += list(map(json.loads, filter(str.strip, rest.splitlines()))) if how == signal.SIGINT else []
    with Store.open(db) as store:
        stored = {(row.prompt_id, row.sample): row.text for row in store.samples(1) if row.status == "done"}
    for line in seen:
        if line.get("status") == "done":
            assert stored[line["prompt_id"], line["sample"]] == line["text"]
    assert len(stored) < 120


def test_a_pipe_that_closes_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "alignbench", "prompts", "show", "open-ended", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.wait(timeout=LIMIT)
