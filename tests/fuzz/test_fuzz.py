"""A short search for inputs that break a reader, and all that a long one kept. `make fuzz` searches for longer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

BUDGET = 120  # inputs a target

targets = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Bytes, words of the target in any order, and seeds with parts that are cut out, doubled, replaced or inserted."""
    pieces = st.sampled_from(target.words) | st.binary(max_size=6) if target.words else st.binary(max_size=6)

    @st.composite
    def edited(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(target.seeds))
        for _ in range(draw(st.integers(1, 5))):
            start, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
            part = draw(pieces | st.just(data[start:end] * 2) | st.just(draw(st.sampled_from(target.seeds))[start:end]))
            data = data[:start] + part + data[end:]
        return data

    return edited() | st.lists(pieces, max_size=30).map(b"".join) | st.binary(max_size=200)


@targets
@pytest.mark.parametrize("times", [1, 5000])
def test_seeds_and_their_repetition_are_answered(target: Target, times: int) -> None:
    for seed in (*target.seeds, *target.words):
        target.read(seed * times)


@targets
def test_the_corpus_is_answered(target: Target) -> None:
    for data in target.corpus():
        target.read(data)


@targets
def test_every_input_is_answered(target: Target) -> None:
    @settings(max_examples=BUDGET, suppress_health_check=list(HealthCheck))
    @given(inputs(target))
    def search(data: bytes) -> None:
        target.read(data)

    search()
