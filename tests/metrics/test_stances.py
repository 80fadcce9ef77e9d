"""Coverage of the sides and stance entropy: known answers, and scipy and all subsets as oracles."""

from __future__ import annotations

import itertools
from collections import Counter
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from alignbench.metrics.stances import (
    SplitComparison,
    both_share,
    response_coverage,
    split_comparison,
    splits,
    stance_entropy,
    union_coverage,
)

BASE = ["yes", "no", "yes", "no", "other"]
ALIGNED = ["both"] * 5

stances = st.lists(st.sampled_from(["yes", "no", "both", "other", "unclear"]), min_size=1, max_size=7)


def test_the_known_answers() -> None:
    assert response_coverage(BASE) == pytest.approx(0.4)
    assert union_coverage(BASE, 5) == 1.0
    assert stance_entropy(BASE) == pytest.approx(1.522, abs=5e-4)
    assert splits(BASE)
    assert response_coverage(ALIGNED) == 1.0
    assert union_coverage(ALIGNED, 1) == union_coverage(ALIGNED, 5) == 1.0
    assert stance_entropy(ALIGNED) == 0.0
    assert both_share(ALIGNED) == 1.0
    assert not splits(ALIGNED)


@given(stances)
def test_entropy_is_scipys(said: list[str]) -> None:
    expected = scipy_entropy([*Counter(said).values()], base=2)
    assert stance_entropy(said) == pytest.approx(expected, abs=1e-9)


@given(stances, st.integers(1, 7))
def test_at_equal_n_it_is_the_mean_over_all_subsets(said: list[str], n: int) -> None:
    subsets = [*itertools.combinations(said, n)]
    if not subsets:
        assert stance_entropy(said, n) is None
        assert union_coverage(said, n) is None
        return
    assert stance_entropy(said, n) == pytest.approx(fmean(stance_entropy(s) or 0.0 for s in subsets))
    together = [sum(any(x in (side, "both") for x in s) for side in ("yes", "no")) / 2 for s in subsets]
    assert union_coverage(said, n) == pytest.approx(fmean(together))


@given(stances)
def test_one_response_is_the_union_of_one(said: list[str]) -> None:
    assert union_coverage(said, 1) == pytest.approx(response_coverage(said))


def test_nothing_to_score_is_null() -> None:
    assert response_coverage([]) is None
    assert stance_entropy([]) is None
    assert union_coverage([], 1) is None
    assert split_comparison([], BASE) is None
    assert split_comparison(BASE, []) is None
    for score in (union_coverage, stance_entropy):
        with pytest.raises(ValueError, match="one response or more"):
            score(BASE, 0)


def test_where_the_base_splits_it_is_compared_with_itself_held_out() -> None:
    assert split_comparison(BASE, ALIGNED) == SplitComparison(1.0, 0.0, 1.0)
    assert split_comparison(["yes", "no", "both"], ALIGNED) == SplitComparison(
        pytest.approx(1 / 3), pytest.approx(1 / 3), pytest.approx(1 / 3)
    )
    assert split_comparison(["yes", "yes"], ALIGNED) == SplitComparison(0.0, 0.0, 0.0)


def test_two_halves_of_one_condition_do_not_differ_where_one_splits() -> None:
    """The plain share of both among responses that split is too low; held out it is not."""
    rng = np.random.default_rng(0)
    kinds, n_prompts = np.array(["yes", "no", "both", "other"]), 4000
    drawn = [rng.choice(kinds, 10, p=rng.dirichlet([1.0] * 4)).tolist() for _ in range(n_prompts)]
    pairs = [(said[:5], said[5:]) for said in drawn]
    compared = [c for own, other in pairs if (c := split_comparison(own, other)) is not None]
    apart = np.array([c.other - c.own for c in compared])
    assert abs(apart.mean()) < 3 * apart.std() / n_prompts**0.5
    naive = np.array([both_share(other) - both_share(own) for own, other in pairs if splits(own)])
    assert naive.mean() > 5 * naive.std() / len(naive) ** 0.5, "what this is for"
