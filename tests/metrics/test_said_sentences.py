from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alignbench.metrics import said_sentences
from alignbench.metrics.coverage import best_matches, coverage
from alignbench.metrics.said_sentences import EqualSentences, SaidSentences, union_coverage

X, Y, Z = np.eye(3)
tables = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.bool_, shape, elements=st.booleans())
)


def equal_sentences(
    itself: Sequence[object], others: Sequence[object], threshold: float = 0.6
) -> EqualSentences | None:
    """Of one set against another."""
    n = len(itself)
    return SaidSentences([*itself, *others], threshold).equal_sentences(range(n), range(n, n + len(others)))


def test_an_aggregator_is_covered_by_the_union_only() -> None:
    """One response that says what three say: each covers a third of it, all together the whole."""
    said = SaidSentences([[X, Y, Z], [X], [Y], [Z]])
    assert said.curve([0], [1, 2, 3]) == pytest.approx([1 / 3, 2 / 3, 1])
    assert said.curve([1, 2, 3], [0]) == [1]
    assert union_coverage(np.zeros((0, 3), np.bool_)) == []
    both = SaidSentences([[X], [Y], [Z], [X, Y, Z], [X]])
    assert both.covered_responses([0, 1, 2], [3], share=1.0) == 3
    assert both.covered_responses([0, 1, 2], [3, 4], share=1.0) == 2
    assert SaidSentences([[X, Y], [X]]).covered_responses([0], [1], share=0.5) == 1
    assert SaidSentences([[X, Y], [X]]).covered_responses([0], [1], share=0.6) == 0


def test_a_response_says_nothing_of_itself() -> None:
    said = SaidSentences([[X], [X, Y], [Z]])
    assert said.curve([0, 1, 2], [0, 1, 2]) == pytest.approx([(1 / 2 + 1 / 4 + 0) / 3, (1 + 1 / 2 + 0) / 3])


@given(tables)
def test_the_curve_is_the_mean_over_all_choices(covered: np.ndarray) -> None:
    curve = union_coverage(covered)
    for k, point in enumerate(curve, start=1):
        choices = [covered[:, list(chosen)].any(axis=1).mean() for chosen in combinations(range(covered.shape[1]), k)]
        assert point == pytest.approx(np.mean(choices), abs=1e-9)
    assert curve[0] == pytest.approx(coverage(covered, 1.0), abs=1e-12)
    assert curve == sorted(curve) or np.all(np.diff(curve) >= -1e-12)


def test_in_as_many_sentences_the_longer_response_speaks_and_the_other_set_goes_on() -> None:
    """Each own response is one sentence; the other set's one says all three, which is three of its sentences."""
    equal = equal_sentences([[X], [Y], [Z], [X]], [[X, Y, Z]])
    assert equal is not None
    assert equal.sentences == 3
    assert equal.by_others == 1
    assert equal.by_itself == pytest.approx((1 + 0 + 0 + 1) / 4)
    cut = equal_sentences([[X], [Y]], [[X, Y, Z]])
    assert cut is not None
    assert (cut.sentences, cut.by_others, cut.by_itself) == pytest.approx((1, 1 / 3, 0)), "the rest ends after one"
    assert equal_sentences([[X]], [[X]]) is None
    assert equal_sentences([[X], [Y]], []) is None


@pytest.mark.parametrize("largest", [1 << 22, 1], ids=["at once", "a sentence at a time"])
def test_in_as_many_sentences_is_the_mean_over_pairs_and_choices(monkeypatch: pytest.MonkeyPatch, largest: int) -> None:
    monkeypatch.setattr(said_sentences, "_LARGEST", largest)
    rng = np.random.default_rng(1)
    own, others = ([rng.normal(size=(t, 3)) for t in lengths] for lengths in ((2, 1, 3), (4, 2)))

    def spoken(side: list[np.ndarray], start: int, n: int) -> list[np.ndarray]:
        """All that the side may have said in n sentences from a response on."""
        whole: list[np.ndarray] = []
        for response in side[start:] + side[:start]:
            left = n - len(whole)
            if len(response) >= left:
                return [np.array([*whole, *response[list(c)]]) for c in combinations(range(len(response)), left)]
            whole += list(response)
        raise AssertionError("says less")

    by_others, by_itself = [], []
    for at, sought in enumerate(own):
        rest = own[at + 1 :] + own[:at]
        of_pairs = []
        for a, b in product(range(len(others)), range(len(rest))):
            n = min(max(len(others[a]), len(rest[b])), sum(map(len, others)), sum(map(len, rest)))
            sides = [
                np.mean([coverage(best_matches(sought, [said]), 0.3) for said in spoken(side, start, n)])
                for side, start in ((others, a), (rest, b))
            ]
            of_pairs.append(sides)
        by_others.append(np.mean([pair[0] for pair in of_pairs]))
        by_itself.append(np.mean([pair[1] for pair in of_pairs]))
    equal = equal_sentences(own, others, 0.3)
    assert equal is not None
    assert (equal.by_others, equal.by_itself) == pytest.approx((np.mean(by_others), np.mean(by_itself)))


@pytest.mark.parametrize("n", [2, 5, 12])
def test_in_as_many_sentences_no_side_of_one_distribution_is_favoured(n: int) -> None:
    """Responses of very different lengths that keep to a subject of their own: many against one would say more."""
    rng = np.random.default_rng(n)

    def response() -> np.ndarray:
        subject = rng.integers(0, 4)
        return np.eye(12)[3 * subject + rng.integers(0, 3, rng.integers(1, 9))]

    gaps = []
    for _ in range(400):
        equal = equal_sentences([response() for _ in range(n)], [response() for _ in range(n)])
        assert equal is not None
        gaps.append(equal.by_others - equal.by_itself)
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / 20
