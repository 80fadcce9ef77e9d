from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from alignbench.metrics.likelihood import (
    TokenLogprobs,
    alignment_gap,
    likelihood,
    orders,
    progressive_surprise,
    surprisal,
    token_shift,
    token_shifts,
    total,
)


def forced(probabilities: list[float], ids: list[int] | None = None) -> TokenLogprobs:
    n = len(probabilities)
    return TokenLogprobs(np.array(ids or range(n), np.int32), np.log(np.float32(probabilities)), np.ones(n, np.int32))


def test_likelihood_is_per_token_and_per_byte() -> None:
    text_likelihood = likelihood([-1.0, -3.0], "né")
    assert text_likelihood is not None
    assert (text_likelihood.per_token, text_likelihood.n_tokens, text_likelihood.n_bytes) == (-2.0, 2, 3)
    assert text_likelihood.per_byte == pytest.approx(-4 / 3)
    assert text_likelihood.bits_per_byte == pytest.approx(4 / math.log(2) / 3)
    assert likelihood([], "") is None


def test_rates_of_several_responses_are_all_over_all() -> None:
    """10 bits of 5 bytes and 20 of 100: .286 bits a byte, not the mean of 2 and .2."""
    short, long = likelihood([-10 * math.log(2)], "a" * 5), likelihood([-5 * math.log(2)] * 4, "b" * 100)
    assert short is not None
    assert long is not None
    together = total([short, long])
    assert together.bits_per_byte == pytest.approx(30 / 105)
    assert together.per_token == pytest.approx(-30 / 5 * math.log(2))


def test_surprisal_is_bits() -> None:
    assert surprisal([math.log(0.5), math.log(0.125)]) == pytest.approx(2.0)
    assert surprisal([]) is None


def test_progressive_surprise_is_what_is_new_times_coherence() -> None:
    assert progressive_surprise([1.0, 2.0], [1.0, 3.0]) == pytest.approx(1.5 * 0.25)
    assert progressive_surprise([0.0], [1.0]) == 0.0  # known from the others already
    assert progressive_surprise([8.0], [8.0]) < progressive_surprise([1.0], [1.0])  # type: ignore[operator]  # noise
    assert progressive_surprise([], [1.0]) is None


def test_token_shift_by_rank() -> None:
    assert [token_shift(rank) for rank in (1, 2, 3, 4)] == ["unshifted", "marginal", "marginal", "shifted"]
    with pytest.raises(ValueError, match="ranks count from 1"):
        token_shift(0)


def test_shares_of_tokens_add_up() -> None:
    shares = token_shifts([1, 2, 3, 4, 1000])
    assert shares is not None
    assert (shares.unshifted, shares.marginal, shares.shifted) == pytest.approx((0.2, 0.4, 0.4))
    assert shares.n_tokens == 5
    assert token_shifts([]) is None
    with pytest.raises(ValueError, match="ranks count from 1"):
        token_shifts([1, 0])


def test_the_gap_is_bits_a_byte_between_two_models() -> None:
    base, teacher = forced([1 / 8, 1 / 2]), forced([1 / 2, 1 / 2])
    gap = alignment_gap(base, teacher, "four")
    assert gap is not None
    assert (gap.bits, gap.per_byte) == pytest.approx((2.0, 0.5))
    assert gap.per_token == pytest.approx([2.0, 0.0])
    closed = alignment_gap(teacher, teacher, "four")
    assert closed is not None
    assert closed.per_byte == 0.0
    other_tokens = alignment_gap(forced([1 / 16], ids=[7]), teacher, "four")
    assert other_tokens is not None
    assert other_tokens.per_token is None
    assert other_tokens.bits == pytest.approx(2.0)
    assert alignment_gap(forced([]), forced([]), "") is None


def test_the_mean_gap_of_draws_estimates_the_kl_divergence() -> None:
    """One-token responses over a vocabulary of three."""
    teacher, base = np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])
    draws = np.random.default_rng(0).choice(3, 20_000, p=teacher)
    gaps = [alignment_gap(forced([base[d]]), forced([teacher[d]]), "x") for d in draws]
    expected = float((teacher * np.log2(teacher / base)).sum())
    assert np.mean([gap.bits for gap in gaps if gap]) == pytest.approx(expected, abs=0.03)


def test_orders_are_different_and_each_response_is_last_in_turn() -> None:
    assert sorted(orders(3, 100)) == sorted(itertools.permutations(range(3)))
    assert orders(1) == [(0,)]
    permutations = orders(5, 10, seed=3)
    assert permutations == orders(5, 10, seed=3)
    assert permutations != orders(5, 10, seed=4)
    assert len(set(permutations)) == 10
    assert all(sorted(order) == list(range(5)) for order in permutations)
    assert len({order[-1] for order in permutations[:5]}) == 5
    assert set(Counter(order[-1] for order in permutations).values()) == {2}
