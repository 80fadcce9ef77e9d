"""The exact test of no difference that needs no distribution: under it, each prompt's difference has either sign."""

from __future__ import annotations

import numpy as np

from alignbench.metrics.arrays import Floats

MIN_TESTED = 6  # fewest prompts for a p: under them the least that it can be is over .05

_MOST_EXACT = 14  # prompts up to which all signs are tried
_FLIPS = 20_000  # drawn signs beyond
_CHUNK = 4_000_000  # signs held at once


def sign_flip_p(gaps: Floats, seed: int) -> list[float | None]:
    """Two-sided p of each column of paired differences (P, K), NaN where a prompt has none (Fisher 1935).

    The share of the 2^n ways to flip the signs of the n differences that have a mean at least as far from 0, so at
    least 2 / 2^n; over 14 prompts of 20,000 seeded flips and the signs as they are. None under 6 prompts.
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
        as_far = np.zeros(many.size)
        rng = np.random.default_rng([seed, len(gaps)])
        step = max(1, _CHUNK // len(gaps))
        for start in range(0, _FLIPS, step):
            rows = min(step, _FLIPS - start)
            as_far += _as_far(1.0 - 2.0 * rng.integers(0, 2, (rows, len(gaps))).astype(np.float64), filled)
        for k, count in zip(many.tolist(), as_far.tolist(), strict=True):
            p[k] = (count + 1.0) / (_FLIPS + 1.0)
    return p


def _as_far(signs: Floats, gaps: Floats) -> Floats:
    """(K,) how many rows of signs (rows, P) bring the sums of gaps (P, K) as far from 0 as they are, ties included."""
    rounding = 1e-12 * np.abs(gaps).sum(axis=0)
    as_far: Floats = (np.abs(signs @ gaps) >= np.abs(gaps.sum(axis=0)) - rounding).sum(axis=0).astype(np.float64)
    return as_far
