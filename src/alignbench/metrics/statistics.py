"""How far a score can be trusted over prompts, and what is read off two sets of samples.

Columns are arrays (P, K): K scores of the same P prompts, NaN where a prompt has none.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.intervals import (
    Bounds,
    Interval,
    Ratios,
    clipped,
    of_differences,
    percentile_interval,
    resampled,
)
from alignbench.metrics.recovery import NO_GAP, no_gap, recovered
from alignbench.metrics.sign_flips import FLIPS, sign_flip_p

RESAMPLES = 10_000
SMALL_P = 0.05  # largest corrected p of a difference that is told from none
MIN_PROMPTS = 20  # fewest that are resampled, for an interval around a recovery and for a claim

_ROUNDING = 1e-12  # of a value: two that are no further apart are equal

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of a - b over the n prompts that have both.

    Attributes:
        value: None without a prompt.
        ci: 95% interval; None under two prompts.
        p: two-sided, of no difference, by flipping signs (see `sign_flips`); None under six prompts.
        n: prompts that have both.
        p_holm: corrected for the differences that are tested together (see `holm_corrected`).
        means: of a and of b over these prompts, which differ by the value; means over more prompts may not.
    """

    value: float | None
    ci: Interval | None
    p: float | None
    n: int
    p_holm: float | None = None
    means: tuple[float, float] | None = None

    @property
    def clear(self) -> bool:
        """Whether it is told from no difference: 0 is outside the interval, and the corrected p, if any, is small."""
        if self.ci is None or self.ci[0] <= 0.0 <= self.ci[1]:
            return False
        return self.p_holm is None or self.p_holm <= SMALL_P


@dataclass(frozen=True, slots=True)
class Recovery:
    """(mean similarity - mean floor) / (mean ceiling - mean floor) over the n prompts that have all three.

    0: no closer to the reference than the floor; 1: as close as the reference is to itself.

    Attributes:
        value: None where there is no prompt or the ceiling is not over the floor.
        ci: None under 20 prompts, or where there is no gap.
        n: prompts.
        reason: why there is no value, or no interval.
        gap_ci: of ceiling minus floor; None under two prompts. There is no gap where it holds 0 (see `no_gap`).
    """

    value: float | None
    ci: Interval | None
    n: int
    reason: str = ""
    gap_ci: Interval | None = None


class Uncertainty:
    """Intervals and tests over P prompts, the same draws for whatever is asked of it.

    Under 20 prompts intervals are Student's t over prompts; from there on the studentized bootstrap, which covers
    better than percentiles and BCa (see `intervals`), and for a recovery or a share, which have no simple error,
    percentiles. Equal P, resamples and seed give equal numbers everywhere.
    """

    def __init__(self, *, resamples: int = RESAMPLES, seed: int = 0, flips: int = FLIPS) -> None:
        """resamples: of an interval over 20 prompts or more. flips: of a test over more than 14."""
        self.resamples, self.seed, self.flips = resamples, seed, flips

    def means(self, columns: ArrayLike) -> Floats:
        """Resampled means (resamples, K) of columns, of the prompts that have a value; NaN where none was drawn."""
        values = np.asarray(columns, np.float64)
        there = ~np.isnan(values)
        filled, counted = np.where(there, values, 0.0), there.astype(np.float64)
        with np.errstate(invalid="ignore"):
            drawn = [
                (times @ filled) / (times @ counted) for times in resampled(len(values), self.resamples, self.seed)
            ]
        return np.concatenate(drawn)

    def intervals(self, columns: ArrayLike, bounds: Sequence[Bounds] = ()) -> list[Interval | None]:
        """Of the mean of each column; None for a column with fewer than two values.

        bounds: of each column, what its values lie in; no interval leaves them. None by default.
        """
        return self._intervals(Ratios.of(columns), bounds)

    def ratio_interval(self, numerators: ArrayLike, weights: ArrayLike) -> Interval | None:
        """Of the sum of numerators (P,) over the sum of weights (P,), each over 0; None under two prompts."""
        columns = (np.asarray(column, np.float64)[:, None] for column in (numerators, weights))
        return self._intervals(Ratios.of(*columns), ())[0]

    def differences(self, a: ArrayLike, b: ArrayLike, bounds: Sequence[Bounds] = ()) -> list[PairedDifference]:
        """Paired comparison, column by column, of a (P, K) and b (P, K). bounds: of the values, as in `intervals`."""
        first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
        gaps = first - second
        gaps[np.abs(gaps) <= _ROUNDING * np.maximum(np.abs(first), np.abs(second))] = 0.0
        ratios = Ratios.of(gaps)
        intervals = self._intervals(ratios, [of_differences(one) for one in bounds])
        p = sign_flip_p(gaps, self.seed, self.flips)
        return [
            PairedDifference(
                value=float(ratios.values[k]) if ratios.n[k] else None,
                ci=intervals[k],
                p=p[k],
                n=int(ratios.n[k]),
                means=_means_of_both(first[:, k], second[:, k]),
            )
            for k in range(gaps.shape[1])
        ]

    def _intervals(self, ratios: Ratios, bounds: Sequence[Bounds]) -> list[Interval | None]:
        intervals: list[Interval | None] = [None] * len(ratios.n)
        few = np.flatnonzero((ratios.n >= 2) & (ratios.n < MIN_PROMPTS))
        many = np.flatnonzero(ratios.n >= MIN_PROMPTS)
        for columns in (few, many):
            if not columns.size:
                continue
            chosen = ratios.columns(columns)
            reaches = chosen.t_reaches() if columns is few else chosen.studentized_reaches(self.resamples, self.seed)
            lows, highs = ratios.values[columns] - reaches[0], ratios.values[columns] + reaches[1]
            for k, low, high in zip(columns.tolist(), lows.tolist(), highs.tolist(), strict=True):
                intervals[k] = clipped((low, high), bounds[k]) if bounds else (low, high)
        return intervals

    def recoveries(self, values: ArrayLike, floors: ArrayLike, ceilings: ArrayLike) -> list[Recovery]:
        """Of each column of values (P, K), with floors and ceilings (P, K) of the same prompts."""
        stacked = np.stack([np.asarray(columns, np.float64) for columns in (values, floors, ceilings)], axis=2)
        stacked[np.isnan(stacked).any(axis=2)] = np.nan
        counts = (~np.isnan(stacked[:, :, 0])).sum(axis=0)
        wide = counts >= MIN_PROMPTS
        drawn: dict[int, Floats] = {}
        if wide.any():
            draws = self.means(stacked[:, wide].reshape(len(stacked), -1)).reshape(self.resamples, -1, 3)
            drawn = dict(zip(np.flatnonzero(wide).tolist(), draws.swapaxes(0, 1), strict=True))
        gaps = self._intervals(Ratios.of(stacked[:, :, 2] - stacked[:, :, 1]), ())
        return [_recovery(stacked[:, k], int(counts[k]), gaps[k], drawn.get(k)) for k in range(stacked.shape[1])]


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for being several (Holm 1979), in the order given: reject those at or under the level."""
    n = len(p_values)
    adjusted = [0.0] * n
    largest = 0.0
    for rank, i in enumerate(sorted(range(n), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (n - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def holm_corrected(differences: Mapping[_Key, PairedDifference]) -> dict[_Key, PairedDifference]:
    """The same with the p values adjusted for being tested together; what has no p is no test."""
    tested = {key: one.p for key, one in differences.items() if one.p is not None}
    adjusted = dict(zip(tested, holm([*tested.values()]), strict=True))
    return {key: replace(one, p_holm=adjusted.get(key)) for key, one in differences.items()}


def recovery(
    values: Sequence[float | None],
    floors: Sequence[float | None],
    ceilings: Sequence[float | None],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Recovery:
    """Recovery of one condition from its prompts' similarities, floors and ceilings, None where there is none."""
    columns = [np.array(column, dtype=np.float64)[:, None] for column in (values, floors, ceilings)]
    return Uncertainty(resamples=resamples, seed=seed).recoveries(*columns)[0]


def mmd2(aa: float | None, bb: float | None, ab: float | None) -> float | None:
    """s(A,A) + s(B,B) - 2 s(A,B) of means over pairs of different samples; None where one of them is.

    The unbiased squared maximum mean discrepancy for a similarity that is a kernel (Gretton et al. 2012): 0 in
    expectation where both sets come from one distribution, and possibly below 0 by chance.
    """
    return None if aa is None or bb is None or ab is None else aa + bb - 2.0 * ab


def mmd2_bounds(bounds: Bounds) -> Bounds:
    """What an MMD^2 lies in, of a similarity in these bounds whose highest value two equal responses have.

    The squared distance of two means is at least 0; leaving the n pairs of a response with itself out takes at most the
    width of the bounds / n from it, on both sides, and a side has two responses or more.
    """
    low, high = of_differences(bounds)
    return low, 2.0 * high


def expected_maximum(values: ArrayLike, m: int) -> float:
    """Exact expected maximum of m of the k values (k,), drawn without replacement; ValueError unless 1 <= m <= k.

    The i-th smallest is the maximum of C(i-1, m-1) of the C(k, m) draws.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    k = ordered.size
    if not 1 <= m <= k:
        raise ValueError(f"cannot draw {m} of {k} values")
    # From the largest down: the share of rank i is that of rank i + 1 times (i - m + 1) / i.
    ranks = np.arange(k - 1, m - 1, -1)
    shares = np.cumprod(np.concatenate([[m / k], (ranks - m + 1) / ranks]))
    return float(shares @ ordered[::-1][: shares.size])


def _means_of_both(a: Floats, b: Floats) -> tuple[float, float] | None:
    both = ~np.isnan(a + b)
    return (float(a[both].mean()), float(b[both].mean())) if both.any() else None


def _recovery(rows: Floats, n: int, gap_ci: Interval | None, draws: Floats | None) -> Recovery:
    """Of one column: rows (P, 3) of similarity, floor, ceiling; draws (resamples, 3) of their means."""
    if not n:
        return Recovery(None, None, 0, "no prompt has a similarity, a floor and a ceiling")
    value, floor, ceiling = np.nanmean(rows, axis=0).tolist()
    ratio = recovered(value, floor, ceiling)
    if ratio is None:
        return Recovery(None, None, n, f"the ceiling ({ceiling:.4f}) is not over the floor ({floor:.4f})", gap_ci)
    if no_gap(gap_ci):
        return Recovery(ratio, None, n, NO_GAP, gap_ci)
    if draws is None:
        return Recovery(ratio, None, n, f"no interval: needs {MIN_PROMPTS} prompts, has {n}", gap_ci)
    spans = draws[:, 2] - draws[:, 1]
    apart = spans > 0
    interval = percentile_interval((draws[apart, 0] - draws[apart, 1]) / spans[apart])
    return Recovery(ratio, interval, n, "", gap_ci)
