"""Completion: what bash and zsh get for a line, and that nothing goes wrong while somebody types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alignbench.cli import completion
from alignbench.cli.app import app
from alignbench.cli.late import late_group
from alignbench.store import Store


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "x.db"
    with Store.open(path) as store:
        store.create_session("first")
        store.create_session("a $(touch no) `b` \"c\" 'd' \\")
    return path


def bash(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """What bash gets for a line of these words, the last of which is completed."""
    asked = {"COMP_WORDS": "\n".join(("alignbench", *words)), "COMP_CWORD": str(len(words))}
    return ask(monkeypatch, {**asked, completion.VARIABLE: "complete_bash"})


def ask(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    text = completion.answer(lambda: late_group(app)(prog_name=completion.PROGRAM))
    return text.splitlines()


COMPLETED: list[tuple[tuple[str, ...], list[str]]] = [
    (("sam",), ["sample"]),
    (("sessions", "ren"), ["rename"]),
    (("sample", "--temp"), ["--temperature"]),
    (("sample", "--model", "demo-sm"), ["demo-smollm2"]),
    (("sample", "--model", "=", "demo-sm"), ["demo-smollm2"]),
    (("ledger", "--teacher", "demo-sm"), ["demo-smollm2"]),
    (("models", "check", "demo-sm"), ["demo-smollm2"]),
    (("sample", "--prompts", "open"), ["open-ended"]),
    (("prompts", "show", "open"), ["open-ended"]),
    (("render", "--context", "fixed"), ["fixed-3"]),
    (("ledger", "--contexts", "fixed-3,instr"), ["fixed-3,instruction"]),
    (("sample", "--condition", "a", "=", "demo-sm"), ["demo-smollm2"]),
    (("sample", "--condition", "a", "=", "demo-base,context", "=", "fix"), ["fixed-3"]),
    (("judge", "1", "--kind", "qu"), ["quality"]),
    (("report", "1", "--format", "h"), ["html"]),
    (("score", "1", "--metrics", "words,jaccard_s"), ["words,jaccard_stem"]),
    (("report", "1", "--metrics", "jaccard_s"), ["jaccard_stem"]),
    (("sample", "--device", "c"), ["cpu", "cuda", "cuda:0"]),
    (("examples", "show", "conv"), ["conversational"]),
    (("sample", "--n", "x", "--model", "demo-sm"), ["demo-smollm2"]),
    (("--version", "sam"), ["sample"]),
]


def test_values_are_completed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for words, completed in COMPLETED:
        assert bash(monkeypatch, *words) == completed, words
    assert capfd.readouterr() == ("", "")


def test_sessions_are_those_of_the_database_that_is_named(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("sessions", "show")
    assert bash(monkeypatch, *command, "") == []
    assert bash(monkeypatch, "--db", str(db), *command, "") == ["2", "1"]
    assert bash(monkeypatch, *command, "--db", str(db), "") == ["2", "1"]
    monkeypatch.setenv("ALIGNBENCH_DB", str(db))
    assert bash(monkeypatch, *command, "") == ["2", "1"]
    assert bash(monkeypatch, *command, "1") == ["1"]
    assert bash(monkeypatch, *command, "--db", str(tmp_path / "no.db"), "") == []
    for other in (("report",), ("score",), ("tui",), ("hints", "list"), ("plan",), ("render",), ("calibrate",)):
        assert bash(monkeypatch, *other, "1") == ["1"]


def test_a_database_that_is_none_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 100)
    assert bash(monkeypatch, "report", "--db", str(broken), "") == []
    assert bash(monkeypatch, "report", "--db", str(tmp_path), "") == []
    before = {*tmp_path.iterdir()}
    assert bash(monkeypatch, "report", "--db", str(tmp_path / "new.db"), "") == []
    assert {*tmp_path.iterdir()} == before
    assert capfd.readouterr() == ("", "")


def test_models_of_a_broken_file_are_not_completed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALIGNBENCH_CONFIG_DIR", str(tmp_path))
    toml = tmp_path / "models.toml"
    toml.write_text('[models.mine]\nreference = "llama:/none.gguf"\n[models."a b;c"]\nreference = "llama:/x.gguf"\n')
    assert bash(monkeypatch, "sample", "--model", "m") == ["mine"]
    assert bash(monkeypatch, "sample", "--model", "a") == [], "nothing that a shell would take for more than a word"
    toml.write_text("models = [")
    assert bash(monkeypatch, "sample", "--model", "m") == []


def test_what_zsh_evaluates_holds_nothing_that_runs(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"_TYPER_COMPLETE_ARGS": f"alignbench report --db {db} ", completion.VARIABLE: "complete_zsh"}
    text = "\n".join(ask(monkeypatch, words))
    assert text.startswith('_arguments \'*: :(("2":"a (touch no) b c d"')
    assert '"1":"first"' in text


def test_the_value_of_an_option_in_one_word_is_completed_in_zsh(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"_TYPER_COMPLETE_ARGS": "alignbench sample --model=demo-sm", completion.VARIABLE: "complete_zsh"}
    assert ask(monkeypatch, words) == ["compset -P '*=';_arguments '*: :((\"demo-smollm2\"))'"]


JOINED: list[tuple[list[str], int, tuple[list[str], int, str]]] = [
    (["p", "a", "b"], 2, (["p", "a", "b"], 2, "")),
    (["p", "-m", "hf", ":", "org/n"], 4, (["p", "-m", "hf:org/n"], 2, "hf:")),
    (["p", "-m", "hf", ":"], 3, (["p", "-m", "hf:"], 2, "hf:")),
    (["p", "--m", "=", "x"], 3, (["p", "--m=x"], 1, "--m=")),
    (["p", "--m", "=", ""], 3, (["p", "--m=", ""], 2, "")),
    (["p", "c=d", "", "e"], 2, (["p", "c=d", "", "e"], 2, "")),
    (["p"], 0, (["p"], 0, "")),
    (["p", "=", "x"], 2, (["p", "=x"], 1, "=")),
    ([], 0, ([], -1, "")),
]


def test_words_that_bash_parts_are_joined() -> None:
    for words, at, joined in JOINED:
        assert completion.joined_words(words, at) == joined


def test_nothing_large_is_imported(db: Path) -> None:
    lines = [("sample", "--model", ""), ("report", "--db", str(db), ""), ("render", "--context", ""), ("sa",)]
    script = (
        "import os, sys\n"
        "from alignbench.cli import completion\n"
        "from alignbench.cli.app import app\n"
        "from alignbench.cli.late import late_group\n"
        f"for words in {lines!r}:\n"
        "    os.environ.update(COMP_WORDS='\\n'.join(('alignbench', *words)), COMP_CWORD=str(len(words)))\n"
        "    assert completion.answer(lambda: late_group(app)(prog_name='alignbench')), words\n"
        "print(*sys.modules)\n"
    )
    environment = {**os.environ, completion.VARIABLE: "complete_bash"}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert not {"numpy", "textual", "torch", "llama_cpp", "rich", "alignbench.store"} & {*ran.stdout.split()}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with an empty home, where `alignbench` is a command."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "alignbench").write_text(f'#!/bin/sh\nexec {sys.executable} -m alignbench "$@"\n')
    (programs / "alignbench").chmod(0o755)
    return {**os.environ, "HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_once_it_is_installed(home: dict[str, str], db: Path) -> None:
    installed = subprocess.run(
        ["bash", "--norc", "-c", "alignbench --install-completion; true"],
        env={**home, "ALIGNBENCH_DB": str(db)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "bash completion installed" in installed.stdout
    typed = (
        "source ~/.bashrc; complete -p alignbench >/dev/null || exit 1\n"
        "COMP_WORDS=(alignbench report ''); COMP_CWORD=2; _alignbench_completion alignbench\n"
        'echo "${COMPREPLY[*]}"\n'
    )
    ran = subprocess.run(
        ["bash", "--norc", "-c", typed],
        env={**home, "ALIGNBENCH_DB": str(db)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ran.stdout.split(), ran.stderr) == (["2", "1"], "")
    (Path(home["HOME"]) / ".bashrc").write_bytes(b"# caf\xe9\n")
    again = ["bash", "--norc", "-c", "alignbench --install-completion; exit $?"]
    refused = subprocess.run(again, env=home, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, f"alignbench: {completion.NOT_UTF8}\n")
