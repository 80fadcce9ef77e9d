"""How far a score can be trusted: bootstrap over prompts, jackknife over samples, and what is read off two sets.

Samples of one prompt are not independent, so whole prompts are drawn with replacement. Columns are arrays (P, K): K
scores of the same P prompts, NaN where a prompt has none.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.recovery import recovered

RESAMPLES = 10_000
LEVEL = 0.95  # of every interval
MIN_PROMPTS = 20  # fewest for an interval around a recovery

OVER_ONE = "over 1: closer to the reference than the reference is to itself, as mode-seeking is; read mmd2 beside it"

_Key = TypeVar("_Key", bound=Hashable)

Interval = tuple[float, float]

_CHUNK = 4_000_000  # draws of a prompt held at once


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of a - b over the n prompts that have both.

    ci and p are None under two prompts, value too without any.
    """

    value: float | None
    ci: Interval | None
    p: float | None  # two-sided, of no difference, from the same resamples
    n: int
    p_holm: float | None = None  # corrected for the differences that are tested together (see `holm_corrected`)


@dataclass(frozen=True, slots=True)
class Recovery:
    """(mean similarity - mean floor) / (mean ceiling - mean floor) over the n prompts that have all three.

    0: no closer to the reference than the floor; 1: as close as the reference is to itself. value is None where there
    is no prompt or the ceiling is not over the floor, ci under 20 prompts or where the resamples do not tell ceiling
    and floor apart; reason says which. warning is empty up to 1.
    """

    value: float | None
    ci: Interval | None
    n: int
    reason: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class JackknifeVariance:
    """The variance that one set of samples gives a score, by the jackknife (Tukey 1958), and its degrees of freedom."""

    variance: float
    freedom: float


class Bootstrap:
    """Resamples of P prompts with replacement (Efron 1979), the same ones for whatever is asked of it.

    So any two columns are compared on the same resamples. Equal P, resamples and seed give equal numbers everywhere.
    """

    def __init__(self, *, resamples: int = RESAMPLES, seed: int = 0) -> None:
        self.resamples, self.seed = resamples, seed

    def means(self, columns: ArrayLike) -> Floats:
        """Means (resamples, K) of columns (P, K), of the prompts that have a value; NaN where none was drawn."""
        values = np.asarray(columns, np.float64)
        there = ~np.isnan(values)
        filled, counted = np.where(there, values, 0.0), there.astype(np.float64)
        complete = bool(there.all())
        means = np.empty((self.resamples, values.shape[1]))
        rng = np.random.default_rng(self.seed)
        n = len(values)
        step = max(1, _CHUNK // max(1, n))
        for start in range(0, self.resamples, step):
            rows = min(step, self.resamples - start)
            drawn = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
            times = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
            with np.errstate(invalid="ignore"):
                means[start : start + rows] = (times @ filled) / (n if complete else times @ counted)
        return means

    def intervals(self, columns: ArrayLike) -> list[Interval | None]:
        """Percentile interval of each column's mean; None for a column with fewer than two values."""
        values = np.asarray(columns, np.float64)
        enough = (~np.isnan(values)).sum(axis=0) >= 2
        intervals: list[Interval | None] = [None] * values.shape[1]
        if enough.any():
            means = self.means(values[:, enough])
            for k, column in enumerate(np.flatnonzero(enough)):
                intervals[column] = percentile_interval(means[:, k])
        return intervals

    def differences(self, a: ArrayLike, b: ArrayLike) -> list[PairedDifference]:
        """Paired comparison, column by column, of a (P, K) and b (P, K)."""
        gaps = np.asarray(a, np.float64) - np.asarray(b, np.float64)
        counts = (~np.isnan(gaps)).sum(axis=0)
        enough = counts >= 2
        drawn: dict[int, Floats] = {}
        if enough.any():
            drawn = dict(zip(np.flatnonzero(enough).tolist(), self.means(gaps[:, enough]).T, strict=True))
        differences = []
        for k in range(gaps.shape[1]):
            value = float(np.nanmean(gaps[:, k])) if counts[k] else None
            draws = drawn.get(k)
            ci, p = (None, None) if draws is None else (percentile_interval(draws), _two_sided(draws))
            differences.append(PairedDifference(value, ci, p, int(counts[k])))
        return differences

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
        return [_recovery(stacked[:, k], int(counts[k]), drawn.get(k)) for k in range(stacked.shape[1])]


def percentile_interval(draws: ArrayLike, level: float = LEVEL) -> Interval | None:
    """The central `level` of resampled values; NaN are left out, None if nothing else is there."""
    there = np.asarray(draws, np.float64)
    there = there[~np.isnan(there)]
    if not there.size:
        return None
    low, high = np.quantile(there, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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
    return Bootstrap(resamples=resamples, seed=seed).recoveries(*columns)[0]


def mmd2(aa: float | None, bb: float | None, ab: float | None) -> float | None:
    """s(A,A) + s(B,B) - 2 s(A,B) of means over pairs of different samples; None where one of them is.

    The unbiased squared maximum mean discrepancy for a similarity that is a kernel (Gretton et al. 2012): 0 in
    expectation where both sets come from one distribution, and possibly below 0 by chance.
    """
    return None if aa is None or bb is None or ab is None else aa + bb - 2.0 * ab


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


def jackknife_interval(value: float, *left_out: Sequence[float], level: float = LEVEL) -> Interval | None:
    """Interval around a score of one prompt from its values with each sample left out (Tukey 1958).

    left_out: for each independent set of samples the score rests on, the values without its 1st, 2nd, ... sample. The
    sets' variances add up; Student's t with Welch and Satterthwaite's degrees of freedom. None where a set has fewer
    than two values.
    """
    if not left_out or any(len(values) < 2 for values in left_out):
        return None
    return spread_interval(value, [_spread(values) for values in left_out], level=level)


def spread_interval(value: float, spreads: Sequence[JackknifeVariance], *, level: float = LEVEL) -> Interval:
    """Interval around the sum of independent parts, or their mean, from the spread of each."""
    total = sum(spread.variance for spread in spreads)
    if total == 0.0:
        return value, value
    freedom = total**2 / sum(spread.variance**2 / spread.freedom for spread in spreads)
    reach = _student_t(level, freedom) * total**0.5
    return value - reach, value + reach


def pair_spreads(similarities: ArrayLike, *, itself: bool) -> tuple[JackknifeVariance, ...]:
    """Jackknife of a mean over pairs: the spread that each of the two sets of samples gives it, one where both are the
    same set. Empty where leaving out a sample leaves no pair.

    similarities: (n, m) of all pairs, NaN for one that is skipped. itself: of one set, whose diagonal is no pair.
    """
    pairs = np.array(similarities, np.float64)
    if itself:
        np.fill_diagonal(pairs, np.nan)
    there = ~np.isnan(pairs)
    filled, times = np.where(there, pairs, 0.0), 2 if itself else 1
    spreads = []
    for axis in (1,) if itself else (1, 0):
        sums, counts = filled.sum(axis=axis), there.sum(axis=axis)
        left = there.sum() / times - counts
        if len(sums) < 2 or not left.all():
            return ()
        spreads.append(_spread((filled.sum() / times - sums) / left))
    return tuple(spreads)


def _spread(left_out: ArrayLike) -> JackknifeVariance:
    values = np.asarray(left_out, np.float64)
    return JackknifeVariance((len(values) - 1) * float(np.var(values)), len(values) - 1)


def _recovery(rows: Floats, n: int, draws: Floats | None) -> Recovery:
    """Of one column: rows (P, 3) of similarity, floor, ceiling; draws (resamples, 3) of their means."""
    if not n:
        return Recovery(None, None, 0, "no prompt has a similarity, a floor and a ceiling")
    value, floor, ceiling = np.nanmean(rows, axis=0).tolist()
    ratio = recovered(value, floor, ceiling)
    if ratio is None:
        return Recovery(None, None, n, f"the ceiling ({ceiling:.4f}) is not over the floor ({floor:.4f})")
    warning = OVER_ONE if ratio > 1.0 else ""
    if draws is None:
        return Recovery(ratio, None, n, f"no interval: needs {MIN_PROMPTS} prompts, has {n}", warning)
    spans = draws[:, 2] - draws[:, 1]
    apart = spans > 0
    if np.mean(~apart) > (1 - LEVEL) / 2:
        return Recovery(ratio, None, n, "no interval: ceiling and floor are too close on these prompts", warning)
    return Recovery(ratio, percentile_interval((draws[apart, 0] - draws[apart, 1]) / spans[apart]), n, warning=warning)


def _two_sided(draws: Floats) -> float:
    """Twice the share of resamples on the rarer side of 0, never 0 itself."""
    there = draws[~np.isnan(draws)]
    rarer = min(int((there <= 0).sum()), int((there >= 0).sum()))
    return min(1.0, 2.0 * (rarer + 1) / (there.size + 1))


def _student_t(level: float, freedom: float) -> float:
    """The t with `level` of the distribution between -t and t. With x = sqrt(freedom) tan(angle) its density is a
    power of a cosine, which is summed on a fine grid."""
    angles = np.linspace(0.0, np.pi / 2, 20_001)
    heights = np.cos(angles) ** (max(freedom, 1.0) - 1.0)
    mass = np.concatenate([[0.0], np.cumsum(heights[1:] + heights[:-1])])
    return float(np.sqrt(max(freedom, 1.0)) * np.tan(np.interp(level * mass[-1], mass, angles)))
