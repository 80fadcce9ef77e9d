"""The examples in README and docs.

A line of code that begins with `alignbench`, also after a `$`, and a command that is quoted in a sentence, must be a
command with flags that exist. The lines after a `$` in ```console blocks are run too, in the order of their page, with
small settings, and all commands of the README; a block whose info string names a file, as in ```toml near.toml, is that
file. Blocks of ```python run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from alignbench.cli.app import app
from tests.support.commands import alignbench
from tests.support.pools import lent_pool
from tools.site.build import pages

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [ROOT / page for page in pages()]
GUIDES = [page for page in PAGES if page == README or page.parent.name in ("docs", "prompts")]
SMALL = {
    "sample": ["--limit", "2", "-n", "2", "--max-tokens", "8"],
    "report": ["--bootstrap", "100"],
    "score": ["--bootstrap", "100"],
    "survey": ["--limit", "1", "-n", "2", "--max-tokens", "4"],
}

PYTHON = [page for page in GUIDES if "```python\n" in page.read_text(encoding="utf-8")]
CONSOLE = [page for page in GUIDES if "```console" in page.read_text(encoding="utf-8")]


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Info string and text of each fenced block."""
    for match in re.finditer(r"^```(\S.*)\n((?:.*\n)*?)```$", page.read_text(encoding="utf-8"), re.MULTILINE):
        yield match[1], match[2]


def anchors(page: Path) -> set[str]:
    """What a link may name on a page: its headings, as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def words(command: str) -> list[str]:
    """What a shell makes of a command, up to where its output goes elsewhere; without `alignbench`."""
    arguments = shlex.split(command, comments=True)[1:]
    end = next((at for at, word in enumerate(arguments) if word in ("|", ">", ">>", "2>", "&&", ";")), len(arguments))
    return arguments[:end]


def commands(page: Path) -> list[list[str]]:
    """Every line of code that is a command."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [words(line) for line in re.findall(r"^(?: {4}|\$ )?(alignbench(?: .*)?)$", text, re.MULTILINE)]


def quoted(page: Path) -> list[list[str]]:
    """Every command in a sentence, where capitals stand for what is to be filled in."""
    text = re.sub(r"\s+", " ", re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S))
    return [words(command) for command in re.findall(r"`(alignbench [^`]*)`", text) if "..." not in command]


def of(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that is meant, and its arguments."""
    command, rest = get_command(app), list(arguments)
    while rest and getattr(command, "commands", None) and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"there is no command {rest[0]!r} in: alignbench {shlex.join(arguments)}"
        command = command.commands[rest.pop(0)]
    return command, rest


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_flag_exists(page: Path) -> None:
    for arguments in commands(page):
        command, rest = of(arguments)
        if rest not in (["--install-completion"], ["--show-completion"]):  # which would be done, to this very home
            command.make_context(command.name, rest)
    for arguments in quoted(page):
        command, rest = of(arguments)
        flags = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        unknown = [word for word in rest if word.startswith("-") and word.partition("=")[0] not in flags]
        assert not unknown, f"alignbench {shlex.join(arguments)}"


@pytest.mark.models
@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.name)
def test_the_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("alignbench.engines.workers.pool.WorkerPool", lent_pool)
    for info, text in blocks(page):
        if info == "python":
            exec(compile(text, str(page), "exec"), {})


@pytest.mark.models
def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALIGNBENCH_DB")
    for arguments in commands(README):
        done = alignbench(*arguments, *SMALL.get(arguments[0], []))
        assert done.returncode == 0, f"alignbench {shlex.join(arguments)}\n{done.stderr}"


@pytest.mark.models
@pytest.mark.parametrize("page", CONSOLE, ids=lambda page: page.name)
def test_the_console_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALIGNBENCH_DB")
    for info, text in blocks(page):
        if info.startswith("console"):
            for line in re.findall(r"^\$ (alignbench .*)$", text.replace("\\\n", " "), re.MULTILINE):
                arguments = words(line)
                done = alignbench(*arguments, *SMALL.get(arguments[0], []))
                assert done.returncode == 0, f"{line}\n{done.stderr}"
        elif " " in info:
            Path(info.split()[1]).write_text(text, encoding="utf-8")
