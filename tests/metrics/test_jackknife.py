"""The spread that samples give a score of one prompt."""

from __future__ import annotations

import numpy as np
import pytest

from alignbench.metrics.jackknife import jackknife_interval


def test_of_a_mean_it_is_student_s_interval() -> None:
    values = [1.0, 2.0, 4.0, 7.0, 11.0]
    mean = sum(values) / 5
    left_out = [(sum(values) - v) / 4 for v in values]
    interval = jackknife_interval(mean, left_out)
    error = np.std(values, ddof=1) / np.sqrt(5)
    assert interval == pytest.approx((mean - 2.7764451 * error, mean + 2.7764451 * error), abs=1e-6)


def test_two_sets_add_their_variances() -> None:
    """Of a difference of means: Welch's interval."""
    stats = pytest.importorskip("scipy.stats", reason="SciPy, the reference for Welch's interval, is not installed")
    a, b = [1.0, 2.0, 4.0, 7.0], [0.5, 0.7, 0.1, 0.9, 3.0]
    difference = float(np.mean(a) - np.mean(b))
    left_a = [float(np.mean(a[:i] + a[i + 1 :]) - np.mean(b)) for i in range(4)]
    left_b = [float(np.mean(a) - np.mean(b[:i] + b[i + 1 :])) for i in range(5)]
    welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert jackknife_interval(difference, left_a, left_b) == pytest.approx((welch.low, welch.high))


def test_too_few_samples_and_no_spread() -> None:
    assert jackknife_interval(1.0) is None
    assert jackknife_interval(1.0, [1.0], [1.0, 2.0]) is None
    assert jackknife_interval(1.0, [1.0, 1.0]) == (1.0, 1.0)
