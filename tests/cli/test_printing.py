"""The door to the terminal: what passes it cannot act, whatever its origin, and no run ends for what cannot be said."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from rich.traceback import Traceback

from alignbench.cli import printing
from alignbench.cli.progress import ProgressBar
from alignbench.tui.app import BenchApp
from tests.support.books import Pool
from tests.support.commands import alignbench, run_main
from tests.support.terminals import at_a_terminal, terminal

HOSTILE = "\x1b]52;c;aGVsbG8=\x07\x1b[31mRED\x9b2J\u202ebidi\rCR\x08\u200b\U000e0041"
OWN = re.compile(r"\x1b\[\?25[lh]|\x1b\[[0-9;]*[mKA]|\r")  # of bars and styles
LINES = {
    "print(1)": "T201",
    "import sys\nsys.stdout.write('a')": "TID251",
    "import sys\nsys.stderr.write('a')": "TID251",
    "from sys import stderr": "TID251",
    "import typer\ntyper.echo('a')": "TID251",
    "import typer\ntyper.confirm('a')": "TID251",
    "from rich.console import Console\nConsole()": "TID251",
    "import traceback\ntraceback.print_exc()": "TID251",
    "import os\nos.write(1, b'a')": "TID251",
}


def assert_harmless(sent: str) -> None:
    """Nothing but what bars and styles need acts on a terminal."""
    assert "\x1b[31mRED" not in sent
    acting = [c for c in OWN.sub("", sent) if not (c.isprintable() or c in "\n\t")]
    assert not acting, acting


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """With one session, which has escapes in every name and text."""
    folder = tmp_path_factory.mktemp("hostile")
    file, path = folder / f"a{HOSTILE}.jsonl", str(folder / f"b{HOSTILE}.db")
    row = {"prompt_id": f"q{HOSTILE}", "prompt": f"Why?{HOSTILE}", "text": f"So.{HOSTILE}"}
    rows = [{**row, "condition": f"{HOSTILE}{name}"} for name in "ab" for _ in range(3)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert alignbench("import", "jsonl", str(file), "--db", path).returncode == 0
    assert alignbench("sessions", "tag", "1", HOSTILE, "--db", path).returncode == 0
    return path


@pytest.mark.parametrize("line", LINES)
def test_only_the_door_prints(line: str) -> None:
    """The check of every change fails where another module does."""
    ruff = Path(sys.executable).with_name("ruff")
    root = Path(__file__).parents[2]
    where = str(root / "src/alignbench/cli/score.py")
    command = [str(ruff), "check", "--output-format", "concise", "--stdin-filename", where, "-"]
    checked = subprocess.run(command, input=line + "\n", capture_output=True, text=True, cwd=root, check=False)
    assert LINES[line] in checked.stdout


def test_every_module_keeps_to_the_door() -> None:
    root = Path(__file__).parents[2]
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--select", "T20,TID251", "src"]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("sessions", "list"),
        ("sessions", "list", "--json"),
        ("sessions", "show", "1"),
        ("sessions", "search", "So"),
        ("sessions", "compare", "1", "1"),
        ("export", "csv", "1"),
        ("export", "jsonl", "1"),
        ("export", "csv", "1", "--condition", HOSTILE),
        ("report", "1", "--metrics", "words"),
        ("report", "1", "--format", "md", "--metrics", "words"),
        ("report", "1", "--format", "csv", "--metrics", "words"),
        ("score", "1"),
        ("score", "1", "--csv"),
        ("score", "1", "--metrics", HOSTILE),
        ("run", HOSTILE),
        ("prompts", "show", HOSTILE),
        ("render", HOSTILE),
        ("render", "--prompt", HOSTILE),
        ("render", "--prompt", "a", "--context", HOSTILE),
        ("sample", "--prompt", "a", "--model", HOSTILE),
        ("sample", "--prompt", "a", "--temperature", HOSTILE),
        ("sample", f"--{HOSTILE}"),
        (HOSTILE,),
        ("sessions", "show", HOSTILE),
        ("sessions", "show", "1", "--db", f"/nowhere/{HOSTILE}"),
        ("models", "check", HOSTILE),
        ("judge", "1", "--kind", HOSTILE, "--model", "demo-base"),
        ("label", "1", "--condition", HOSTILE),
        ("attach", "1"),
        ("doctor", "--db", f"/nowhere/{HOSTILE}"),
        ("sessions", "backup", HOSTILE),
        ("sessions", "delete", "1"),
    ],
    ids=lambda command: " ".join(command).encode("ascii", "ignore").decode(),
)
def test_nothing_acts_on_the_terminal(
    command: tuple[str, ...], database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALIGNBENCH_DB", database)
    _, sent = at_a_terminal(*command)
    assert sent
    assert_harmless(sent)


def test_lines_of_libraries_pass_the_door() -> None:
    with terminal() as sent:
        printing.guard()
        sys.stderr.write(warnings.formatwarning(HOSTILE, UserWarning, "a.py", 1, ""))
        logging.StreamHandler().emit(logging.LogRecord("x", 30, "x", 1, HOSTILE, None, None))
        sys.excepthook(ValueError, ValueError(HOSTILE), None)
    assert sent.text.count("␛[31mRED") == 3
    assert_harmless(sent.text)


def test_a_crash_of_the_app_is_told_without_escapes(tmp_path: Path) -> None:
    with terminal() as sent:
        printing.guard()
        app = BenchApp(tmp_path / "a.db", Pool(), None)
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            app.error_console.print(Traceback(show_locals=True))
    assert "\x1b" not in sent.text
    assert "␛[31mRED" in sent.text
    assert "␛[0m" not in sent.text
    assert_harmless(sent.text)


def test_lines_go_above_bars_and_nothing_in_them_acts() -> None:
    with terminal() as sent, ProgressBar() as bar:
        bar.add(HOSTILE, 3).describe(HOSTILE)
        bar.say(HOSTILE)
        printing.data("b\x7f")
        bar.say("later")
    assert "b␡" in sent.text
    assert_harmless(sent.text)


def test_a_result_goes_to_its_file_while_bars_are_on_the_terminal() -> None:
    file = io.StringIO()
    with terminal() as sent, redirect_stdout(file), ProgressBar() as bar:
        bar.add("drawn", 3)
        printing.data("{}")
    assert file.getvalue() == "{}\n"
    assert "{}" not in sent.text


def test_data_in_a_pipe_is_as_it_was(database: str) -> None:
    rows = list(csv.DictReader(io.StringIO(alignbench("export", "csv", "1", "--db", database).stdout, newline="")))
    assert {row["prompt"] for row in rows} == {f"Why?{HOSTILE}"}
    assert HOSTILE in alignbench("render", "--prompt", HOSTILE).stdout


def test_narration_that_cannot_be_written_ends_nothing() -> None:
    out = io.StringIO()
    with open("/dev/full", "w") as full, redirect_stdout(out), redirect_stderr(full):
        code = run_main("sessions", "list")
    assert (code, out.getvalue()) == (0, "")


def test_a_result_that_cannot_be_written_is_one_line() -> None:
    err = io.StringIO()
    with open("/dev/full", "w") as full, redirect_stdout(full), redirect_stderr(err):
        code = run_main("metrics")
    assert code == 1
    assert err.getvalue() == "alignbench: stdout cannot be written: No space left on device.\n"
