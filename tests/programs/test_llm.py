"""What `llm` itself logs of a model of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import alignbench

llm = pytest.importorskip("llm")
click_testing = pytest.importorskip("click.testing")


class _Model(llm.Model):  # type: ignore[misc, name-defined]
    model_id = "echo"
    can_stream = False

    class Options(llm.Options):  # type: ignore[misc, name-defined]
        temperature: float | None = None
        seed: int | None = None

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:  # noqa: ARG002
        response.set_usage(input=9, output=5)
        yield f"You said: {prompt.prompt}"


class _Plugin:
    @llm.hookimpl
    def register_models(self, register: Any) -> None:
        register(_Model())


def test_logs_of_llm_come_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llm.cli import cli
    from llm.plugins import pm

    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
    plugin = _Plugin()
    pm.register(plugin)
    try:

        def ran(*arguments: str) -> str:
            done = click_testing.CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return str(done.stdout)

        ran("prompt", "Why?", "-m", "echo", "-s", "Be brief.", "-o", "temperature", "0.5", "-o", "seed", "4")
        ran("prompt", "And how?", "-m", "echo", "-c", "-o", "temperature", "0.5")
        ran("prompt", "Who?", "-m", "echo")
        log = tmp_path / "log.json"
        log.write_text(ran("logs", "--json", "-n", "0"))
    finally:
        pm.unregister(plugin)
    done = alignbench("import", "llm", str(log), "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in alignbench("export", "jsonl", "1").stdout.splitlines()]
    assert {(row["condition"], row["text"], row["seed"], row["n_tokens"]) for row in rows} == {
        ("echo", "You said: Why?", 4, 5),
        ("echo", "You said: And how?", None, 5),
        ("echo, T not recorded", "You said: Who?", None, 5),
    }
    messages = {row["prompt"]: [each["content"] for each in row["messages"] or ()] for row in rows}
    assert messages["And how?"] == ["Be brief.", "Why?", "You said: Why?", "And how?"]
