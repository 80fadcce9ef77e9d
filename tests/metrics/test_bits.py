"""Bits per byte over many prompts, on known answers."""

from __future__ import annotations

import numpy as np
import pytest

from alignbench.metrics.bits import Bits, bits_saved, cost, part_rates, rate
from alignbench.metrics.estimates import NO_SHARE
from alignbench.metrics.gap_parts import TextParts
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


def in_parts(opening: float, form: float, end: float | None, rest: float) -> Bits:
    return Bits(opening + form + (end or 0.0) + rest, 10, 8, end, TextParts(opening, form, rest))


def test_rates_of_parts_add_up_to_that_of_the_whole() -> None:
    prompts = [[in_parts(4, 1, 2, 8), in_parts(4, 1, None, 3)], [in_parts(2, 2, 4, 8)], [in_parts(6, 0, 1, 9)]]
    whole, parts = rate(prompts, UNCERTAINTY), part_rates(prompts, UNCERTAINTY)
    assert whole is not None
    assert whole.ci is not None
    assert [*parts] == ["opening", "format", "end", "rest"]
    assert [each.per_byte for each in parts.values()] == pytest.approx([16 / 40, 4 / 40, 7 / 40, 28 / 40])
    assert sum(each.per_byte for each in parts.values()) == pytest.approx(whole.per_byte, abs=1e-15)
    assert sum(each.per_response for each in parts.values()) == pytest.approx(whole.per_response, abs=1e-15)
    assert [each.share.value for each in parts.values()] == pytest.approx([16 / 55, 4 / 55, 7 / 55, 28 / 55])
    ci = UNCERTAINTY.ratio_interval([8, 2, 6], [20, 10, 10])
    assert parts["opening"].ci == pytest.approx(ci)
    assert parts["opening"].share.reason.startswith("no interval: needs 20 prompts")


def test_a_share_has_an_interval_over_prompts() -> None:
    rng = np.random.default_rng(0)
    prompts = [[in_parts(3 + a, 0, 1, 6 - a)] for a in rng.normal(0, 0.5, 30)]
    share = part_rates(prompts, UNCERTAINTY)["opening"].share
    assert share.ci is not None
    assert share.value is not None
    assert share.ci[0] < 0.3 < share.ci[1]
    assert share.ci[1] - share.ci[0] < 0.06
    assert part_rates(prompts, UNCERTAINTY)["end"].share.ci == pytest.approx((0.1, 0.1))


def test_there_is_no_share_of_a_gap_that_is_not_told_from_none() -> None:
    parts = part_rates([[in_parts(4, 0, 0, 0)], [in_parts(-4, 0, 0, 1)], [in_parts(1, 0, 0, 0)]], UNCERTAINTY)
    assert parts["opening"].per_byte == pytest.approx(1 / 30)
    assert {(each.share.value, each.share.reason) for each in parts.values()} == {(None, NO_SHARE)}


def test_there_are_no_parts_where_one_response_has_none() -> None:
    assert part_rates([[in_parts(4, 0, 0, 0)], [Bits(1.0, 10, 8)]], UNCERTAINTY) == {}
    assert part_rates([], UNCERTAINTY) == {}


def test_without_its_end_a_response_keeps_the_parts_of_its_text() -> None:
    assert in_parts(4, 1, 2, 3).of_text == Bits(8.0, 10, 7, None, TextParts(4, 1, 3))
    assert bits_saved(in_parts(4, 1, 2, 3), in_parts(1, 1, 2, 3)) == Bits(3.0, 10, 8, 0.0)
