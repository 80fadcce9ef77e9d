"""Controls with known answers: `prompts/experiments/controls.toml` on models whose distributions are known."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from alignbench import paths
from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.engines.protocol import (
    Done,
    Embedded,
    Failed,
    Finished,
    SampleRequest,
    SampleResult,
    Sink,
    Started,
    TokenStats,
)
from alignbench.prompts import load_prompts
from alignbench.spec import Condition, Context, Model
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.fakes import FakePool

CHOICES = 8  # words that may stand at a place of a response
DIM = 64


def word_vectors(text: str) -> np.ndarray:
    """The sum of random vectors, one a word."""
    rows = [np.random.default_rng(list(word.encode())).normal(size=DIM) for word in text.split()]
    total = np.sum(rows, axis=0) if rows else np.zeros(DIM)
    return (total / max(float(np.linalg.norm(total)), 1e-9)).astype(np.float32)


@dataclass
class WordModels(FakePool):
    """Each prompt has words of its own, some for each place of a response; the aligned model prefers a few of them, the
    base model nearly none. Temperature and seed act as in a real model, and texts are alike as far as they share words.
    """

    model: str = DEFAULT_EMBEDDER

    def __post_init__(self) -> None:
        super().__post_init__()
        self._prompts = [prompt.text for prompt in load_prompts("open-ended")]

    def _answer(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        rendered = request.context + request.query
        prompt = next(at for at, text in enumerate(self._prompts) if text in rendered)
        sink(Started(request.key, (1, 2, 3), 0, 0.0))
        places = request.sampling.max_tokens
        preferred = np.random.default_rng(prompt).normal(size=(places, CHOICES))
        logits = preferred * (2.0 if model.kind == "aligned" else 0.5)
        for i in request.samples:
            noise = np.random.default_rng([request.seed + i, request.stream % 2**32]).gumbel(size=logits.shape)
            drawn = (logits + request.sampling.temperature * noise).argmax(axis=1)
            logprob = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))[range(places), drawn]
            text = " ".join(f"w{prompt}x{place}x{word}" for place, word in enumerate(drawn))
            ones = np.ones(places, np.float32)
            tokens = TokenStats(drawn.astype(np.int32), logprob.astype(np.float32), ones, -ones, ones)
            result = SampleResult(i, text, text, "length", 3, places, 0.01, float(logprob.sum()), tokens)
            sink(Finished(request.key, result))
        sink(Done(request.key))

    def embed(self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None]) -> None:
        vectors = np.stack([word_vectors(text) for text in texts])
        threading.Thread(target=sink, args=(Embedded(1, vectors, (1,) * len(texts), self.model),), daemon=True).start()


def run(*arguments: str) -> str:
    ran = alignbench(*arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def plant(store: Store) -> None:
    """An aggregator: all that the base model said to a prompt, as one response."""
    planted = Condition("planted", Model("planted", "imported:planted", "aligned"), Context("chat"))
    said: dict[str, list[str]] = {}
    for row in store.samples(1):
        if row.condition == "base":
            said.setdefault(row.prompt_id, []).append(row.text)
    for prompt in store.prompts(1):
        text = "\n".join(said[prompt.id])
        cell = store.add_cell(1, prompt, planted, 1)
        store.add_text(cell, 0, text, raw_text=text, finish_reason="stop")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of the controls, and one whose reference is the planted aggregator."""
    folder = tmp_path_factory.mktemp("controls")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ALIGNBENCH_DB", str(folder / "controls.db"))
        patched.setenv("ALIGNBENCH_CACHE_DIR", str(folder / "cache"))
        patched.setattr("tests.support.commands.lent_pool", lambda **_: WordModels())
        run("run", str(paths.shipped_prompts() / "experiments" / "controls.toml"))
        with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
            plant(store)
        own = run("report", "1", "--format", "json")
        planted = run(
            "report", "1", "--format", "json", "--investigation", "diversity", "--reference", "planted",
            "--metrics", "coverage",
        )  # fmt: skip
    return json.loads(own), json.loads(planted)


def test_the_same_model_under_other_seeds_is_the_same(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for metric in ("jaccard", "embedding_similarity"):
        entry = reports[0]["cross"]["again"][metric]
        low, high = entry["recovery_ci"]
        assert low <= 1 <= high, metric
        low, high = entry["mmd2_ci"]
        assert low <= 0 <= high, metric
    for metric in ("jaccard", "embedding_diversity"):
        difference = reports[0]["within"]["again"][metric]["difference"]
        assert difference["ci"][0] <= 0 <= difference["ci"][1]


def test_a_greedy_answer_recovers_too_much_and_is_warned_of(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for metric in ("jaccard", "embedding_similarity"):
        entry = reports[0]["cross"]["greedy"][metric]
        assert entry["recovery_ci"][0] > 1, metric
        assert entry["warning"].startswith("over 1")
        assert entry["mmd2_ci"][0] > 0, metric
    assert reports[0]["within"]["greedy"]["jaccard"]["value"] > 0.95


def test_diversity_rises_with_temperature(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    within = reports[0]["within"]
    ladder = ("greedy", "cool", "aligned", "hot")
    for metric, sign in (("jaccard", -1), ("embedding_diversity", 1)):
        values = [sign * within[name][metric]["value"] for name in ladder]
        assert values == sorted(values), metric
    surprisal = [within[name]["surprisal"]["value"] for name in ("cool", "aligned", "hot")]
    assert surprisal == sorted(surprisal)
    for name in ("cool", "hot"):
        assert within[name]["embedding_diversity"]["difference"]["p_holm"] < 0.05


def test_answers_to_other_prompts_are_far_below_the_ceiling(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for metric in ("jaccard", "embedding_similarity"):
        entry = reports[0]["cross"]["base"][metric]
        assert entry["null"] < entry["ceiling"] / 2
        assert entry["null"] < entry["value"]


def test_a_planted_aggregator_covers_what_it_gathers(reports: tuple[dict[str, Any], dict[str, Any]]) -> None:
    base = reports[1]["investigation"]["coverage"]["conditions"]["base"]
    assert base["by_reference"][0]["value"] > 0.98  # one response of it says all that the base said
    curve = [point["value"] for point in base["of_reference"]]
    assert curve == sorted(curve)
    assert curve[-1] > 0.98
    assert curve[0] < 0.6  # and none of the base's says all of it alone
    assert base["responses_covered"]["value"] > base["n"] - 1
