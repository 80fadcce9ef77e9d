from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.protocol import SampleResult, TokenStats
from alignbench.errors import InputError
from alignbench.metrics.words import words
from alignbench.scoring.responses import FileResponses, SessionResponses, Truncated, opening
from alignbench.spec import Condition, Context, Model, Prompt
from alignbench.store import Store

HOSTILE = "[red]\x1b]52;c;eA==\x07 ‮ \ud83d"


def line(prompt: object = "p", condition: object = "A", text: object = "words", **more: object) -> str:
    return json.dumps({"prompt_id": prompt, "condition": condition, "text": text, **more})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.jsonl"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def refusal(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        FileResponses(path)
    return str(error.value)


def test_lines_of_a_cell_are_its_samples_wherever_they_stand(path: Path) -> None:
    write(path, line("p2", "B", "one"), line("p1", "A", "two"), "", line("p2", "A", "four"), line("p2", "B", HOSTILE))
    with FileResponses(path) as responses:
        assert responses.prompts == ("p2", "p1")
        assert responses.conditions == ("B", "A")
        assert responses.cells("p2") == {"B": {0: "one", 1: HOSTILE}, "A": {0: "four"}}
        assert responses.cells("p1") == {"A": {0: "two"}}
        assert responses.n == 4


def test_a_byte_order_mark_windows_lines_and_numbers_as_prompt_ids(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + line(7, text="é one").encode() + b"\r\n" + line(7, text="two").encode())
    with FileResponses(path) as responses:
        assert responses.cells("7") == {"A": {0: "é one", 1: "two"}}


def test_the_output_of_sample_is_read_as_it_is(path: Path) -> None:
    failed = line(text="", status="error")
    write(path, line(status="done", seed=3), failed, line(text="half", status="cancelled"), '{"scores": {}}')
    with FileResponses(path) as responses:
        assert responses.cells("p") == {"A": {0: "words"}}
        assert (responses.n, responses.left_out) == (1, 2)


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_text, args=(line() + "\n",))
    writer.start()
    with FileResponses(fifo) as responses:
        assert responses.cells("p") == {"A": {0: "words"}}
    writer.join()


def test_every_fault_has_its_line_and_field(path: Path) -> None:
    good = line() + "\n"
    for wrong, *expected in (
        ('{"prompt_id": "p",', "line 2", "not JSON", "character"),
        ("[1]", "line 2", "a list", "prompt_id"),
        ('{"prompt_id": "p", "condition": "A"}', "line 2", 'field "text"', "missing"),
        ('{"condition": "A", "text": ""}', "line 2", 'field "prompt_id"', "missing"),
        (line(text=3), "line 2", 'field "text"', "a number"),
        (line(condition=None), "line 2", 'field "condition"', "null"),
        (line(prompt=True), "line 2", 'field "prompt_id"', "true"),
        (line(prompt=""), "line 2", 'field "prompt_id"', "empty"),
        ("[" * 100_000, "line 2", "not JSON"),
    ):
        message = refusal(path, good + wrong + "\n")
        assert str(path) in message
        assert all(part in message for part in expected), message
    assert "offset" in refusal(path, good.encode() + b'{"text": "\xff"}')
    assert "UTF-16" in refusal(path, good.encode("utf-16"))
    assert "no finished responses" in refusal(path, "")
    assert "no finished responses" in refusal(path, "\n \n")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        FileResponses(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match="is a folder"):
        FileResponses(tmp_path)


def test_a_session_gives_its_finished_samples(tmp_path: Path) -> None:
    model = Model("m", "demo-base", "base")
    with Store.open(tmp_path / "runs.db") as store:
        session = store.create_session("s")
        with pytest.raises(InputError, match="no finished samples"):
            SessionResponses(store, session)
        cell = store.add_cell(session, Prompt("p", "Why?"), Condition("A", model, Context("plain")), 3)
        store.add_cell(session, Prompt("q", "Where?"), Condition("A", model, Context("plain")), 3)
        none = np.zeros(0, np.float32)
        tokens = TokenStats(np.zeros(0, np.int32), none, none, none, none)
        store.add_sample(cell, SampleResult(0, "because", "because", "stop", 1, 1, 0.1, -1.0, tokens))
        store.add_sample(cell, SampleResult(1, "half a", "half a", "cancelled", 1, 1, 0.1, -1.0, tokens))
        store.add_error(cell, 2, "overflow")
        responses = SessionResponses(store, session)
        assert responses.cells("p") == {"A": {0: "because"}}
        assert responses.cells("q") == {"A": {}}
        assert (responses.prompts, responses.conditions) == (("p", "q"), ("A",))
        assert responses.n == 1
        with pytest.raises(InputError, match="no session 9"):
            SessionResponses(store, 9)


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("one two three", 2, "one two"),
        ("one two three", 3, "one two three"),
        ("  one,\n\ntwo — three. ", 2, "  one,\n\ntwo"),
        ("a well-known fact", 2, "a well-"),
        ("我写日记", 2, "我写"),
        ("naïve cafés 🎉 open", 2, "naïve cafés"),
        ("", 5, ""),
        ("... !!!", 1, "... !!!"),
    ],
)
def test_the_opening_of_a_text(text: str, n: int, expected: str) -> None:
    assert opening(text, n) == expected
    assert len(words(opening(text, n))) <= n


def test_truncated_responses(path: Path) -> None:
    with FileResponses(write(path, line(text="one two three"))) as responses:
        truncated = Truncated(responses, 2)
        assert truncated.cells("p") == {"A": {0: "one two"}}
        assert truncated.prompts == responses.prompts
