"""Bits per byte of given texts: known answers from fake models, cuts to the window, pairs, and what a server counts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench.engines.protocol import Capabilities, Failed, LikelihoodRequest, Loaded, Scored, Sink
from alignbench.importing.texts import GivenText
from alignbench.metrics.statistics import Uncertainty
from alignbench.progress import silent
from alignbench.scoring import likelihood_cache as module
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.text_bits import NO_PROMPT, NOTHING, TextBits, first_text, text_bits
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Model, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.fakes import CAPABILITIES, FakePool
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, refusal

UNIFORM, SURE = Model("uniform", "llama:/uniform.gguf", "base"), Model("sure", "llama:/sure.gguf", "base")


@dataclass
class BytesPool(FakePool):
    """A token a byte: uniform over all of them, or, by name, of so many bits. windows: in tokens, by name."""

    bits: Callable[[str, str], float] = lambda name, _: {"uniform": 8.0, "sure": 2.0}[name]
    windows: Callable[[str], int] = lambda _: 2048

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scored: list[tuple[str, LikelihoodRequest]] = []

    def load(self, model: Model, sink: Sink) -> None:
        self.loaded.add(model.name)
        there = self.capabilities(model)
        assert there is not None
        sink(Loaded(model.name, there, 0.0))

    def capabilities(self, model: Model) -> Capabilities | None:
        there = super().capabilities(model)
        return there and replace(there, n_ctx_train=self.windows(model.name))

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        self.scored.append((model.name, request))
        before, text = (request.context + request.query).encode(), request.continuation.encode()
        n, window = len(text), self.windows(model.name)
        if 1 + len(before) + n > window:
            sink(Failed(request.key, f"{1 + len(before) + n} tokens, window {window}"))
            return
        logprob = np.full(n, -self.bits(model.name, request.continuation) * math.log(2), np.float32)
        nothing, end = np.empty((n, 0), np.int32), None if request.closings is None else -3 * math.log(2)
        sink(
            Scored(
                request.key, np.frombuffer(text, np.uint8).astype(np.int32), tuple(map(chr, text)), logprob,
                np.ones(n, np.int32), nothing, nothing.astype(np.float32), ((),) * n, 1 + len(before), end,
            )
        )  # fmt: skip


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "weights_hash", lambda model: f"hash of {model.name}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept.db") as store:
        yield store


def read(store: Store, pool: BytesPool, texts: Sequence[GivenText], *conditions: Condition) -> TextBits:
    likelihoods = LikelihoodCache(store, pool)  # type: ignore[arg-type]
    return text_bits(texts, conditions, {}, pool, likelihoods, Uncertainty(resamples=200), silent)  # type: ignore[arg-type]


def given(*texts: str, prompt: str = "") -> list[GivenText]:
    return [GivenText(f"t{i}", text, Prompt.typed(prompt) if prompt else None) for i, text in enumerate(texts)]


def test_a_model_uniform_over_bytes_gives_8_and_differences_are_paired(store: Store) -> None:
    texts = given(*(f"né {'x' * i}" for i in range(25)))
    uniform, sure = Condition.zero_shot(UNIFORM), Condition.zero_shot(SURE)
    bits = read(store, BytesPool(), texts, uniform, sure)
    of_uniform = bits.conditions["uniform"]
    assert of_uniform.estimate.value == pytest.approx(8.0)
    assert of_uniform.estimate.ci == pytest.approx((8.0, 8.0))
    assert (of_uniform.n_texts, of_uniform.n_ends, of_uniform.end) == (25, 25, pytest.approx(3.0))
    assert of_uniform.n_bytes == sum(len(text.text.encode()) for text in texts)
    assert of_uniform.before == NOTHING
    difference = bits.differences["uniform", "sure"]
    assert difference.value == pytest.approx(6.0)
    assert difference.clear
    assert difference.n == 25


def test_it_is_all_bits_over_all_bytes_as_a_ratio_of_sums_has_it(store: Store) -> None:
    """5 bytes of 2 bits and 100 of .2: 30 / 105, not the mean of the two rates."""
    pool = BytesPool(bits=lambda _, text: {5: 2.0, 100: 0.2}[len(text)])
    bits = read(store, pool, given("a" * 5, "b" * 100), Condition.zero_shot(UNIFORM))
    assert bits.conditions["uniform"].estimate.value == pytest.approx(30 / 105)


def test_one_model_twice_differs_in_nothing_and_is_asked_once(store: Store) -> None:
    pool = BytesPool()
    bits = read(store, pool, given("one", "two"), Condition.zero_shot(UNIFORM), Condition.zero_shot(UNIFORM, name="b"))
    assert bits.differences["uniform", "b"].value == 0.0
    assert not bits.differences["uniform", "b"].clear
    assert len(pool.scored) == 2
    again = BytesPool()
    read(store, again, given("one", "two"), Condition.zero_shot(UNIFORM))
    assert again.scored == []


def test_texts_are_cut_to_the_smallest_window_for_all(store: Store) -> None:
    pool = BytesPool(windows=lambda name: {"uniform": 2048, "sure": 40}[name])
    conditions = [Condition.zero_shot(UNIFORM), Condition.zero_shot(SURE)]
    bits = read(store, pool, given("é" * 50, "short"), *conditions)
    assert bits.cut == 1
    assert bits.n_bytes == (38, 5)  # 39 tokens beside the BOS, and no half of a character
    assert bits.whole_bytes == (100, 5)
    assert [each.n_bytes for each in bits.conditions.values()] == [43, 43]
    assert [each.n_ends for each in bits.conditions.values()] == [1, 1]  # a cut text has no end


def test_a_context_that_fills_the_window_is_the_reason(store: Store) -> None:
    shown = Examples(ExampleSet((Example("Why?", "Because. " * 20),)))
    full = Condition("full", SURE, Context("plain", "shown", examples=shown))
    pool = BytesPool(windows=lambda name: {"uniform": 2048, "sure": 100}[name])
    bits = read(store, pool, given("one", "two"), Condition.zero_shot(UNIFORM), full)
    assert bits.conditions["full"].estimate.reason == "what stands before it fills the context window"
    assert bits.conditions["uniform"].n_texts == 2
    assert bits.differences["uniform", "full"].value is None


def test_what_stands_before_a_text(store: Store) -> None:
    shown = Context("plain", "shown", examples=Examples(ExampleSet((Example("Why?", "Because."),))))
    pool = BytesPool()
    bits = read(store, pool, given("A text."), Condition.zero_shot(UNIFORM), Condition("shown", UNIFORM, shown))
    alone, after = [request.context + request.query for _, request in pool.scored]
    assert alone == ""
    assert after.endswith("# Query:\n```\n\n```\n\n# Answer:\n```\n")
    assert "Because." in after
    assert [each.before for each in bits.conditions.values()] == [NOTHING, NO_PROMPT]
    pool = BytesPool()
    read(store, pool, given("A reply.", prompt="Why?"), Condition.zero_shot(UNIFORM))
    ((_, request),) = pool.scored
    assert request.context + request.query == "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"


def test_texts_of_one_prompt_count_as_one(store: Store) -> None:
    bits = read(store, BytesPool(), given("one", "two", "three", prompt="Why?"), Condition.zero_shot(UNIFORM))
    assert (bits.units, bits.conditions["uniform"].estimate.n) == (1, 1)
    assert bits.conditions["uniform"].estimate.ci is None


def test_the_first_token_of_a_text_that_stands_alone_follows_something() -> None:
    base, chat = CAPABILITIES["base"], CAPABILITIES["aligned"]
    assert first_text(base) == ""  # its tokenizer adds a BOS
    assert first_text(replace(base, adds_bos=False)) == "<s>"
    assert first_text(chat) == "<|end|>"
    assert first_text(replace(chat, eos="")) == "\n"


class EchoServer(ScriptedServer):
    """Echoes texts: a token a byte, each of 8 bits; what is not ASCII it has not learned."""

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if path != "/v1/completions" or not body.get("echo"):
            return refusal(404, "Not Found")
        pieces = [*body["prompt"], "x"]
        logprobs = [None, *[-8 * math.log(2)] * (len(pieces) - 1)]
        tops = [None, *[{piece: -8 * math.log(2)} for piece in pieces[1:]]]
        columns = {"tokens": pieces, "token_logprobs": logprobs, "top_logprobs": tops}
        choice = {"index": 0, "text": "".join(pieces), "logprobs": columns, "finish_reason": "length"}
        return as_json({"choices": [choice], "usage": {"prompt_tokens": len(pieces) - 1, "completion_tokens": 1}})


def test_a_planted_server_uniform_over_bytes_gives_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # of the weights: a server has none
    server = EchoServer()
    try:
        file = tmp_path / "texts.txt"
        file.write_text("The first text\nhas two lines.\n\nThe second one.\n")
        arguments = ["bits", str(file), "--condition", f"planted=openai:{server.url}#{MODEL}", "--json"]
        ran = alignbench(*arguments, "--db", str(tmp_path / "kept.db"))
        assert ran.returncode == 0, ran.stderr
        printed = json.loads(ran.stdout)
    finally:
        server.close()
    assert printed["conditions"]["planted"]["bits_per_byte"] == pytest.approx(8.0)
    assert printed["conditions"]["planted"]["read_after"] == "a line end"
    assert [text["bytes"] for text in printed["texts"]] == [29, 15]
