"""Bits per byte over many prompts, on known answers."""

from __future__ import annotations

import pytest

from alignbench.metrics.bits import Bits, bits_saved, cost, rate
from alignbench.metrics.statistics import Bootstrap

BOOTSTRAP = Bootstrap(resamples=2000)


def test_a_rate_is_all_bits_over_all_bytes_not_a_mean_of_rates() -> None:
    bit_rate = rate([[Bits(10.0, 10, 5), Bits(0.0, 30, 5)], [Bits(20.0, 10, 10)]], BOOTSTRAP)
    assert bit_rate is not None
    assert bit_rate.per_byte == pytest.approx(30 / 50)
    assert bit_rate.per_response == pytest.approx(10.0)
    assert bit_rate.per_token == pytest.approx(1.5)
    assert (bit_rate.n_prompts, bit_rate.n_responses) == (2, 3)
    # Two prompts: a resample has the first twice, the second twice, or both.
    assert bit_rate.ci == (pytest.approx(10 / 40), pytest.approx(20 / 10))


def test_without_a_second_prompt_there_is_no_interval() -> None:
    one = rate([[Bits(8.0, 4, 2)] * 9], BOOTSTRAP)
    assert one is not None
    assert (one.per_byte, one.ci) == (2.0, None)
    assert rate([], BOOTSTRAP) is None


def test_saved_bits_are_of_one_response() -> None:
    assert bits_saved(Bits(9.0, 4, 2), Bits(11.0, 4, 2)) == Bits(-2.0, 4, 2)
    with pytest.raises(ValueError, match="not of one response"):
        bits_saved(Bits(9.0, 4, 2), Bits(9.0, 5, 2))


def test_a_cost_is_a_mean_over_prompts() -> None:
    prompt_cost = cost([(100.0, 20), (300.0, 40)], BOOTSTRAP)
    assert prompt_cost is not None
    assert (prompt_cost.bits, prompt_cost.tokens, prompt_cost.ci) == (200.0, 30.0, (100.0, 300.0))
    shared = cost([(100.0, 20)] * 5, BOOTSTRAP)
    assert shared is not None
    assert shared.ci == (100.0, 100.0)
    assert cost([], BOOTSTRAP) is None
