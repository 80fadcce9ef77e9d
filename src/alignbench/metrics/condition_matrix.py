"""Mean similarity of the responses of each two conditions to one prompt, and of each condition's to each other.

After Jiang et al. 2025 (arXiv 2510.22954): within a condition the mean over pairs of different samples, on the
diagonal; between two over all pairs. Equal texts of different samples stay.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.semantic import unit


def mean_cosines(sets: Sequence[ArrayLike]) -> Floats:
    """(C, C) of C sets of vectors (n, dim), none of them zero; symmetric, -1 to 1.

    NaN for a set that is empty, and on the diagonal for a set of one. The sums of unit vectors are all that a mean over
    pairs needs, so it costs one product of (C, dim) matrices, however many samples there are.
    """
    counts = np.array([len(np.asarray(vectors)) for vectors in sets], np.float64)
    totals = [unit(vectors).sum(axis=0) if n else None for vectors, n in zip(sets, counts, strict=True)]
    dim = next((len(total) for total in totals if total is not None), 0)
    sums = np.array([np.zeros(dim) if total is None else total for total in totals]).reshape(len(sets), dim)
    products = sums @ sums.T
    pairs = np.outer(counts, counts)
    np.fill_diagonal(products, products.diagonal() - counts)  # each with itself
    np.fill_diagonal(pairs, counts * (counts - 1))
    means: Floats = np.full(products.shape, np.nan)
    np.divide(products, pairs, out=means, where=pairs > 0)
    return np.clip(means, -1.0, 1.0, out=means)


def mean_blocks(similarities: ArrayLike, sizes: Sequence[int]) -> Floats:
    """(C, C) of the similarities (N, N) of N responses, C sets of these sizes one after the other; symmetric.

    A pair without a similarity is NaN and left out; NaN where no pair is left.
    """
    s = np.array(similarities, np.float64)
    np.fill_diagonal(s, np.nan)
    ends = np.cumsum([0, *sizes])
    means = np.full((len(sizes), len(sizes)), np.nan)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        for i in range(len(sizes)):
            for j in range(i, len(sizes)):
                block = s[ends[i] : ends[i + 1], ends[j] : ends[j + 1]]
                means[i, j] = means[j, i] = np.nanmean(block) if block.size else np.nan
    return means
