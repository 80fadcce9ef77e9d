"""What `models check` finds out of servers whose abilities are planted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.check import ServerCheck, check_server
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.errors import EngineError
from alignbench.models.catalog import resolve
from alignbench.spec import Model
from tests.support.commands import alignbench
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, refusal


@dataclass
class Abilities:
    ways: tuple[str, ...] = ("/v1/completions", "/v1/chat/completions")
    n: bool = True
    logprobs: bool = True
    echo: bool = True
    seeds: bool = True
    typical_p: bool = True
    schema: bool = True
    refused: set[str] = field(default_factory=set)


class AbleServer(ScriptedServer):
    """Can do what it is told to."""

    def __init__(self, can: Abilities) -> None:
        super().__init__()
        self.can, self._count = can, 0

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        self.tried.append(body)
        self._count += 1
        if path not in self.can.ways:
            return refusal(404, "Not Found")
        for name in self.can.refused & set(body):
            return refusal(400, f"Unrecognized request argument supplied: {name}")
        chat = path.endswith("/chat/completions")
        n = body.get("n", 1) if self.can.n else 1
        return as_json({"choices": [self._choice(i, body, chat) for i in range(n)], "usage": {"completion_tokens": 1}})

    def _choice(self, index: int, body: dict[str, Any], chat: bool) -> dict[str, Any]:
        text = self._text(index, body)
        if self.can.echo and body.get("echo"):
            return echoed(body["prompt"], text)
        choice: dict[str, Any] = {"index": index, "finish_reason": "stop"}
        if chat:
            logprobs: dict[str, Any] = {"content": [{"token": text, "logprob": -1.0, "top_logprobs": []}]}
            choice["message"] = {"content": text}
        else:
            logprobs = {"tokens": [text], "token_logprobs": [-1.0], "top_logprobs": [{text: -1.0}]}
            choice["text"] = text
        return choice | ({"logprobs": logprobs} if self.can.logprobs and body.get("logprobs") else {})

    def _text(self, index: int, body: dict[str, Any]) -> str:
        if "response_format" in body and self.can.schema:
            return '{"answer": "no"}'
        if self.can.typical_p and body.get("typical_p", 1) < 0.1:
            return "the likeliest"
        return (
            f"{body['seed'] + index if self.can.seeds else self._count + index}"
            if "seed" in body
            else f"free {self._count + index}"
        )


def echoed(prompt: str, text: str) -> dict[str, Any]:
    pieces = [piece for piece in prompt.replace(" ", "\0 ").split("\0") if piece]
    tops = [None, *({piece: -1.0} for piece in pieces[1:]), {text: -1.0}]
    columns = {"tokens": [*pieces, text], "token_logprobs": [None, *[-1.0] * len(pieces)], "top_logprobs": tops}
    return {"index": 0, "text": prompt + text, "logprobs": columns, "finish_reason": "length"}


def found(can: Abilities) -> dict[str, ServerCheck]:
    server = AbleServer(can)
    engine = OpenAIEngine(Model("m", f"openai:{server.url}#{MODEL}", "aligned"), Cancellation())
    try:
        checks = check_server(engine)
    finally:
        engine.close()
        server.close()
    assert len(server.tried) <= 40
    assert all(body["max_tokens"] <= 32 for body in server.tried)
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.detail for check in checks)
    return {check.name: check for check in checks}


EVERYTHING = ["completions", "chat"]
EVERYTHING += ["n, completions", "logprobs, completions", "n, chat", "logprobs, chat"]
EVERYTHING += ["scoring", "seed", "replay", "typical_p", "json_schema"]


def test_a_server_that_can_do_everything() -> None:
    checks = found(Abilities())
    assert [*checks] == EVERYTHING
    assert {name: check.ok for name, check in checks.items()} == dict.fromkeys(EVERYTHING, True)


@pytest.mark.parametrize(
    ("can", "lacking"),
    [
        (Abilities(n=False), {"n, completions": False, "n, chat": False}),
        (Abilities(logprobs=False), {"logprobs, completions": False, "logprobs, chat": False}),
        (Abilities(echo=False), {"scoring": False}),
        (Abilities(seeds=False), {"replay": False}),
        (Abilities(refused={"seed"}), {"seed": False, "replay": False}),
        (Abilities(typical_p=False), {"typical_p": False}),
        (Abilities(refused={"typical_p"}), {"typical_p": False}),
        (Abilities(schema=False), {"json_schema": False}),
        (Abilities(refused={"response_format"}), {"json_schema": False}),
    ],
)
def test_what_a_server_cannot_do(can: Abilities, lacking: dict[str, bool | None]) -> None:
    checks = found(can)
    assert {name: check.ok for name, check in checks.items() if check.ok is not True} == lacking


def test_one_way_alone() -> None:
    checks = found(Abilities(ways=("/v1/chat/completions",)))
    assert [name for name, check in checks.items() if not check.ok] == ["completions", "scoring"]
    assert "no /completions at this address" in checks["completions"].detail
    assert "n, completions" not in checks
    checks = found(Abilities(ways=("/v1/completions",)))
    assert [name for name, check in checks.items() if not check.ok] == ["chat"]


def test_no_way_at_all() -> None:
    with pytest.raises(EngineError, match=r"Neither way works\. completions: .* chat: "):
        found(Abilities(ways=()))


# The command


@pytest.fixture
def server() -> Iterator[AbleServer]:
    server = AbleServer(Abilities(n=False))
    yield server
    server.close()


def test_the_command(server: AbleServer) -> None:
    done = alignbench("models", "check", f"openai:{server.url}#{MODEL}", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["name"], facts["kind"], facts["context_length"]) == (MODEL, "aligned", 4096)
    assert [*facts["checks"]] == [name.replace(", ", "_") for name in EVERYTHING]
    assert facts["checks"]["n_chat"]["ok"] is False
    assert facts["checks"]["typical_p"] == {"ok": True, "detail": "narrows what is drawn"}
    table = alignbench("models", "check", f"openai:{server.url}#{MODEL}").stdout
    rows = {line.split("  ")[0].strip(): line for line in table.splitlines()}
    assert rows["n, chat"].split()[2] == "no"
    assert rows["json_schema"].split()[1] == "yes"


def test_the_command_on_servers_that_are_of_no_use(server: AbleServer) -> None:
    reference = f"openai:{server.url}#{MODEL}"
    wrong = alignbench("models", "check", reference + "s")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert f"Did you mean {MODEL}?" in wrong.stderr
    server.close()
    gone = alignbench("models", "check", reference, "--json")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "cannot be reached" in gone.stderr
    assert len(gone.stderr.strip().splitlines()) == 1


@pytest.mark.models
def test_a_real_server(llama_url: str) -> None:
    engine = OpenAIEngine(resolve(f"openai:{llama_url}#smol-logprobs"), Cancellation())
    try:
        checks = {check.name: check for check in check_server(engine)}
    finally:
        engine.close()
    assert [*checks] == EVERYTHING
    can = {name: check.ok for name, check in checks.items()}
    assert can["completions"], checks
    assert can["chat"], checks
    assert can["logprobs, completions"], checks
    assert can["seed"], checks
    assert not can["n, chat"], checks
    assert not can["typical_p"], checks
