"""Responses from JSONL files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alignbench.errors import InputError
from alignbench.exporting.samples import sample_rows
from alignbench.importing.save import save_import
from alignbench.scoring.truncation import Truncation, session_truncations
from alignbench.store import UNKNOWN_FACTS, Store
from tests.support.collected import read_jsonl


def row(**changes: Any) -> dict[str, Any]:
    return {"prompt_id": 1, "prompt": "Why? ", "condition": "chat", "text": " So.", **changes}


def write(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path


def test_rows_become_a_session(tmp_path: Path) -> None:
    file = write(
        tmp_path / "mine.jsonl",
        row(condition="raw", kind="base", finish_reason="length"),
        row(),
        row(text=""),
        row(text="", status="error", error="overflow"),
        row(prompt_id="2", prompt="How?"),
        {"scores": {}},
    )
    with Store.open(tmp_path / "runs.db") as store:
        imported = save_import(store, read_jsonl(file))
        assert (imported.dataset, imported.samples, imported.errors) == ("mine", 4, 1)
        info = store.session(imported.session)
        assert (info.n_prompts, info.n_conditions, info.reference) == (2, 2, "chat")
        rows = {(r.prompt_id, r.condition, r.sample): r for r in store.samples(imported.session)}
        assert rows["1", "raw", 0].finish_reason == "length"
        assert rows["1", "chat", 0].text == " So."
        assert rows["1", "chat", 1].text == ""
        assert rows["1", "chat", 2].error == "overflow"
        assert [prompt.text for prompt in store.prompts(imported.session)] == ["Why?", "How?"]


def test_how_responses_ended_is_unknown_where_a_file_does_not_tell_and_stays_so(tmp_path: Path) -> None:
    raw = [row(condition="raw", finish_reason=end) for end in ("length", "stop")]
    file = write(
        tmp_path / "mine.jsonl", *raw, row(), row(condition="half", finish_reason="stop"), row(condition="half")
    )
    with Store.open(tmp_path / "runs.db") as store:
        first = save_import(store, read_jsonl(file)).session
        assert session_truncations(store, first) == {
            "raw": Truncation(1, 2), "chat": Truncation(None, 1), "half": Truncation(None, 2),
        }  # fmt: skip
        again = write(tmp_path / "again.jsonl", *sample_rows(store, first))
        second = save_import(store, read_jsonl(again)).session
        assert session_truncations(store, second) == session_truncations(store, first)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": None}, 'line 2, field "text"'),
        ({"prompt": " "}, 'line 2, field "prompt": empty'),
        ({"condition": 4}, 'line 2, field "condition"'),
        ({"prompt": "Other?"}, "stood for another prompt"),
        ({"kind": "base"}, "was aligned before"),
        ({"kind": "tuned"}, "expected base or aligned"),
        ({"finish_reason": "eos"}, "expected stop or length"),
    ],
)
def test_faults_name_line_and_field(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_jsonl(write(tmp_path / "mine.jsonl", row(), row(**changes)))


def test_a_missing_field_and_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='field "prompt": missing'):
        read_jsonl(write(tmp_path / "mine.jsonl", {"prompt_id": "1", "condition": "a", "text": "b"}))
    with pytest.raises(InputError, match="holds no responses"):
        read_jsonl(write(tmp_path / "mine.jsonl"))


def test_numbers_that_nothing_can_have_are_not_recorded(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps(row()).replace("}", f', "seconds": 1{"0" * 400}, "logprob": -1{"0" * 400}}}') + "\n"
                    + json.dumps(row(logprob=float("-inf"), seconds=float("inf"))))  # fmt: skip
    ((first, second),) = (cell.samples for cell in read_jsonl(file).conditions[0].cells)
    assert first.facts == second.facts == UNKNOWN_FACTS
