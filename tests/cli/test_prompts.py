from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignbench.cli.prompts import app
from alignbench.cli.typed_prompts import typed_prompts
from alignbench.errors import InputError
from alignbench.prompts import load_prompts, shipped_sets


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list() -> None:
    lines = run("list").splitlines()
    assert lines[0].split() == ["set", "prompts", "file"]
    sets = [["contested", "60"], ["open-ended", "60"], ["stories", "40"], ["survey", "40"]]
    assert [line.split()[:2] for line in lines[1:]] == sets
    assert [json.loads(line)["name"] for line in run("list", "--json").splitlines()] == shipped_sets()


def test_show() -> None:
    lines = run("show", "open-ended", "--limit", "2").splitlines()
    assert lines[1].rstrip() == "open-001  Why do people keep diaries?"
    assert len(lines) == 3


def test_show_json_can_be_read_again(tmp_path: Path) -> None:
    copy = tmp_path / "contested.jsonl"
    copy.write_text(run("show", "contested", "--json"))
    assert load_prompts(str(copy)) == load_prompts("contested")


def test_prompts_are_data(tmp_path: Path) -> None:
    hostile = tmp_path / "x.txt"
    hostile.write_text("[/] [INST] [@click=app.quit]x[/] [bold :smile: \x1b]52;c;eA==\x07 \u202eabc\n" + "x" * 500)
    shown = run("show", str(hostile))
    assert "[/] [INST] [@click=app.quit]x[/] [bold :smile: \u241b]52;c;eA==\u2407 \\u202eabc" in shown
    assert "x" * 500 in shown
    assert "\x1b" not in shown


def test_bad_input() -> None:
    with pytest.raises(InputError, match=r"Did you mean contested\?"):
        run("show", "contestd")
    with pytest.raises(InputError, match="limit is 0"):
        run("show", "contested", "--limit", "0")


def test_fields_of_other_names_and_values(tmp_path: Path) -> None:
    file, values = tmp_path / "mine.csv", tmp_path / "values.csv"
    file.write_text("Question Text,Key\nWhy {{ x }}?,a\n")
    values.write_text("x\ntea\nrain\n")
    named = ("--prompt-field", "question text", "--id-field", "key")
    assert run("show", str(file), *named).splitlines()[1].split() == ["a", "Why", "{{", "x", "}}?"]
    lines = [
        json.loads(line) for line in run("show", str(file), *named, "--values", str(values), "--json").splitlines()
    ]
    assert [(line["id"], line["prompt"]) for line in lines] == [("a#1", "Why tea?"), ("a#2", "Why rain?")]
    assert lines[0]["filled"] == {"of": "a", "template": "Why {{ x }}?", "values": {"x": "tea"}}
    same = run("show", f"{file}?field=question text&id=key&values={values.name}", "--json")
    assert [json.loads(line) for line in same.splitlines()] == lines
    with pytest.raises(InputError, match=r"mine\.csv, line 1: .*expected one called kay\. Did you mean key\?"):
        run("show", str(file), "--id-field", "kay", "--prompt-field", "key")


def test_a_prompt_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def piped(data: bytes) -> list[str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        return [prompt.text for prompt in typed_prompts(["Who?", "-"], None, None, None)]

    assert piped("\ufeffWhy,\n{{ où }}?\n".encode()) == ["Who?", "Why,\n{{ où }}?"]
    for data, message in ((b" \n", "--prompt is empty"), (b"caf\xe9", "stdin, byte 3: 0xe9 is not UTF-8")):
        with pytest.raises(InputError, match=message):
            piped(data)
    monkeypatch.setattr("alignbench.cli.typed_prompts.MOST", 3)
    with pytest.raises(InputError, match="stdin has more than 3 bytes"):
        piped(b"Why?")
    with pytest.raises(InputError, match="is there twice; stdin has one prompt"):
        typed_prompts(["-", "-"], None, None, None)
    with pytest.raises(InputError, match="--id-field is for --prompts"):
        typed_prompts(["x"], None, "id", None)
    (tmp_path / "v.csv").write_text("x\ntea\n")
    (prompt,) = typed_prompts(["Why {{ x }}?"], None, None, tmp_path / "v.csv")
    assert prompt.text == "Why tea?"
