"""Scores behind a quality gate, on vectors and grades that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alignbench.judging.qualities import Qualities, read_qualities
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import Value
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.model_based.judge import EFFECTIVE, JUDGED, PASSING, QUALITY, UTILITY, JudgedScores
from alignbench.scoring.responses import SessionResponses
from alignbench.spec import content_hash
from alignbench.store import Store
from tests.support.judged import fill, judgment

VECTORS = {"walk": (1, 0, 0), "stroll": (1, 0, 0), "sing": (0, 1, 0), "noise": (0, 0, 1)}


@pytest.fixture
def embeddings(tmp_path: Path) -> Iterator[Embeddings]:
    with Store.open(tmp_path / "vectors.db") as store:
        keys = {content_hash(text): np.array(vector, np.float32) for text, vector in VECTORS.items()}
        store.add_embeddings("mini", keys, windows=dict.fromkeys(keys, 1), mode="mean")
        yield Embeddings(store, None, "mini", "")


class Four:
    """One prompt under one condition."""

    prompts, conditions, n, left_out, contested = ("q",), ("c",), 4, 0, frozenset()

    def __init__(self, *texts: str) -> None:
        self.texts = dict(enumerate(texts))

    def cells(self, prompt: str) -> dict[str, dict[int, str]]:  # noqa: ARG002
        return {"c": self.texts}

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}


def graded(*grades: float | None) -> Qualities:
    return Qualities("judge", {("c", "q", i): grade for i, grade in enumerate(grades) if grade is not None})


def scores(responses: Four, qualities: Qualities, embeddings: Embeddings | None) -> dict[str, Value]:
    return JudgedScores(qualities, embeddings).within(responses)["q", "c"]


def test_what_does_not_pass_earns_nothing(embeddings: Embeddings) -> None:
    values = scores(Four("walk", "stroll", "sing", "noise"), graded(5, 4, 3, 1), embeddings)
    assert values[QUALITY].value == pytest.approx(13 / 4)
    # Of six pairs, walk and sing, stroll and sing are apart and both pass; those with noise count as 0.
    assert values[EFFECTIVE].value == pytest.approx(2 / 6)
    assert values[PASSING].value == pytest.approx(2 / 4)
    assert values[UTILITY].value == pytest.approx((5 + 0.64 * 3 + 0.512 * 1) / (1 + 0.8 + 0.64 + 0.512))
    assert {values[name].n for name in JUDGED} == {4}


def test_only_graded_responses_count(embeddings: Embeddings) -> None:
    values = scores(Four("walk", "not embedded", "sing"), graded(5, None, 3), embeddings)
    assert values[QUALITY] == Value(4.0, 2)
    assert values[EFFECTIVE].value == pytest.approx(1.0)
    alone = scores(Four("walk"), graded(5), embeddings)
    assert alone[EFFECTIVE] == Value(None, 1, "needs 2 samples, has 1")
    assert alone[PASSING].value == 1.0


def test_without_grades_or_embeddings_the_reason_is_given(embeddings: Embeddings) -> None:
    nothing = scores(Four("walk", "sing"), graded(), embeddings)
    assert {(nothing[name].value, nothing[name].reason) for name in JUDGED} == {(None, "no response has a grade")}
    blind = scores(Four("walk", "sing"), graded(5, 5), None)
    assert blind[QUALITY].value == 5
    assert blind[EFFECTIVE].reason == "no embedding model is in use"
    missing = scores(Four("walk", "unseen"), graded(5, 5), embeddings)
    assert missing[PASSING].reason == "a graded response has no embedding"


def test_qualities_are_means_of_the_graded_aspects_of_one_judge(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        samples = fill(store, prompts=1, n=2)
        first, second = (samples[0, "demo-base", i] for i in range(2))
        aspects = {"helpfulness": 5, "clarity": 4, "factuality": None, "depth": 2, "engagement": 1}
        store.add_judgments(
            1,
            [
                judgment("quality", first, **aspects),
                judgment("quality", second, "invalid"),
                judgment("quality", second, judge="other", **dict.fromkeys(aspects, 5)),
            ],
        )
        read = read_qualities(store, 1, "demo-smollm2")
        assert read.of == {("demo-base", "q0", 0): 3.0}
        assert read_qualities(store, 1).judge == "demo-smollm2", "it has judged more"
        scored = JudgedScores(read, None).within(SessionResponses(store, 1))
        assert scored["q0", "demo-base"][QUALITY] == Value(3.0, 1)
        assert scored["q0", "demo-smollm2"][QUALITY].value is None


def test_the_registry_has_them() -> None:
    assert all(METRICS[name].needs[-1] == "judge" and not METRICS[name].live for name in JUDGED)
