"""The exact test of no difference that needs no distribution: under it, each prompt's difference has either sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from alignbench.metrics.arrays import Floats

MIN_TESTED = 6  # fewest prompts for a p: under them the least that it can be is over .05

FLIPS = 20_000  # drawn signs where there are more prompts than all signs can be tried for

_MOST_EXACT = 14  # prompts up to which all signs are tried
_CHUNK = 4_000_000  # signs held at once
_KEPT = 1_000_000  # most of them that are kept for the next use


def sign_flip_p(gaps: Floats, seed: int, flips: int = FLIPS) -> list[float | None]:
    """Two-sided p of each column of paired differences (P, K), NaN where a prompt has none (Fisher 1935).

    The share of the 2^n ways to flip the signs of the n differences that have a mean at least as far from 0, so at
    least 2 / 2^n; over 14 prompts of so many seeded flips and the signs as they are. None under 6 prompts.
    """
    there = ~np.isnan(gaps)
    counts = there.sum(axis=0)
    p: list[float | None] = [None] * gaps.shape[1]
    for n in np.unique(counts[(counts >= MIN_TESTED) & (counts <= _MOST_EXACT)]).tolist():
        columns = np.flatnonzero(counts == n)
        present = np.array([gaps[there[:, k], k] for k in columns]).T
        # The first sign stays: flipping all of them changes no distance from 0.
        patterns = np.arange(2 ** (n - 1))[:, None] >> np.arange(n)[None, :] & 1
        as_far = _as_far(1.0 - 2.0 * patterns.astype(np.float64), present)
        for k, count in zip(columns.tolist(), as_far.tolist(), strict=True):
            p[k] = count / 2 ** (n - 1)
    many = np.flatnonzero(counts > _MOST_EXACT)
    if many.size:
        filled = np.where(there, gaps, 0.0)[:, many]
        as_far = np.sum([_as_far(signs, filled) for signs in _drawn(len(gaps), flips, seed)], axis=0)
        for k, count in zip(many.tolist(), as_far.tolist(), strict=True):
            p[k] = (count + 1.0) / (flips + 1.0)
    return p


def _drawn(n: int, flips: int, seed: int) -> Iterable[Floats]:
    """Seeded signs (rows, n), in pieces where they are many; a report asks for the same ones many times."""
    return _kept(n, flips, seed) if flips * n <= _KEPT else _pieces(n, flips, seed)


@lru_cache(maxsize=4)
def _kept(n: int, flips: int, seed: int) -> tuple[Floats, ...]:
    return tuple(_pieces(n, flips, seed))


def _pieces(n: int, flips: int, seed: int) -> Iterator[Floats]:
    rng = np.random.default_rng([seed, n])
    step = max(1, _CHUNK // n)
    for start in range(0, flips, step):
        yield 1.0 - 2.0 * rng.integers(0, 2, (min(step, flips - start), n)).astype(np.float64)


def _as_far(signs: Floats, gaps: Floats) -> Floats:
    """(K,) how many rows of signs (rows, P) bring the sums of gaps (P, K) as far from 0 as they are, ties included."""
    rounding = 1e-12 * np.abs(gaps).sum(axis=0)
    as_far: Floats = (np.abs(signs @ gaps) >= np.abs(gaps.sum(axis=0)) - rounding).sum(axis=0).astype(np.float64)
    return as_far
