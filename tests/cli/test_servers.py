"""What the commands say of servers that do not do all that they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import alignbench
from tests.support.server import MODEL, Reply, ScriptedServer, response


class Judge(ScriptedServer):
    """Gives a stance where it is asked for a form."""

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if "response_format" in body and not self.refuses & set(body):
            return Reply(
                pieces=response('<think>{"stance": "no"}</think>{"rationale": "r", "stance": "yes"}', chat=True)
            )
        return super().answer(path, body)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = Judge()
    server.refuses = {"temperature", "max_tokens"}
    yield server
    server.close()


@pytest.mark.models  # embeds what came
def test_a_temperature_that_is_fixed_is_said_once_and_judges_work(server: ScriptedServer, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"id": name, "prompt": f"{name}?"}) + "\n" for name in "ab"))
    model = f"openai:{server.url}#{MODEL}"
    sampled = alignbench("sample", "--prompts", str(prompts), "--model", model, "-n", "2", "--json")
    assert sampled.returncode == 0, sampled.stderr
    said = "Drawn at the model's own temperature, not at 0.7: the server takes no other."
    assert sampled.stderr.count(said) == 1
    rows = [row for row in map(json.loads, sampled.stdout.splitlines()) if "status" in row]
    assert [(row["status"], row["note"]) for row in rows] == [("done", said)] * 4
    judged = alignbench("judge", "1", "--kind", "stance", "--model", model, "--json")
    assert judged.returncode == 0, judged.stderr
    assert judged.stderr.count("own temperature, not at 0: the server takes no other.") == 1
    assert json.loads(judged.stdout)["stance"][MODEL]["yes"]["value"] == 1
