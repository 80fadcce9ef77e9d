"""BERTScore over many prompts: means of pairs, the ceiling, the shuffled null, and what is missing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from alignbench.engines.protocol import Failed, TokensEmbedded
from alignbench.metrics.bertscore import TokenVectors, bertscore_f1
from alignbench.metrics.values import Value
from alignbench.scoring.model_based.bertscore import bert_scores
from alignbench.scoring.null import other_prompt
from alignbench.scoring.responses import CellTexts


class KnownResponses:
    conditions = ("A", "B")
    left_out = 0
    contested: frozenset[str] = frozenset()

    def __init__(self, texts: dict[str, dict[str, list[str]]]) -> None:
        self._texts = texts
        self.prompts = tuple(texts)
        self.n = sum(len(cell) for cells in texts.values() for cell in cells.values())

    def cells(self, prompt: str) -> CellTexts:
        return {condition: dict(enumerate(texts)) for condition, texts in self._texts[prompt].items()}

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}


def tokens(text: str) -> TokenVectors:
    """A vector a word, which depends on the word alone."""
    rows = [np.random.default_rng(list(word.encode())).random(6) for word in text.split()]
    return TokenVectors(np.array(rows, np.float32).reshape(-1, 6), np.ones(len(rows), np.bool_))


class TokenPool:
    """failure: what its first `failing` requests fail with."""

    def __init__(self, failure: str = "", failing: int = 99) -> None:
        self.failure, self.failing = failure, failing
        self.asked: list[tuple[str, ...]] = []

    def embed_tokens(self, texts: tuple[str, ...], sink: Callable[[TokensEmbedded | Failed], None]) -> None:
        self.asked.append(texts)
        if self.failure and len(self.asked) <= self.failing:
            sink(Failed(1, self.failure))
            return
        embedded = [tokens(text) for text in texts]
        sink(TokensEmbedded(1, tuple(f.vectors for f in embedded), tuple(f.counts for f in embedded), "mini", 6))


TEXTS = {
    "p0": {"A": ["red sun", "blue sun", "red sun"], "B": ["cold rain", "red rain", " "]},
    "p1": {"A": ["old road", "new road"], "B": ["new lake"]},
    "p2": {"A": ["a bird"]},
}


def f1(a: str, b: str) -> float:
    score = bertscore_f1(tokens(a), tokens(b))
    assert score is not None
    return score


def test_means_over_pairs_and_their_lines() -> None:
    pool, steps = TokenPool(), []
    scores = bert_scores(KnownResponses(TEXTS), pool, "A", lambda *step: steps.append(step), seed=1)  # type: ignore[arg-type]
    assert scores.encoder == "mini:6"
    inside = np.mean([f1("red sun", "blue sun"), f1("red sun", "red sun"), f1("blue sun", "red sun")])
    other = f1("cold rain", "red rain")
    between = np.mean([f1(a, b) for a in TEXTS["p0"]["A"] for b in TEXTS["p0"]["B"][:2]])
    assert scores.within["p0", "A"].value == pytest.approx(inside)
    assert scores.within["p0", "B"].value == pytest.approx(other)
    assert scores.within["p0", "B"].n == 2
    cross = scores.compared["p0"].held_out.cross["B"]["bertscore_f1"]
    assert (cross.value, cross.ceiling) == pytest.approx((between, inside))
    assert cross.mmd2 == pytest.approx(inside + other - 2 * between, abs=1e-6)
    assert cross.n_pairs == 6
    itself = scores.compared["p0"].held_out.cross["A"]["bertscore_f1"]
    assert (itself.value, itself.n_pairs) == (pytest.approx(inside), 3)
    assert scores.within["p1", "B"].reason == "needs 2 samples, has 1"
    assert scores.compared["p1"].held_out.cross["B"]["bertscore_f1"].value is not None
    assert scores.compared["p2"].held_out.cross["B"]["bertscore_f1"].reason == "needs 1 sample, has 0"
    for prompt, another in other_prompt(TEXTS, 1).items():
        expected = np.mean([f1(a, b) for a in TEXTS[prompt]["A"] for b in TEXTS[another]["A"]])
        assert scores.compared[prompt].held_out.null["B"]["bertscore_f1"].value == pytest.approx(expected)
    assert sorted(pool.asked) == sorted(
        tuple(dict.fromkeys(text for cell in cells.values() for text in cell if text.strip()))
        for cells in TEXTS.values()
    )
    assert steps[-1] == ("BERTScore", 3, 3)


def test_a_sample_that_a_context_is_made_from_is_held_out() -> None:
    sources = {"p0": {"B": {0}}}
    scores = bert_scores(
        KnownResponses(TEXTS), TokenPool(), "A", lambda *_: None, seed=1, floor="B",  # type: ignore[arg-type]
        sources=lambda prompt: sources.get(prompt, {}),
    ).compared["p0"]  # fmt: skip
    held_out, with_source = (of.cross["B"]["bertscore_f1"] for of in (scores.held_out, scores.with_source))
    pairs = {i: [f1(a, b) for b in TEXTS["p0"]["B"][:2]] for i, a in enumerate(TEXTS["p0"]["A"])}
    assert (
        held_out.value
        == scores.held_out.floor["B"]["bertscore_f1"].value
        == pytest.approx(np.mean(pairs[1] + pairs[2]))
    )
    assert scores.source["B"]["bertscore_f1"].value == pytest.approx(np.mean(pairs[0]))
    assert with_source.value == pytest.approx(np.mean(pairs[0] + pairs[1] + pairs[2]))
    assert held_out.ceiling == with_source.ceiling
    another = other_prompt(TEXTS, 1)["p0"]
    null = np.mean([f1(a, b) for a in TEXTS["p0"]["A"][1:] for b in TEXTS[another]["A"]])
    assert scores.held_out.null["B"]["bertscore_f1"].value == pytest.approx(null)


def test_a_worker_that_dies_is_asked_again() -> None:
    pool, unhurt = TokenPool("killed", failing=1), TokenPool()
    scores = bert_scores(KnownResponses(TEXTS), pool, "A", lambda *_: None)  # type: ignore[arg-type]
    assert scores == bert_scores(KnownResponses(TEXTS), unhurt, "A", lambda *_: None)  # type: ignore[arg-type]
    assert (len(pool.asked), scores.why_not) == (4, "")


def test_without_vectors_every_value_has_its_reason() -> None:
    scores = bert_scores(KnownResponses(TEXTS), TokenPool("no such layer"), "A", lambda *_: None)  # type: ignore[arg-type]
    assert (
        scores.within["p0", "A"].reason
        == scores.compared["p0"].held_out.cross["B"]["bertscore_f1"].reason
        == "embedding tokens failed: no such layer"
    )
    alone = bert_scores(KnownResponses({"p0": TEXTS["p0"]}), TokenPool(), None, lambda *_: None)  # type: ignore[arg-type]
    assert alone.compared == {}
