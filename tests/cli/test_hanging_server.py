"""Commands over a server that takes requests and never answers them: each ends, and says why."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alignbench import paths
from alignbench.errors import EngineError
from alignbench.experiments.hint_maker import made_hint
from alignbench.models.catalog import resolve
from alignbench.spec import Hint, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.judged import fill
from tests.support.pools import shared_pool
from tests.support.server import MODEL, Reply, ScriptedServer
from tests.support.waiting import LIMIT

PATIENCE = 1  # seconds


class Hanging(ScriptedServer):
    """Says which models it has, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        self.over.wait(LIMIT)
        return super().answer(path, body)


@pytest.fixture(scope="module")
def server() -> Iterator[Hanging]:
    server = Hanging()
    yield server
    server.over.set()
    server.close()


@pytest.fixture
def message(server: Hanging) -> str:
    """What is said of it, once models.toml names it."""
    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text(
        "".join(
            f'[models.{name}]\nreference = "openai:{server.url}#{MODEL}"\ntimeout = {PATIENCE}\nkind = "{kind}"\n'
            for name, kind in (("mute", "aligned"), ("mute-base", "base"))
        )
    )
    return f"The server at {server.url} sent nothing for {PATIENCE} s."


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """The database of a session with samples."""
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        fill(store)
    return path


def test_what_is_sampled(message: str, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"id": f"p{i}", "prompt": f"Why {i}?"}) + "\n" for i in range(12)))
    ran = alignbench("sample", "--model", "mute", "--prompts", str(prompts), "-n", "2", "--db", str(tmp_path / "a.db"))
    assert ran.returncode == 1
    assert ran.stderr.count(message) == 1
    assert "mute: 11 more prompts failed in the same way" in ran.stderr


def test_what_is_judged(message: str, session: Path) -> None:
    ran = alignbench("judge", "1", "--kind", "quality", "--model", "mute", "--db", str(session))
    assert ran.returncode != 0
    assert message in ran.stderr


def test_what_is_scored(message: str) -> None:
    ran = alignbench("likelihood", "--model", "mute-base", "--prompt", "Why?", "--response", "Because.")
    assert ran.returncode == 1
    assert message in ran.stderr


def test_what_is_written_as_a_hint(message: str, session: Path) -> None:
    with Store.open(session) as store:
        (source, *_) = store.samples(1)
        with pytest.raises(EngineError) as failure:
            made_hint(
                store,
                shared_pool(),
                1,
                Prompt("q0", "Why 0?"),
                Hint("summary", template="{prompt} {response}"),
                source,
                resolve("mute"),
            )
    assert message in str(failure.value)


def test_what_is_asked_in_a_survey(message: str, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"id": "city", "prompt": "What suits it?", "options": ["Bus", "Tram"]}) + "\n")
    ran = alignbench(
        "survey", str(questions), "--condition", "voter=mute-base", "--by", "logprob", "--orders", "given",
        "--db", str(tmp_path / "a.db"),
    )  # fmt: skip
    assert ran.returncode == 1
    assert message in ran.stderr
