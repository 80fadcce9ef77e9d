"""What is measured of a server's seeds, on servers whose seeds are known."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from alignbench.engines.openai import replay
from alignbench.engines.openai.replay import measured, replay_words
from alignbench.engines.protocol import Loaded, Replay
from alignbench.engines.workers import factory
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.manifest import loaded_facts
from alignbench.models.openai_address import Address
from alignbench.spec import Model
from tests.support.driving import load
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, refusal

Text = Callable[[str, int, int, int], str]  # of the query, the seed, how many are at work, and which draw it is

SEEDED: Text = lambda query, seed, *_: f"{query} {seed}"  # noqa: E731


def measure(text: Text, width: int = 8, *, takes_seed: bool = True) -> tuple[Replay, int]:
    """What is measured of a server that says this, and how often it was asked."""
    asked = itertools.count()
    n = at_work = 0

    async def draw(query: str, seed: int) -> str:
        nonlocal n, at_work
        n = next(asked) + 1
        at_work += 1
        await asyncio.sleep(0)
        said = text(query, seed, at_work, n)
        await asyncio.sleep(0)
        at_work -= 1
        return said

    return asyncio.run(measured(draw, width, lambda: takes_seed)), n


@pytest.mark.parametrize(
    ("text", "width", "found", "draws"),
    [
        (SEEDED, 8, "in a crowd", 6),
        (SEEDED, 1, "one by one", 3),
        (lambda query, seed, at_work, _: f"{query} {seed} {at_work > 1}", 8, "alone", 6),
        (lambda *_: str(_[-1]), 8, "no", 2),
        (lambda *_: str(_[-1]), 1, "no", 2),
        (lambda *_: "I am a language model.", 8, "unclear", 6),
        (lambda *_: "I am a language model.", 1, "unclear", 3),
        (lambda query, seed, *_: f"{query} {seed // 12}", 8, "in a crowd", 6),
    ],
)
def test_what_is_measured(text: Text, width: int, found: Replay, draws: int) -> None:
    assert measure(text, width) == (found, draws)


def test_a_server_that_takes_no_seed() -> None:
    assert measure(SEEDED, takes_seed=False) == ("no seed", 2)


def test_words() -> None:
    assert replay_words("demo-base", {}) == ""
    assert replay_words("openai:http://h/v1#m", {}) == "not measured"
    assert replay_words("openai:http://h/v1#m", {"replay": "no"}) == "a seed gave two texts"
    assert replay_words("openai:http://h/v1#m", {"replay": ["of another version"]}) == "not measured"


class SeededServer(ScriptedServer):
    """Gives a text of its own to each seed."""

    def _words(self, body: dict[str, Any]) -> Reply:
        message = {"content": f"the answer to {body['seed']}"}
        return as_json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@pytest.fixture
def seeded() -> SeededServer:
    return SeededServer()


def of_a_load(server: ScriptedServer) -> dict[str, str]:
    """What a session keeps of a model of this server once it is loaded."""
    pool = WorkerPool(threads=1)
    try:
        answer = load(pool, Model("m", f"openai:{server.url}#{MODEL}", "aligned"))
    finally:
        pool.close()
        server.close()
    assert isinstance(answer, Loaded)
    return loaded_facts(answer.capabilities)


def test_a_server_on_this_machine_is_measured_when_its_model_is_loaded(seeded: SeededServer) -> None:
    assert of_a_load(seeded)["replay"] == "in a crowd"
    assert len(seeded.tried) == 6
    assert {body["max_tokens"] for body in seeded.tried} == {replay.TOKENS}


def test_a_server_that_fails_is_loaded_all_the_same(seeded: SeededServer) -> None:
    seeded.trial = refusal(404, "no")
    assert "replay" not in of_a_load(seeded)


def test_a_server_elsewhere_is_not_asked_to_draw(seeded: SeededServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Address, "is_local", property(lambda _: False))
    model = Model("m", f"openai:{seeded.url}#{MODEL}", "aligned")
    engine = factory.open_engine(model, factory.Cancellation(), 1, lambda _: None)
    try:
        assert engine.capabilities().replay == ""
        assert seeded.tried == []
    finally:
        engine.close()  # type: ignore[attr-defined]
        seeded.close()
