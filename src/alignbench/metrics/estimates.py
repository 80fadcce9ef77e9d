"""Numbers with their uncertainty over prompts: a mean, paired differences, and what share of one another takes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from alignbench.metrics.intervals import UNBOUNDED, Bounds, Interval, percentile_interval
from alignbench.metrics.statistics import MIN_PROMPTS, PairedDifference, Uncertainty, holm_corrected

_Key = TypeVar("_Key", bound=Hashable)

NO_SHARE = "no share: the difference cannot be told from 0"

PromptValues = Mapping[str, float | None]  # one number a prompt, None where it has none


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over prompts.

    Attributes:
        value: None where no prompt has one.
        ci: 95% interval; None where there are too few prompts for one.
        n: prompts that have a value.
        reason: why there is no value, or no interval; empty where there is nothing to say.
    """

    value: float | None = None
    ci: Interval | None = None
    n: int = 0
    reason: str = ""


def mean_estimate(
    column: PromptValues, uncertainty: Uncertainty, reason: str = "", bounds: Bounds = UNBOUNDED
) -> Estimate:
    """The mean over prompts with its interval, inside the bounds of the values. reason: why there is none, where there
    is none."""
    values = np.array([[_number(value)] for value in column.values()], np.float64).reshape(-1, 1)
    there = values[~np.isnan(values)]
    (interval,) = uncertainty.intervals(values, [bounds])
    if not there.size:
        return Estimate(None, interval, 0, reason or "no prompt has a value")
    return Estimate(float(there.mean()), interval, int(there.size))


def paired_differences(
    pairs: Mapping[_Key, tuple[PromptValues, PromptValues]],
    uncertainty: Uncertainty,
    bounds: Mapping[_Key, Bounds] = {},
) -> dict[_Key, PairedDifference]:
    """Of each pair of columns, first minus second over the prompts that both have, corrected for how many pairs there
    are. bounds: what the values of a pair lie in, where they have any."""
    differences: dict[_Key, PairedDifference] = {}
    for name, (first, second) in pairs.items():
        both = [prompt for prompt in first if prompt in second]
        a, b = ([[_number(column[prompt])] for prompt in both] for column in (first, second))
        (differences[name],) = uncertainty.differences(
            np.array(a).reshape(-1, 1), np.array(b).reshape(-1, 1), bounds=[bounds.get(name, UNBOUNDED)]
        )
    return holm_corrected(differences)


def share_estimate(part: PromptValues, whole: PromptValues, uncertainty: Uncertainty) -> Estimate:
    """Mean of `part` over mean of `whole`, on the prompts that both have.

    No share where the whole is not told from 0, no interval under 20 prompts.
    """
    both = [(a, b) for prompt, a in part.items() if a is not None and (b := whole.get(prompt)) is not None]
    columns = np.array(both, np.float64).reshape(-1, 2)
    n = len(columns)
    if not n or columns[:, 1].mean() == 0.0:
        return Estimate(n=n, reason="there is no difference to be shared" if n else "no prompt has both")
    (span,) = uncertainty.intervals(columns[:, 1:])
    if span is not None and span[0] <= 0.0 <= span[1]:
        return Estimate(n=n, reason=NO_SHARE)
    value = float(columns[:, 0].mean() / columns[:, 1].mean())
    if n < MIN_PROMPTS:
        return Estimate(value, None, n, f"no interval: needs {MIN_PROMPTS} prompts, has {n}")
    draws = uncertainty.means(columns)
    return Estimate(value, percentile_interval(draws[:, 0] / draws[:, 1]), n)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
