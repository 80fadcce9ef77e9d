from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.ngrams import BagProducts, GrowingArray, NgramIndex
from alignbench.metrics.values import Response
from tests.support.texts import SPLIT, spaced


@given(st.lists(spaced, max_size=6), st.integers(1, 4))
def test_equal_ngrams_have_equal_numbers_and_no_others_have(responses: list[str], order: int) -> None:
    index, numbers = NgramIndex(), {}
    for i, text in enumerate(responses):
        response = Response(i, text, SPLIT)
        bag = index.bag(response, order)
        counts = Counter(zip(*(response.words[k:] for k in range(order)), strict=False))
        assert sorted(bag.counts.tolist()) == sorted(counts.values())
        assert bag.total == sum(counts.values())
        sequence = index._sequence(response, order).tolist()
        for gram, number in zip(zip(*(response.words[k:] for k in range(order)), strict=False), sequence, strict=True):
            assert numbers.setdefault(gram, number) == number
    assert sorted(numbers.values()) == list(range(index.n_distinct(order)))


@given(st.lists(spaced, max_size=8))
def test_products_are_those_of_count_vectors(responses: list[str]) -> None:
    index, products, before = NgramIndex(), BagProducts(), []
    for i, text in enumerate(responses):
        counts = Counter(text.split())
        dot_products = products.add(index.bag(Response(i, text, SPLIT), 1), index.n_distinct(1))
        assert dot_products.tolist() == [sum(n * other[word] for word, n in counts.items()) for other in before]
        before.append(counts)


def test_a_column_grows_and_keeps_what_it_has() -> None:
    column = GrowingArray(np.int64)
    for start in range(0, 1000, 7):
        column.append(np.arange(start, start + 7))
    assert column.values.tolist() == list(range(1001))
    column.grow(5000)
    assert len(column) == 5000
    assert not column.values[1001:].any()
