from __future__ import annotations

import gzip
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignbench.metrics.compression import CompressionRatio, compression_ratio
from alignbench.metrics.values import Response, Value
from tests.support.texts import HOSTILE, ID3, T3, spaced, texts, value_of


def from_scratch(responses: list[str]) -> float | None:
    joined = "\n".join(responses).encode("utf-8", "surrogatepass")
    return len(joined) / len(gzip.compress(joined)) if any(responses) else None


def test_known_answers() -> None:
    assert compression_ratio(T3) == pytest.approx(1.0469, abs=1e-4)
    assert compression_ratio([" ".join(T3)]) == pytest.approx(1.0635, abs=1e-4)
    assert compression_ratio(ID3 * 10) > compression_ratio(ID3)  # type: ignore[operator]


def test_too_little_is_null() -> None:
    assert value_of(CompressionRatio(), []) == Value(None, 0, "needs 1 sample, has 0")
    assert value_of(CompressionRatio(), ["", ""]) == Value(None, 2, "every response is empty")


@settings(deadline=None)  # gzip takes its time over long runs
@given(st.lists(st.one_of(texts, spaced.map(lambda text: text * 200)), max_size=6))
def test_a_growing_set_is_one_gzip_at_every_step(responses: list[str]) -> None:
    score = CompressionRatio()
    for i, text in enumerate(responses):
        score.add(Response(i, text))
        assert score.value().value == from_scratch(responses[: i + 1])


@given(st.lists(texts, max_size=8), st.randoms(use_true_random=False))
def test_the_order_is_that_of_sample_indices_however_they_arrive(responses: list[str], shuffler: random.Random) -> None:
    arrivals = list(enumerate(responses))
    shuffler.shuffle(arrivals)
    score = CompressionRatio()
    for i, text in arrivals:
        score.add(Response(i, text))
        if shuffler.random() < 0.5:
            score.value()
    assert score.value().value == from_scratch(responses)


def test_hostile_text_compresses_like_any_other() -> None:
    assert compression_ratio(HOSTILE) == from_scratch(HOSTILE)
