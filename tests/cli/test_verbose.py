"""-v shows what servers are sent, by this process and by workers, and no log has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from alignbench import paths
from alignbench.engines import server_traffic
from tests.support.commands import alignbench
from tests.support.server import MODEL, ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


def exchanges(stderr: str, url: str) -> dict[str, list[str]]:
    """The lines of each request by its number."""
    lines: dict[str, list[str]] = {}
    for number, line in re.findall(r"^#(\d+) (.*)$", stderr, re.MULTILINE):
        lines.setdefault(number, []).append(line)
    assert lines
    for first, *_, last in lines.values():
        assert re.match(rf"(GET|POST) {re.escape(url.removesuffix('/v1'))}", first)
        assert re.match(r"(status \d+|no answer) after \d+\.\d\d s", last)
    return lines


def test_what_a_worker_sends_is_shown_and_not_logged(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    model = f"openai:{server.url}#{MODEL}"
    ran = alignbench("likelihood", "-v", "--model", model, "--prompt", "Why?", "--response", "So.")
    bodies = [json.loads(lines[1]) for lines in exchanges(ran.stderr, server.url).values() if len(lines) == 3]
    assert any("Write whatever" in str(body["messages"]) for body in bodies), "what its seeds are tried with"
    assert "0123456789" not in ran.stderr
    assert "#1 " not in ran.stdout
    logs = paths.log_dir()
    assert not any("Write whatever" in log.read_text() for log in (logs.iterdir() if logs.exists() else ()))
    assert not server_traffic.is_heard(), "it ends with the command"


def test_before_the_command_it_means_the_same(server: ScriptedServer) -> None:
    model = f"openai:{server.url}#{MODEL}"
    assert exchanges(alignbench("-v", "models", "check", model).stderr, server.url)
    assert "#1 " not in alignbench("models", "check", model).stderr
