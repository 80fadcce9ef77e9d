from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from alignbench import doctor as checks
from alignbench.cli.doctor import doctor
from alignbench.doctor import Check

app = typer.Typer()
app.command()(doctor)

OK = Check("cpu", "ok", "2 cores")
WARNING = Check("gpu", "warning", "[red]no CUDA[/]", "Build it again.")
OPTIONAL = Check("embeddings", "missing", "not installed", "Install it.")
REQUIRED = Check("database", "missing", "cannot be written", "Use --db.", required=True)


def run(monkeypatch: pytest.MonkeyPatch, examined: list[Check], *arguments: str) -> Result:
    seen: list[Path] = []
    monkeypatch.setattr(checks, "examine", lambda database: seen.append(database) or examined)
    result = CliRunner().invoke(app, ["--db", "x.db", *arguments], catch_exceptions=False)
    assert seen == [Path("x.db")]
    return result


def test_a_line_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, [OK, WARNING, OPTIONAL])
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "ok       cpu         2 cores",
        "warning  gpu         [red]no CUDA[/]. Build it again.",
        "missing  embeddings  not installed. Install it.",
    ]
    assert result.exit_code == 0


def test_exit_code_1_when_something_needed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, [OK, REQUIRED], "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)[1] == {
        "name": "database",
        "status": "missing",
        "detail": "cannot be written",
        "advice": "Use --db.",
        "required": True,
    }
