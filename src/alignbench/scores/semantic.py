"""Scores over embeddings: cosine similarity from running sums, exact at every step.

For unit vectors v_1..v_n the cosines of all ordered pairs of different vectors add up to |sum v|^2 - sum |v|^2, so the
mean over pairs needs only the sum of the vectors: O(dim) for a new one, whatever n is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
