"""Options that stand before the command, and files that end with a line end."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.store import Store
from tests.support.commands import alignbench


@pytest.fixture
def named(tmp_path: Path) -> Path:
    path = tmp_path / "named.db"
    with Store.open(path) as store:
        store.create_session("of this file")
    return path


@pytest.mark.parametrize("command", [("sessions", "list"), ("sessions", "show", "1"), ("export", "jsonl", "1")])
def test_the_database_may_be_named_before_the_command(named: Path, command: tuple[str, ...]) -> None:
    ran = alignbench("--db", str(named), *command)
    assert "of this file" in ran.stdout or ran.returncode == 0, ran.stderr


def test_before_the_command_it_counts_more_than_the_environment(
    named: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALIGNBENCH_DB", str(tmp_path / "other.db"))
    assert "of this file" in alignbench("--db", str(named), "sessions", "list").stdout
    assert "of this file" in alignbench("sessions", "list", "--db", str(named)).stdout
    assert "of this file" in alignbench("--db", str(named), "sessions", "list", "--db", str(named)).stdout
    assert not (tmp_path / "other.db").exists()


def test_two_databases_are_a_usage_error(named: Path, tmp_path: Path) -> None:
    ran = alignbench("--db", str(named), "sessions", "list", "--db", str(tmp_path / "other.db"))
    assert ran.returncode == 2
    assert "before the command and" in " ".join(ran.stderr.split())


@pytest.mark.parametrize(("end", "left"), [("\n", "So."), ("\r\n", "So."), ("\n\n", "So."), ("", "So."), (" ", "So. ")])
def test_the_line_end_of_a_response_file_is_left_out(
    tmp_path: Path, end: str, left: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from alignbench.cli.likelihood import _text

    file = tmp_path / "r.txt"
    file.write_bytes(f"So.{end}".encode())
    assert _text(str(file), keep_line_end=False) == left
    assert ("is left out; --keep-line-end scores it" in capsys.readouterr().err) is ("\n" in end)
    assert _text(str(file), keep_line_end=True) == f"So.{end}"
    assert _text("So.\n", keep_line_end=False) == "So.\n", "a text of the command line is what was asked for"
