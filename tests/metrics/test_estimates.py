"""Means, paired differences and shares over prompts, with what their intervals can and cannot say."""

from __future__ import annotations

import pytest

from alignbench.metrics.estimates import Estimate, mean_estimate, paired_differences, share_estimate
from alignbench.metrics.statistics import Uncertainty

UNCERTAINTY = Uncertainty(resamples=500)


def test_a_mean_leaves_out_what_is_missing() -> None:
    entry = mean_estimate({"a": 1.0, "b": 3.0, "c": None}, UNCERTAINTY)
    assert (entry.value, entry.n, entry.reason) == (2.0, 2, "")
    assert entry.ci == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)
    assert mean_estimate({"a": 1.0, "b": 3.0}, UNCERTAINTY, bounds=(0.0, 5.0)).ci == (0.0, 5.0)
    assert mean_estimate({"a": None}, UNCERTAINTY, "no embeddings") == Estimate(None, None, 0, "no embeddings")
    assert mean_estimate({}, UNCERTAINTY).value is None
    assert mean_estimate({"a": 2.0}, UNCERTAINTY).ci is None


def test_differences_are_paired_and_corrected() -> None:
    apart = {f"p{i}": 1.0 + i % 3 * 0.1 for i in range(20)}
    same = dict.fromkeys(apart, 1.1)
    differences = paired_differences({"up": (apart, dict.fromkeys(apart, 0.0)), "none": (apart, same)}, UNCERTAINTY)
    assert differences["up"].value == pytest.approx(sum(apart.values()) / 20)
    assert differences["up"].p_holm == pytest.approx(2 * differences["up"].p)
    low, high = differences["none"].ci
    assert low <= 0 <= high
    assert paired_differences({"x": ({"a": 1.0}, {"b": 1.0})}, UNCERTAINTY)["x"].value is None


def test_a_share_is_a_ratio_of_means_and_there_is_none_of_what_may_be_nothing() -> None:
    whole = {f"p{i}": 1.0 + i % 2 for i in range(20)}
    half = {prompt: value / 2 for prompt, value in whole.items()}
    entry = share_estimate(half, whole, UNCERTAINTY)
    assert entry.value == pytest.approx(0.5)
    assert entry.ci == pytest.approx((0.5, 0.5))
    few = share_estimate({"a": 1.0}, {"a": 2.0}, UNCERTAINTY)
    assert (few.value, few.ci) == (0.5, None)
    assert "needs 20 prompts" in few.reason
    noise = {f"p{i}": (-1.0) ** i + 0.01 for i in range(20)}
    none = share_estimate(half, noise, UNCERTAINTY)
    assert none.value is None
    assert "cannot be told from 0" in none.reason
    assert share_estimate({}, {}, UNCERTAINTY).reason == "no prompt has both"
