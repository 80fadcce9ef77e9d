"""Numbers with their uncertainty over prompts: a mean, paired differences, and what share of one another takes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from alignbench.metrics.arrays import Floats
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
    return mean_estimates({0: column}, uncertainty, {0: bounds}, {0: reason})[0]


def mean_estimates(
    columns: Mapping[_Key, PromptValues],
    uncertainty: Uncertainty,
    bounds: Mapping[_Key, Bounds] = {},
    reasons: Mapping[_Key, str] = {},
) -> dict[_Key, Estimate]:
    """`mean_estimate` of many columns, in a fraction of the time: those of as many prompts have the same resamples."""
    values = {key: np.array([_number(value) for value in column.values()]) for key, column in columns.items()}
    estimates: dict[_Key, Estimate] = {}
    for keys in _of_one_length(values):
        matrix = np.stack([values[key] for key in keys], axis=1)
        intervals = uncertainty.intervals(matrix, [bounds.get(key, UNBOUNDED) for key in keys])
        for key, interval in zip(keys, intervals, strict=True):
            there = values[key][~np.isnan(values[key])]
            if there.size:
                estimates[key] = Estimate(float(there.mean()), interval, int(there.size))
            else:
                estimates[key] = Estimate(None, interval, 0, reasons.get(key, "") or "no prompt has a value")
    return {key: estimates[key] for key in columns}


def paired_differences(
    pairs: Mapping[_Key, tuple[PromptValues, PromptValues]],
    uncertainty: Uncertainty,
    bounds: Mapping[_Key, Bounds] = {},
) -> dict[_Key, PairedDifference]:
    """Of each pair of columns, first minus second over the prompts that both have, corrected for how many pairs there
    are. bounds: what the values of a pair lie in, where they have any."""
    both = {
        key: np.array([(_number(first[prompt]), _number(second[prompt])) for prompt in first if prompt in second])
        for key, (first, second) in pairs.items()
    }
    differences: dict[_Key, PairedDifference] = {}
    for keys in _of_one_length(both):
        a, b = np.stack([both[key].reshape(-1, 2) for key in keys], axis=2).swapaxes(0, 1)
        compared = uncertainty.differences(a, b, bounds=[bounds.get(key, UNBOUNDED) for key in keys])
        differences |= zip(keys, compared, strict=True)
    return holm_corrected({key: differences[key] for key in pairs})


def _of_one_length(columns: Mapping[_Key, Floats]) -> Iterable[list[_Key]]:
    """The keys of columns of as many prompts, together."""
    keys: dict[int, list[_Key]] = {}
    for key, column in columns.items():
        keys.setdefault(len(column), []).append(key)
    return keys.values()


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
