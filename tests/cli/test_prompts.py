from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignbench.cli.prompts import app
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
