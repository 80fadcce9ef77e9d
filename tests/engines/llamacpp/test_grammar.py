"""Responses held to a JSON schema: by llama.cpp's grammars on the embedded models, and the arithmetic of the loop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.local.decoder import Grammar
from alignbench.engines.local.generation import generate
from alignbench.engines.local.rows import TokenizedRequest
from alignbench.engines.local.sampler import Sampler
from alignbench.engines.protocol import Failed, Finished, SampleRequest
from alignbench.engines.workers.pool import WorkerPool
from alignbench.spec import Model, Sampling
from tests.support.driving import SCHEMA, follow, plain_request, results, texts


def held(samples: tuple[int, ...] | int, **given: Any) -> SampleRequest:
    return replace(plain_request(samples, **{"max_tokens": 400, "stops": (), **given}), schema=SCHEMA)


@pytest.mark.models
@pytest.mark.parametrize("given", [{"temperature": 1.0}, {"temperature": 0.0, "mode": "fast"}, {"top_p": 0.5}])
def test_every_response_is_the_json_of_the_schema(pool: WorkerPool, model: Model, given: dict[str, Any]) -> None:
    samples = results(follow(pool, model, held(4, **given)))
    for result in samples.values():
        value = json.loads(result.text, strict=False)
        assert list(value) == ["why", "grade"]
        assert len(value["why"]) <= 40
        assert value["grade"] in (1, 2, 3, "N/A")
        assert result.finish_reason == "stop"


@pytest.mark.models
def test_strict_mode_replays_held_responses(pool: WorkerPool, aligned: Model) -> None:
    five = results(follow(pool, aligned, held(5, temperature=1.0)))
    three = texts(follow(pool, aligned, held(3, temperature=1.0)))
    assert three == {i: five[i].raw_text for i in range(3)}


@pytest.mark.models
def test_a_schema_that_is_none_fails_its_request_alone(pool: WorkerPool, aligned: Model) -> None:
    events = follow(pool, aligned, replace(held(1), schema='{"type": "no such type"}'))
    assert isinstance(events[-1], Failed)
    assert "cannot become a grammar" in events[-1].message
    assert set(texts(follow(pool, aligned, plain_request(1, max_tokens=4)))) == {0}


class _Odd:
    """Allows the odd tokens of five."""

    def __init__(self) -> None:
        self.accepted: list[int] = []

    def allows(self, token: int) -> bool:
        return token % 2 == 1

    def allowed(self) -> NDArray[np.bool_]:
        return np.arange(5) % 2 == 1

    def accept(self, token: int) -> None:
        self.accepted.append(token)


class _Constant:
    """A decoder whose next token always has the same five probabilities."""

    fast_width = 8
    PROBABILITIES = np.array([0.4, 0.1, 0.2, 0.25, 0.05])

    def __init__(self, grammar: _Odd | None) -> None:
        self._grammar = grammar
        self._logits = np.log(self.PROBABILITIES).astype(np.float32)

    def strict_widths(self, n: int, shared: int, own: int) -> tuple[int, ...]:  # noqa: ARG002
        return ()

    def reserve(self, shared: int, own: int, width: int) -> None:
        pass

    def sampler(self, params: Sampling, threads: int) -> Sampler:
        return Sampler(params, threads)

    def on_host(self, logits: Any) -> Any:
        return logits

    def prompt(self, ids: Sequence[int], cut: int, strict: bool, key: int) -> tuple[Any, int]:  # noqa: ARG002
        return self._logits, 0

    def fork(self, slot: int) -> None:
        pass

    def drop(self, slot: int) -> None:
        pass

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> Any:  # noqa: ARG002
        return np.tile(self._logits, (len(slots), 1))

    def grammar(self, schema: str) -> Grammar | None:  # noqa: ARG002
        return self._grammar

    def is_end(self, token: int) -> bool:  # noqa: ARG002
        return False

    def piece(self, token: int) -> bytes:
        return str(token).encode()


def drawn(grammar: _Odd | None, n: int, schema: str = SCHEMA, **sampling: Any) -> list[Any]:
    request = SampleRequest(
        1, "", "?", Sampling(temperature=1.0, max_tokens=2, **sampling), (), tuple(range(n)), 0, 7, schema=schema
    )
    events = generate(_Constant(grammar), [TokenizedRequest(request, (1, 2), 1)], 1, Cancellation())
    return [event.result for event in events if isinstance(event, Finished)]


def test_the_held_distribution_is_that_of_the_allowed_tokens() -> None:
    grammar = _Odd()
    n = 4000
    samples = Counter(token for result in drawn(grammar, n) for token in result.tokens.ids.tolist())
    # 0.1 and 0.25 over their sum; with one random number for both draws, token 1 would come far too rarely.
    assert set(samples) == {1, 3}
    expected = 0.1 / 0.35
    assert abs(samples[1] / (2 * n) - expected) < 4 * (expected * (1 - expected) / (2 * n)) ** 0.5
    assert len(grammar.accepted) == 2 * n


def test_log_probs_of_a_held_response_are_those_of_the_raw_distribution() -> None:
    for result in drawn(_Odd(), 50, repetition_penalty=1.3):
        np.testing.assert_allclose(result.tokens.logprob, np.log(_Constant.PROBABILITIES[result.tokens.ids]), rtol=1e-5)


def test_without_a_grammar_nothing_is_held() -> None:
    free = [result.tokens.ids.tolist() for result in drawn(None, 40)]
    assert free == [result.tokens.ids.tolist() for result in drawn(_Odd(), 40, schema="")]
    assert {token for ids in free for token in ids} == {0, 1, 2, 3, 4}
