"""`alignbench config`, and what other commands take from config.toml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alignbench import paths
from alignbench.store import Store
from alignbench.tui.preferences import keep_theme
from tests.support.commands import alignbench


@pytest.fixture
def file() -> Path:
    paths.config_dir().mkdir()
    return paths.config_file()


def shown() -> dict[str, dict[str, Any]]:
    ran = alignbench("config", "show", "--json")
    assert ran.returncode == 0, ran.stderr
    return {row["setting"]: row for row in map(json.loads, ran.stdout.splitlines())}


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(program))


def test_each_value_is_shown_with_where_it_is_from(file: Path) -> None:
    file.write_text('models = ["demo-base"]\ndatabase = "x.db"\ntheme = "nord"\n[keys]\nbench.sample = "f12"\n')
    rows = shown()
    assert rows["models"] == {"setting": "models", "value": ["demo-base"], "from": str(file)}
    assert rows["prompts"] == {"setting": "prompts", "value": "open-ended", "from": "default"}
    assert rows["database"]["from"] == "ALIGNBENCH_DB"
    assert rows["theme"]["value"] == "nord"
    assert rows["keys.bench.sample"]["value"] == "f12"
    keep_theme("gruvbox")
    assert (rows := shown())["theme"]["value"] == "gruvbox"
    assert "app.toml" in rows["theme"]["from"]
    assert "gruvbox" in alignbench("config", "show").stdout


def test_the_file_is_made_and_what_is_wrong_in_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(tmp_path, monkeypatch, "true")
    assert alignbench("config", "edit").returncode == 0
    assert "# models =" in paths.config_file().read_text()
    editor(tmp_path, monkeypatch, """echo 'theme = "nrod"' > "$1" """)
    ran = alignbench("config", "edit")
    assert ran.returncode == 2
    assert "field theme: there is no theme 'nrod'. Did you mean nord?" in ran.stderr
    editor(tmp_path, monkeypatch, "exit 3")
    ran = alignbench("config", "edit")
    assert ran.returncode == 2
    assert "ended with code 3" in ran.stderr
    assert paths.config_file().read_text() == 'theme = "nrod"\n', "what was written stays"
    monkeypatch.delenv("VISUAL")
    monkeypatch.delenv("EDITOR", raising=False)
    assert "No editor is set" in alignbench("config", "edit").stderr


def test_a_broken_file_can_be_found_and_mended(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("theme = nord")
    monkeypatch.delenv("ALIGNBENCH_DB")
    monkeypatch.chdir(tmp_path)
    for command in (["config", "show"], ["sessions", "list"], ["tui"]):
        ran = alignbench(*command)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert f"{file}: not TOML" in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
    assert alignbench("config", "path").stdout.strip() == str(file)
    checks = {check["name"]: check for check in json.loads(alignbench("doctor", "--json").stdout)}
    assert checks["config.toml"]["status"] == "missing"
    assert "not TOML" in checks["config.toml"]["advice"]
    assert checks["database"]["detail"].startswith("runs/alignbench.db")
    editor(tmp_path, monkeypatch, """echo 'theme = "nord"' > "$1" """)
    assert alignbench("config", "edit").returncode == 0
    assert shown()["theme"]["value"] == "nord"


def test_a_flag_counts_more_than_the_environment_and_that_more_than_the_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("file", "environment", "flag"):
        with Store.open(tmp_path / f"{name}.db") as store:
            store.create_session(f"of the {name}")
    file.write_text(f'database = "{tmp_path}/file.db"')
    monkeypatch.setenv("ALIGNBENCH_DB", str(tmp_path / "environment.db"))
    assert "of the flag" in alignbench("sessions", "list", "--db", str(tmp_path / "flag.db")).stdout
    assert "of the environment" in alignbench("sessions", "list").stdout
    monkeypatch.delenv("ALIGNBENCH_DB")
    assert "of the file" in alignbench("sessions", "list").stdout


def test_models_and_prompts_are_taken_where_none_are_named(file: Path) -> None:
    file.write_text('models = ["demo-bass"]\nprompts = "contestet"\njudge = "demo-jugde"')
    ran = alignbench("sample")
    assert ran.returncode == 2
    assert (
        "config.toml, field prompts: There is no prompt set or file 'contestet'. Did you mean contested?" in ran.stderr
    )
    ran = alignbench("sample", "--prompt", "Why?")
    assert "config.toml, field models: There is no model 'demo-bass'" in ran.stderr
    ran = alignbench("sample", "--prompt", "Why?", "--model", "demo-nase")
    assert "config.toml" not in ran.stderr
    with Store.open(paths.default_database()) as store:
        session = store.create_session("one")
    ran = alignbench("judge", str(session), "--kind", "quality")
    assert ran.returncode == 2
    assert "config.toml, field judge: There is no model 'demo-jugde'" in ran.stderr
    ran = alignbench("judge", str(session), "--kind", "quality", "--model", "demo-nase")
    assert "config.toml" not in ran.stderr


def test_a_judge_has_to_be_named_somewhere() -> None:
    ran = alignbench("judge", "1", "--kind", "quality")
    assert ran.returncode == 2
    assert "No --model given, and config.toml names no judge" in ran.stderr


def test_every_id_is_listed_with_the_keys_that_it_has_now(file: Path) -> None:
    file.write_text('[keys]\n"bench.sample" = "^r, F12"')
    ran = alignbench("config", "keys", "--json")
    rows = {row["id"]: row for row in map(json.loads, ran.stdout.splitlines())}
    assert rows["bench.sample"]["keys"] == ["ctrl+r", "f12"]
    assert rows["app.quit"]["keys"] == ["ctrl+q"]
    assert all(row["does"] for row in rows.values())
    assert "bench.sample" in alignbench("config", "keys").stdout


def test_ids_are_listed_where_one_is_wrong(file: Path) -> None:
    file.write_text('[keys]\nsampel = "f12"')
    ran = alignbench("config", "keys")
    assert ran.returncode == 0
    assert "bench.sample" in ran.stdout
    assert "field keys.sampel: there is no such action" in ran.stderr
