"""Distributions of answers to questions with options: distances between them, and what chance alone gives.

Distributions are arrays (K,) over the K options of a question, from 0, with a sum of 1. Which distances, and what for:
Santurkar et al. 2023 (arXiv 2303.17548), Durmus et al. 2023 (arXiv 2306.16388), Meister et al. 2024 (arXiv 2411.05403).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats


@dataclass(frozen=True, slots=True)
class AnswerDistance:
    """How far two distributions of answers to one question are apart.

    Attributes:
        tv: total variation, 0 to 1: the share of answers that would have to change
        jsd: Jensen-Shannon divergence in bits, 0 to 1
        w1: 1-Wasserstein distance on the options' values, in their units; None where options have no values
        representativeness: 1 - w1 / (largest value - least value), 0 to 1; None where w1 is
    """

    tv: float
    jsd: float
    w1: float | None = None
    representativeness: float | None = None


def answer_distance(p: ArrayLike, q: ArrayLike, values: Sequence[float] | None = None) -> AnswerDistance:
    """All distances of two distributions (K,). values: of the K options, where they are ordinal."""
    if values is None:
        return AnswerDistance(total_variation(p, q), jensen_shannon(p, q))
    return AnswerDistance(
        total_variation(p, q), jensen_shannon(p, q), wasserstein(p, q, values), representativeness(p, q, values)
    )


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """1/2 sum |p - q|."""
    return float(np.abs(_array(p) - _array(q)).sum() / 2.0)


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> float:
    """Jensen-Shannon divergence in bits (Lin 1991): H((p + q) / 2) - (H(p) + H(q)) / 2.

    It is the square of what scipy.spatial.distance.jensenshannon(p, q, 2) gives.
    """
    first, second = _array(p), _array(q)
    between = entropy((first + second) / 2.0) - (entropy(first) + entropy(second)) / 2.0
    return min(1.0, max(0.0, between))


def wasserstein(p: ArrayLike, q: ArrayLike, values: ArrayLike) -> float:
    """1-Wasserstein distance of distributions over numbers: the area between their cumulative distributions.

    values: (K,), in any order, in whose units it is.
    """
    places = _array(values)
    order = np.argsort(places, kind="stable")
    gaps = np.cumsum((_array(p) - _array(q))[order])[:-1]
    return float((np.abs(gaps) * np.diff(places[order])).sum())


def representativeness(p: ArrayLike, q: ArrayLike, values: ArrayLike) -> float | None:
    """1 - W1 / (largest value - least value), of one question (Santurkar et al. 2023); None for equal values."""
    places = _array(values)
    span = float(places.max() - places.min())
    return 1.0 - wasserstein(p, q, places) / span if span else None


def entropy(p: ArrayLike) -> float:
    """Bits, 0 to log2 K."""
    shares = _array(p)
    shares = shares[shares > 0.0]
    return max(0.0, -math.fsum(shares * np.log2(shares)))


def sampling_floor(p: ArrayLike, n: int, other: int | None = None) -> float:
    """Expected total variation that chance alone gives, exactly.

    Of the shares among n independent answers from p to p itself; with `other`, to the shares among that many further
    answers from p: the distance of two samples of one distribution. The expectation of a sum of absolute gaps is the
    sum of theirs, so the binomial distribution of each option is all that it takes. n and other: 1 or more. With
    shares of few answers in place of p it is too low; see `split_floor`.
    """
    if other is None:
        return sum(_mean_gap(share, n) for share in _array(p).tolist()) / 2.0
    return sum(_mean_gap_of_two(share, n, other) for share in _array(p).tolist()) / 2.0


def order_consistency(by_order: ArrayLike) -> float | None:
    """1 - mean total variation over all pairs of option orders, 0 to 1: 1 where the order changes nothing.

    by_order: (orders, K), the columns being the same options in each order. None for fewer than two orders.
    """
    rows = np.asarray(by_order, np.float64)
    pairs = [total_variation(a, b) for a, b in combinations(rows, 2)]
    return 1.0 - math.fsum(pairs) / len(pairs) if pairs else None


def split_floor(counts: Sequence[int], n: int, other: int) -> float:
    """Expected total variation between n and `other` of these answers that are drawn from them without replacement.

    counts: (K,) of all answers, of both sides together, at least n + other. Where both sides answer alike, any split of
    their answers is as likely as theirs, so that this is unbiased however few they are, as a permutation test is exact.
    """
    total = sum(counts)
    return sum(_mean_gap_of_split(total, count, n, other) for count in counts) / 2.0


def expected_consistency(counts: Sequence[int], of_orders: Sequence[int]) -> float | None:
    """What `order_consistency` of sampled answers is on average where the order changes nothing.

    counts: (K,) of all answers; of_orders: answers under each order, 1 or more. None for fewer than two orders.
    """
    pairs = [split_floor(counts, n, other) for n, other in combinations(of_orders, 2)]
    return 1.0 - math.fsum(pairs) / len(pairs) if pairs else None


def steerability(plain: ArrayLike, steered: ArrayLike, group: ArrayLike) -> float:
    """Total variation to a group with a persona in the prompt minus without it, -1 to 1: under 0 is closer with it."""
    return total_variation(steered, group) - total_variation(plain, group)


def _mean_gap(p: float, n: int) -> float:
    """E|X / n - p| of a binomial X (de Moivre; Diaconis and Zabell 1991): 2 (m + 1) b(m + 1) (1 - p) / n, m = [n p]."""
    if not 0.0 < p < 1.0:
        return 0.0
    m = math.floor(n * p)
    return 2.0 * (m + 1) * math.exp(_log_binomial(m + 1, n, p)) * (1.0 - p) / n if m < n else 0.0


def _mean_gap_of_two(p: float, n: int, other: int) -> float:
    """E|X / n - Y / other| of independent binomial X and Y: the integral of F (1 - G) + G (1 - F) over the shares."""
    if not 0.0 < p < 1.0:
        return 0.0
    edges = np.unique(np.concatenate([np.arange(n + 1) / n, np.arange(other + 1) / other]))
    f, g = (_cumulative(p, count)[_places(edges[:-1], count)] for count in (n, other))
    return float((np.diff(edges) * (f * (1.0 - g) + g * (1.0 - f))).sum())


@lru_cache(maxsize=4096)
def _mean_gap_of_split(total: int, count: int, n: int, other: int) -> float:
    """E|X / n - Y / other| of the counts of one option in two draws out of `total` answers that it has `count` of."""
    both = n + other
    gaps = 0.0
    for drawn in range(max(0, both - total + count), min(both, count) + 1):
        chance = math.exp(_log_split(total, count, both, drawn))
        for first in range(max(0, n - both + drawn), min(n, drawn) + 1):
            gap = abs(first / n - (drawn - first) / other)
            gaps += chance * math.exp(_log_split(both, drawn, n, first)) * gap
    return gaps


def _log_split(total: int, count: int, n: int, k: int) -> float:
    """Of the hypergeometric probability of k of `count` among n drawn out of `total`."""
    return _log_choices(count, k) + _log_choices(total - count, n - k) - _log_choices(total, n)


def _places(shares: Floats, n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The largest count out of n that gives no more than each share."""
    return np.floor(shares * n + 1e-9).astype(np.int64)


def _cumulative(p: float, n: int) -> Floats:
    """(n + 1,) the binomial distribution function."""
    summed: Floats = np.cumsum([math.exp(_log_binomial(k, n, p)) for k in range(n + 1)])
    return np.minimum(summed, 1.0)


def _log_binomial(k: int, n: int, p: float) -> float:
    return _log_choices(n, k) + k * math.log(p) + (n - k) * math.log1p(-p)


def _log_choices(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _array(values: ArrayLike) -> Floats:
    return np.asarray(values, np.float64)
