"""Scores over embeddings: cosine similarity from running sums, and classes of responses that say the same.

For unit vectors v_1..v_n the cosines of all ordered pairs of different vectors add up to |sum v|^2 - sum |v|^2, so the
mean over pairs needs only the sum of the vectors: O(dim) for a new one, whatever n is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CLASS_THRESHOLD = 0.8  # cosine from which two responses are of one class, where none was calibrated
PATIENCE = 0.8  # p of the utility: the chance that a reader goes on to the next response


def unit(vectors: ArrayLike) -> Floats:
    """Vectors (..., dim) at length 1 in double precision; ValueError where one is zero or not finite."""
    v = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(v, axis=-1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0.0)).all():
        raise ValueError("an embedding must be a finite vector that is not zero")
    unit_vectors: Floats = v / lengths
    return unit_vectors


def cosine_matrix(a: ArrayLike, b: ArrayLike) -> Floats:
    """Cosine similarities (n, m) of vectors (n, dim) and (m, dim), -1 to 1; ValueError as `unit`."""
    cosines: Floats = np.clip(unit(a) @ unit(b).T, -1.0, 1.0)
    return cosines


class Cosines:
    """Mean cosine similarity over pairs of different vectors of one set, and between two sets."""

    __slots__ = ("_squares", "_sum", "n")

    def __init__(self) -> None:
        self.n = 0
        self._sum: NDArray[np.float64] | None = None
        self._squares = 0.0

    def add(self, vector: ArrayLike) -> None:
        """Add a vector (dim,); its length is put to 1 in double precision. ValueError where that cannot be done."""
        v = np.asarray(vector, dtype=np.float64)
        length = float(np.linalg.norm(v)) if v.ndim == 1 else 0.0
        if not (0.0 < length < np.inf):
            raise ValueError("an embedding must be one finite vector that is not zero")
        if self._sum is not None and v.shape != self._sum.shape:
            raise ValueError(f"an embedding has {v.size} dimensions; expected {self._sum.size}, as those before it")
        v = v / length
        self._sum = v if self._sum is None else self._sum + v
        self._squares += float(v @ v)
        self.n += 1

    @property
    def n_pairs(self) -> int:
        return self.n * (self.n - 1) // 2

    @property
    def mean(self) -> float | None:
        """Mean over pairs of different vectors, -1 to 1; None under two."""
        if self._sum is None or self.n < 2:
            return None
        return _bounded((float(self._sum @ self._sum) - self._squares) / (self.n * (self.n - 1)))

    def mean_with(self, other: Cosines) -> float | None:
        """Mean over all pairs of a vector here and one of the other set, -1 to 1; None where one of them is empty."""
        if self._sum is None or other._sum is None:
            return None
        return _bounded(float(self._sum @ other._sum) / (self.n * other.n))


def _bounded(cosine: float) -> float:
    """Rounding must not carry a cosine out of its range."""
    return min(1.0, max(-1.0, cosine))


def classes(n: int, equivalent: Callable[[int, int], bool]) -> tuple[int, ...]:
    """The class, numbered from 0 in order of appearance, of each of n responses in sample order.

    A response joins the first class whose first member it is equivalent to, else it founds one: the greedy partition of
    NoveltyBench (Zhang et al. 2025, arXiv 2504.05228), whose count of classes is distinct-k. equivalent(i, j), for
    i < j, may ask a threshold on embeddings, an NLI model or a judge.
    """
    founders: list[int] = []
    labels = []
    for j in range(n):
        label = next((c for c, i in enumerate(founders) if equivalent(i, j)), len(founders))
        if label == len(founders):
            founders.append(j)
        labels.append(label)
    return tuple(labels)


def threshold_classes(similarities: ArrayLike, threshold: float = CLASS_THRESHOLD) -> tuple[int, ...]:
    """`classes` under a similarity matrix (n, n): equivalent where the similarity is the threshold or over it."""
    alike = np.asarray(similarities) >= threshold
    return classes(len(alike), lambda i, j: bool(alike[i, j]))


def calibrated_threshold(mismatched: ArrayLike, false_matches: float = 0.05) -> float:
    """The threshold that a share `false_matches` of the similarities (k,) of responses to different prompts reaches.

    What two answers to different prompts share by chance says how much similarity is none. ValueError without any.
    """
    values = np.asarray(mismatched, np.float64)
    if not values.size:
        raise ValueError("a threshold is calibrated on one similarity at least")
    return float(np.quantile(values, 1.0 - false_matches))


def novelty_gains(labels: Sequence[int], qualities: Sequence[float]) -> list[float]:
    """The gain of each response in order: its quality where it is the first of its class, else 0."""
    seen: set[int] = set()
    gains = []
    for label, quality in zip(labels, qualities, strict=True):
        gains.append(0.0 if label in seen else quality)
        seen.add(label)
    return gains


def novelty_utility(gains: Sequence[float], patience: float = PATIENCE) -> float:
    """(1 - p) / (1 - p^n) sum p^(i-1) gain_i: what a reader gets who goes on to the next response with chance p.

    NoveltyBench, arXiv 2504.05228. In the units of the gains (see `novelty_gains`), higher is more diverse and better.
    ValueError without a gain or unless 0 < p < 1.
    """
    if not gains or not 0.0 < patience < 1.0:
        raise ValueError(f"a utility needs a gain and 0 < p < 1; there are {len(gains)} gains and p is {patience}")
    weights = patience ** np.arange(len(gains))
    return float(weights @ np.asarray(gains, np.float64) / weights.sum())


def effective_diversity(similarities: ArrayLike, passed: Sequence[bool]) -> float | None:
    """Mean of 1 - similarity over the pairs of an (n, n) matrix, 0 for each pair with a response that did not pass.

    Effective semantic diversity (Shypula et al. 2025, arXiv 2504.12522): what diversity is left once a quality gate has
    spoken, so that noise earns nothing. Higher is more diverse; None under two responses.
    """
    s = np.asarray(similarities, np.float64)
    keep = np.asarray(passed, bool)
    n = len(s)
    if n < 2:
        return None
    i, j = np.triu_indices(n, 1)
    return float(np.where(keep[i] & keep[j], 1.0 - s[i, j], 0.0).mean())
