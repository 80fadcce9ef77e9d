"""Bits per byte over many prompts, on known answers."""

from __future__ import annotations

import pytest

from alignbench.metrics.bits import Bits, bits_saved, cost, rate
from alignbench.metrics.statistics import Uncertainty

UNCERTAINTY = Uncertainty(resamples=2000)


def test_a_rate_is_all_bits_over_all_bytes_not_a_mean_of_rates() -> None:
    bit_rate = rate([[Bits(10.0, 10, 5), Bits(0.0, 30, 5)], [Bits(20.0, 10, 10)]], UNCERTAINTY)
    assert bit_rate is not None
    assert bit_rate.per_byte == pytest.approx(30 / 50)
    assert bit_rate.per_response == pytest.approx(10.0)
    assert bit_rate.per_token == pytest.approx(1.5)
    assert (bit_rate.n_prompts, bit_rate.n_responses) == (2, 3)
    # Two prompts: 10 - .6 x 40 = -14 and 20 - .6 x 10 = 14 bits off, where 10 and 40 bytes are left without them.
    reach = 12.7062 * (((14 / 10) ** 2 + (14 / 40) ** 2) / 2) ** 0.5
    assert bit_rate.ci == pytest.approx((0.6 - reach, 0.6 + reach), abs=1e-4)


def test_without_a_second_prompt_there_is_no_interval() -> None:
    one = rate([[Bits(8.0, 4, 2)] * 9], UNCERTAINTY)
    assert one is not None
    assert (one.per_byte, one.ci) == (2.0, None)
    assert rate([], UNCERTAINTY) is None


def test_saved_bits_are_of_one_response() -> None:
    assert bits_saved(Bits(9.0, 4, 2), Bits(11.0, 4, 2)) == Bits(-2.0, 4, 2)
    with pytest.raises(ValueError, match="not of one response"):
        bits_saved(Bits(9.0, 4, 2), Bits(9.0, 5, 2))


def test_a_cost_is_a_mean_over_prompts() -> None:
    prompt_cost = cost([(100.0, 20), (300.0, 40)], UNCERTAINTY)
    assert prompt_cost is not None
    assert (prompt_cost.bits, prompt_cost.tokens, prompt_cost.ci) == (
        200.0,
        30.0,
        (0.0, pytest.approx(200 + 12.7062 * 100, abs=1e-2)),
    )
    shared = cost([(100.0, 20)] * 5, UNCERTAINTY)
    assert shared is not None
    assert shared.ci == (100.0, 100.0)
    assert cost([], UNCERTAINTY) is None
