"""The spread that samples give a score of one prompt, from leaving them out in turn (Tukey 1958)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alignbench.metrics.intervals import LEVEL, Interval, student_t


def jackknife_interval(value: float, *left_out: Sequence[float], level: float = LEVEL) -> Interval | None:
    """Interval around a score of one prompt from its values with each sample left out.

    left_out: for each independent set of samples the score rests on, the values without its 1st, 2nd, ... sample. The
    sets' variances add up; Student's t with Welch and Satterthwaite's degrees of freedom. None where a set has fewer
    than two values. Valid for means over samples or pairs of them: a count jumps where a sample is left out, and what
    moves with the number of samples moves away.
    """
    if not left_out or any(len(values) < 2 for values in left_out):
        return None
    variances = [jackknife_variance(values) for values in left_out]
    total = sum(variances)
    if total == 0.0:
        return value, value
    freedom = total**2 / sum(
        variance**2 / (len(values) - 1) for variance, values in zip(variances, left_out, strict=True)
    )
    reach = student_t(level, freedom) * total**0.5
    return value - reach, value + reach


def jackknife_variance(left_out: Sequence[float]) -> float:
    """What one set of samples adds to the variance of a score, from its values with each left out, two or more."""
    return (len(left_out) - 1) * float(np.var(left_out))
