"""stdout and stderr that are closed, full, not UTF-8, not read to the end; names that are no UTF-8; few descriptors."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from alignbench.store import Store
from tests.support.commands import alignbench, run_main

TEXTS = ("Déjà vu.", "日記", "half \ud83d")
BYTES = "caf\udce9"  # as Python has the bytes b"caf\xe9"
COMMANDS = [
    ("--help",),
    ("--version",),
    ("metrics",),
    ("metrics", "--json"),
    ("sessions", "list"),
    ("sessions", "show", "1"),
    ("sessions", "show", "1", "--json"),
    ("export", "csv", "1"),
    ("export", "jsonl", "1"),
    ("score", "--session", "1", "--csv", "--metrics", "words"),
    ("prompts", "show", "open-ended"),
    ("render", "--prompt", "Déjà vu?"),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A session whose texts ASCII lacks, in a file whose name is no UTF-8."""
    folder = tmp_path_factory.mktemp("streams")
    rows = [
        {"prompt_id": "é", "prompt": "Déjà vu?", "condition": name, "text": text} for name in "ab" for text in TEXTS
    ]
    (folder / "é.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    path = str(folder / f"{BYTES}.db")
    assert alignbench("import", "jsonl", str(folder / "é.jsonl"), "--db", path).returncode == 0
    return path


@pytest.fixture(autouse=True)
def _in_it(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALIGNBENCH_DB", database)
    monkeypatch.chdir(tmp_path)


def written(*arguments: str, encoding: str = "utf-8") -> tuple[int, str, str]:
    """The exit code of a command and what it wrote to streams of this encoding."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run_main(*arguments)
    said, told = (each.buffer.getvalue().decode(encoding, "backslashreplace") for each in (out, err))  # type: ignore[attr-defined]
    return code, said, told


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_stdout_that_is_closed_or_full_is_one_line(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for reason in ("it is closed", "No space left on device"):
        err = io.StringIO()
        with open("/dev/full", "w") as full, redirect_stderr(err):
            monkeypatch.setattr(sys, "stdout", None if reason == "it is closed" else full)
            code = run_main(*command)
        assert (code, err.getvalue()) == (1, f"alignbench: stdout cannot be written: {reason}.\n")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_stderr_that_is_closed_or_full_changes_nothing(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = written(*command)[1]
    for closed in (True, False):
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        with open("/dev/full", "w") as full, redirect_stdout(out):
            monkeypatch.setattr(sys, "stderr", None if closed else full)
            assert run_main(*command) == 0
        assert out.buffer.getvalue().decode() == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_stream_that_is_not_utf_8_works_or_is_one_line(command: tuple[str, ...], encoding: str) -> None:
    code, _, err = written(*command, encoding=encoding)
    if command[:2] == ("export", "csv"):  # no other bytes than those that are meant
        missing = "U+00E9" if encoding == "ascii" else "U+65E5"
        assert (code, err.count("\n")) == (1, 1)
        assert f"stdout takes {encoding} only, which has no {missing}" in err
    else:
        assert (code, err) == (0, "")


def test_a_table_on_an_ascii_stream_has_escapes() -> None:
    assert "D\\xe9j\\xe0 vu?" in written("sessions", "show", "1", encoding="ascii")[1]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_to_a_file_needs_no_locale(form: str, tmp_path: Path) -> None:
    code, _, err = written("export", form, "1", "-o", f"{BYTES}.{form}", encoding="ascii")
    assert (code, err) == (0, f"wrote caf\\udce9.{form}\n")
    assert "日記" in json.dumps((tmp_path / f"{BYTES}.{form}").read_text(encoding="utf-8"), ensure_ascii=False).replace(
        "\\\\u65e5\\\\u8a18", "日記"
    )


def test_half_of_a_pair_is_an_escape_in_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(written("export", "csv", "1")[1], newline="")))
    assert "half \\ud83d" in [row["text"] for row in rows]


@pytest.mark.parametrize(
    "command",
    [
        ("sessions", "tag", "1", BYTES),
        ("sessions", "search", BYTES),
        ("sessions", "show", "1", "--db", BYTES),
        ("sessions", "backup", f"{BYTES}.db"),
        ("export", "csv", "1", "--condition", BYTES),
        ("export", "jsonl", "1", "-o", f"{BYTES}/x.jsonl"),
        ("import", "jsonl", BYTES),
        ("report", "1", "-o", f"{BYTES}.html", "--metrics", "words"),
        ("render", "--prompt", BYTES),
        ("sample", "--prompt", BYTES, "--model", BYTES),
        ("run", BYTES),
        ("prompts", "show", BYTES),
        ("models", "check", f"llama:{BYTES}.gguf"),
        ("judge", "1", "--kind", BYTES, "--model", "demo-base"),
        ("attach", BYTES),
        (BYTES,),
        (f"--{BYTES}",),
    ],
    ids=ascii,
)
def test_bytes_that_are_not_utf_8_work_or_are_one_line(command: tuple[str, ...]) -> None:
    code, _, err = written(*command)
    assert code in (0, 1, 2)
    assert "Traceback" not in err
    if code == 1 or (code == 2 and not err.startswith("Usage")):
        assert err.startswith("alignbench: ")
        assert err.count("\n") == 1


@pytest.mark.extras
def test_an_experiment_in_a_file_whose_name_is_not_utf_8_is_found_again(database: str, tmp_path: Path) -> None:
    file = tmp_path / f"{BYTES}.toml"
    file.write_text('n = 1\n[prompts]\nsets = ["open-ended"]\n[[conditions]]\nmodel = "demo-base"\n', encoding="utf-8")
    manifest = {"experiment": {"file": str(file)}}
    with Store.open(Path(database)) as store:
        session = store.create_session("", manifest=manifest)
        assert store.session_of_experiment(str(file)) == session
    assert written("run", str(file), "--dry-run", "--limit", "1")[0] == 0


@pytest.mark.parametrize(
    ("redirect", "code", "said"),
    [
        ("| true", 1, ""),
        (">&-", 1, "alignbench: stdout cannot be written: it is closed.\n"),
        (">/dev/full 2>&- <&-", 1, ""),
        (">/dev/null 2>&- <&-", 0, ""),
    ],
)
def test_a_process_ends_as_it_should(redirect: str, code: int, said: str) -> None:
    command = shlex.join([sys.executable, "-m", "alignbench", "sessions", "show", "1"])
    run = ["bash", "-c", f"set -o pipefail; {command} {redirect}"]
    ran = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr, ran.stdout) == (code, said, "")


@pytest.mark.parametrize("command", [("sessions", "show", "1"), ("report", "1", "--metrics", "words")], ids=" ".join)
def test_few_descriptors_are_enough_or_one_line(command: tuple[str, ...]) -> None:
    line = shlex.join([sys.executable, "-m", "alignbench", *command])
    ran = subprocess.run(["bash", "-c", f"ulimit -n 8; {line}"], capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 1)
    assert "Traceback" not in ran.stderr
    if ran.returncode:
        assert ran.stderr == "alignbench: Too many files are open; this process may have 8 at once (see ulimit -n).\n"


def test_the_app_needs_a_terminal() -> None:
    line = shlex.join([sys.executable, "-m", "alignbench", "label", "1", "--as", "me"])
    ran = subprocess.run(["bash", "-c", f"{line} <&-"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("alignbench: The app needs a terminal, and stdin is none;")
