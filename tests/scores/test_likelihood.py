from __future__ import annotations

import math

import pytest

from alignbench.scores.likelihood import likelihood, progressive_surprise, surprisal, token_shift


def test_likelihood_is_per_token_and_per_byte() -> None:
    found = likelihood([-1.0, -3.0], "né")
    assert found is not None
    assert (found.per_token, found.n_tokens, found.n_bytes) == (-2.0, 2, 3)
    assert found.per_byte == pytest.approx(-4 / 3)
    assert found.bits_per_byte == pytest.approx(4 / math.log(2) / 3)
    assert likelihood([], "") is None


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
