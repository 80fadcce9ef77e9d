"""Intervals around means and ratios over prompts: Student's t for a few of them, the studentized bootstrap for many.

Samples of one prompt are not independent, so a prompt is the unit throughout. How often the 95% intervals of
`alignbench.metrics.statistics.Uncertainty` cover the truth, and those of other methods, over shapes of scores from
normal to heavily tied, is what benchmarks/interval_coverage.py prints and docs/scores.md has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.arrays import Floats

Interval = tuple[float, float]
Bounds = tuple[float, float]
"""The least and the largest value that a score can have."""

LEVEL = 0.95  # of every interval
UNBOUNDED: Bounds = (-inf, inf)
UNIT: Bounds = (0.0, 1.0)

_CHUNK = 4_000_000  # draws of a prompt held at once
_KEPT = 1_000_000  # most of them that are kept for the next use
_BLOCK = 256  # columns resampled at once
_FARTHEST = 2.0  # a studentized interval reaches at most so many times as far as Student's t


def clipped(interval: Interval, bounds: Bounds) -> Interval:
    """The part of an interval that lies in the range of its score."""
    low, high = bounds
    return min(max(interval[0], low), high), min(max(interval[1], low), high)


def inside(interval: Interval | None, bounds: Bounds) -> Interval | None:
    """An interval that lies in a range; None for one that leaves it, which tells of too few values."""
    return interval if interval is not None and clipped(interval, bounds) == interval else None


def of_differences(bounds: Bounds) -> Bounds:
    """What a difference of two values in these bounds lies in."""
    low, high = bounds
    return low - high, high - low


def percentile_interval(draws: ArrayLike, level: float = LEVEL) -> Interval | None:
    """The central `level` of resampled values; NaN are left out, None if nothing else is there."""
    there = np.asarray(draws, np.float64)
    there = there[~np.isnan(there)]
    if not there.size:
        return None
    low, high = np.quantile(there, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@lru_cache(maxsize=256)
def student_t(level: float, freedom: float) -> float:
    """The t with `level` of the distribution between -t and t. With x = sqrt(freedom) tan(angle) its density is a
    power of a cosine, which is summed on a fine grid."""
    angles = np.linspace(0.0, np.pi / 2, 20_001)
    heights = np.cos(angles) ** (max(freedom, 1.0) - 1.0)
    mass = np.concatenate([[0.0], np.cumsum(heights[1:] + heights[:-1])])
    return float(np.sqrt(max(freedom, 1.0)) * np.tan(np.interp(level * mass[-1], mass, angles)))


def resampled(n: int, resamples: int, seed: int) -> Iterable[Floats]:
    """How often each of n prompts is drawn in each resample with replacement (Efron 1979): pieces (rows, n).

    Equal n, resamples and seed give equal draws, in pieces or not. A report asks for the same ones many times, so few
    are kept.
    """
    return _kept(n, resamples, seed) if resamples * n <= _KEPT else _pieces(n, resamples, seed)


@lru_cache(maxsize=4)
def _kept(n: int, resamples: int, seed: int) -> tuple[Floats, ...]:
    return tuple(_pieces(n, resamples, seed))


def _pieces(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // max(1, n))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Ratios:
    """K ratios of sums over P prompts; a mean is the ratio whose weights are 1.

    Attributes:
        values: (K,) sum of the numerators over that of the weights.
        residuals: (P, K) numerators minus value times weight, 0 where a prompt has none.
        weights: (P, K), 0 where a prompt has none.
        n: (K,) prompts that have one.
    """

    values: Floats
    residuals: Floats
    weights: Floats
    n: Floats

    @classmethod
    def of(cls, numerators: ArrayLike, weights: ArrayLike | None = None) -> Ratios:
        """numerators: (P, K), NaN where a prompt has none. weights: (P, K), each over 0; 1 by default."""
        columns = np.asarray(numerators, np.float64)
        there = ~np.isnan(columns)
        weighed = np.where(there, 1.0 if weights is None else np.asarray(weights, np.float64), 0.0)
        with np.errstate(invalid="ignore"):
            values = np.where(there, columns, 0.0).sum(axis=0) / weighed.sum(axis=0)
            residuals = np.where(there, columns - values * weighed, 0.0)
        return cls(values, residuals, weighed, there.sum(axis=0).astype(np.float64))

    def columns(self, chosen: NDArray[np.intp]) -> Ratios:
        """Those at these places."""
        return Ratios(self.values[chosen], self.residuals[:, chosen], self.weights[:, chosen], self.n[chosen])

    def errors(self) -> Floats:
        """(K,) standard errors of two prompts or more, from leaving out each (Tukey 1958): of a mean s / sqrt(n), of a
        ratio a little more than the delta method, which covers too little where there are few."""
        left = self.weights.sum(axis=0) - self.weights
        errors: Floats = np.sqrt(((self.residuals / left) ** 2).sum(axis=0) * (self.n - 1.0) / self.n)
        return errors

    def t_reaches(self) -> Floats:
        """(2, K) how far Student's interval reaches below and above the value."""
        reach = np.array([student_t(LEVEL, float(n) - 1.0) for n in self.n]) * self.errors()
        return np.stack([reach, reach])

    def studentized_reaches(self, resamples: int, seed: int) -> Floats:
        """(2, K) the same of the studentized bootstrap (Efron 1981; Hall 1988), which follows a skewed distribution.

        Ends at twice the reach of Student's t: resamples with hardly any spread, as those of many ties, would put the
        end anywhere.
        """
        tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        blocks = [slice(start, start + _BLOCK) for start in range(0, len(self.values), _BLOCK)]
        drawn = np.empty((len(self.values), resamples))
        done = 0
        for times in resampled(len(self.residuals), resamples, seed):
            for block in blocks:
                drawn[block, done : done + len(times)] = self._studentized(times, block)
            done += len(times)
        ends = [np.quantile(drawn[block], tails, axis=1, overwrite_input=True) for block in blocks]
        low, high = np.concatenate(ends, axis=1)
        farthest = _FARTHEST * self.t_reaches()
        return np.clip(np.stack([high, -low]) * self.errors(), -farthest, farthest)

    def _studentized(self, times: Floats, block: slice) -> Floats:
        """(K, rows) of each resample the gap of its value to that of the sample, in its own standard errors."""
        residuals, weights, times = self.residuals[:, block].T, self.weights[:, block].T, times.T
        of_means = bool(((weights == 0.0) | (weights == 1.0)).all())
        drawn = weights @ times
        gaps = residuals @ times
        # Resamples without spread are far off rather than infinitely far.
        least = np.maximum(1e-18 * (residuals**2).sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        with np.errstate(invalid="ignore", divide="ignore"):
            gaps /= drawn
            squares = residuals**2 @ times
            if of_means:
                squares -= gaps * gaps * drawn
                n = drawn
            else:
                squares -= gaps * (2.0 * ((residuals * weights) @ times) - gaps * (weights**2 @ times))
                n = (weights > 0.0).astype(np.float64) @ times
            np.maximum(squares, least, out=squares)
            squares *= n
            squares /= n - 1.0
            np.sqrt(squares, out=squares)
            gaps *= drawn
            gaps /= squares
        return np.nan_to_num(gaps, copy=False) if np.isnan(gaps.sum()) else gaps
