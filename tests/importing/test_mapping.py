"""Rows of any fields, by a map."""

from __future__ import annotations

import csv
import json
import os
import threading
from functools import partial
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.importing.jsonl import stream_jsonl
from alignbench.importing.mapping import FieldMap
from alignbench.importing.spreadsheets import stream_spreadsheets
from tests.support.commands import alignbench
from tests.support.other_programs import imported, lines

NESTED = {
    "input": {"question": "Why?"},
    "model": "ours",
    "choices": [{"text": "So.", "reason": "max_tokens"}],
    "usage": {"out": 3},
    "T": 0.5,
}
MAP = "text=choices.0.text,prompt=input.question,condition=model,finish_reason=choices.0.reason,n_tokens=usage.out"


def test_nested_fields_are_found(tmp_path: Path) -> None:
    mapped = FieldMap.parsed(f"{MAP},temperature=T")
    (row,), store, _ = imported(partial(stream_jsonl, mapped=mapped), lines(tmp_path / "theirs.jsonl", NESTED))
    assert (row.condition, row.prompt, row.text, row.finish_reason, row.n_tokens) == (
        "ours",
        "Why?",
        "So.",
        "length",
        3,
    )
    assert store.conditions(1)[0].settings["temperature"] == 0.5
    assert row.prompt_id == store.prompts(1)[0].id != ""


def test_a_list_is_so_many_samples_and_messages_a_conversation(tmp_path: Path) -> None:
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    file = lines(
        tmp_path / "theirs.jsonl",
        {"messages": asked, "outputs": ["So.", "Because."]},
        {"messages": asked, "outputs": []},
    )
    rows, store, notes = imported(partial(stream_jsonl, mapped=FieldMap.parsed("text=outputs,prompt=messages")), file)
    assert [(row.condition, row.sample, row.text) for row in rows] == [("theirs", 0, "So."), ("theirs", 1, "Because.")]
    assert store.prompts(1)[0].system == "Be brief."
    assert notes == ["not imported: 1 rows whose list of responses is empty"]


def test_columns_of_a_csv_file(tmp_path: Path) -> None:
    file = tmp_path / "theirs.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows(
            [["The  Question", "Completion", "Temp"], ["Why?", "So,\nthen", "0.5"], ["Why?", "", ""]]
        )
    mapped = FieldMap.parsed("text=Completion,prompt=The  Question,temperature=Temp")
    rows, _, _ = imported(partial(stream_spreadsheets, mapped=mapped), file)
    assert [(row.condition, row.text) for row in rows] == [("theirs", "So,\nthen"), ("theirs, T not recorded", "")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text", "'text'; expected NAME=FIELD"),
        ("txt=a", "'txt' is no field of a response. Did you mean text"),
        ("text=a,text=b", "text is there twice"),
        ("text=", "expected NAME=FIELD"),
    ],
)
def test_a_map_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        FieldMap.parsed(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text=choices.0.txt,prompt=input.question", 'line 1, field "choices.0.txt": missing; the row has input'),
        ("text=choice", r'field "choice": missing; .*Did you mean choices'),
        ("text=choices,prompt=input.question", r'field "choices\[0\]": an object; expected a text'),
        ("text=choices.0.text", 'field "prompt": missing; .*--map prompt=FIELD says which one it is'),
        ("text=choices.0.text,prompt=input", 'field "input": .*expected a text'),
        ("text=choices.0.text,prompt=input.question,condition=modell", "Did you mean model"),
    ],
)
def test_a_map_that_does_not_fit(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        imported(partial(stream_jsonl, mapped=FieldMap.parsed(text)), lines(tmp_path / "theirs.jsonl", NESTED))


def test_files_become_one_session_or_none(tmp_path: Path) -> None:
    first = lines(tmp_path / "a.jsonl", NESTED)
    second = lines(tmp_path / "b.jsonl", NESTED | {"model": "theirs"})
    copy = lines(tmp_path / "copy.jsonl", NESTED)
    ran = alignbench("import", "jsonl", str(first), str(second), str(copy), "--map", MAP, "--base", "ours", "--json")
    assert json.loads(ran.stdout) == [{"session": 1, "dataset": "a", "samples": 2, "errors": 0}], ran.stderr
    assert "copy.jsonl is the same as" in ran.stderr
    assert "imported:ours (base)" in alignbench("sessions", "show", "1").stdout
    again = alignbench("import", "jsonl", str(first), str(second), "--map", MAP)
    assert "imported before, as session 1" in again.stderr
    broken = lines(tmp_path / "c.jsonl", NESTED | {"choices": []})
    failed = alignbench("import", "jsonl", str(first), str(broken), "--map", MAP)
    assert failed.returncode == 2
    assert "c.jsonl, line 1" in failed.stderr
    typo = alignbench("import", "jsonl", str(first), "--map", MAP, "--base", "our")
    assert (typo.returncode, "Did you mean ours?" in typo.stderr) == (2, True)
    assert len(alignbench("sessions", "list", "--json").stdout.splitlines()) == 2


def test_a_text_that_is_null_is_an_error_and_no_response(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "a.jsonl", {"q": "Why?", "out": None, "error": "overflow"}, {"q": "Why?", "out": ["So.", None]}
    )
    rows, _, _ = imported(partial(stream_jsonl, mapped=FieldMap.parsed("text=out,prompt=q")), file)
    assert [(row.text, row.error) for row in rows] == [("", "overflow"), ("So.", None), ("", "there is no text")]


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("\ufeff" + json.dumps({"q": "Why?", "out": "So."}) + "\n",))
    writer.start()
    ran = alignbench("import", "jsonl", str(pipe), "--map", "text=out,prompt=q", "--json")
    writer.join()
    assert json.loads(ran.stdout)[0]["samples"] == 1, ran.stderr
