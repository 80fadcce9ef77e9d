"""Exact nearest neighbours by cosine: one matrix product, and a greedy choice of near ones that differ."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignbench import cache_folder

Matrix = NDArray[np.float32]

_FIRST = 64  # neighbours that are put in order at first; more only if they are asked for


@dataclass(frozen=True, eq=False)
class NeighbourIndex:
    """Texts by their vectors, for nearest neighbours."""

    vectors: Matrix  # (n, dim), C order, rows of length 1 (or 0, for a text without a token)

    def nearest(self, query: NDArray[np.float32]) -> Iterator[tuple[int, float]]:
        """All rows by falling cosine to a unit vector (dim,), as (row, cosine); of equal ones the earlier row first.

        The same order as sorting all of them, but only as much is sorted as is taken.
        """
        cosines = self.vectors @ query.astype(np.float32)
        n, taken, size = len(cosines), 0, _FIRST
        while taken < n:
            head = self._head(cosines, min(size, n))
            yield from ((int(i), float(cosines[i])) for i in head[taken:])
            taken, size = len(head), size * 16

    @staticmethod
    def _head(cosines: Matrix, size: int) -> NDArray[np.int64]:
        """The first `size` rows in order, and those that are equal to the last of them."""
        if size < len(cosines):
            least = np.partition(cosines, len(cosines) - size)[len(cosines) - size]
            rows = np.flatnonzero(cosines >= least)
        else:
            rows = np.arange(len(cosines))
        return rows[np.argsort(-cosines[rows], kind="stable")]


def diversified(vectors: Matrix, candidates: Sequence[tuple[int, float]], k: int, weight: float) -> list[int]:
    """k rows by maximal marginal relevance (Carbonell and Goldstein 1998), in the order in which they were chosen.

    Each next one has the highest weight * similarity - (1 - weight) * the highest cosine to a row chosen before.

    Args:
        vectors: (n, dim), rows of length 1 or 0
        candidates: (row, similarity to the query)
        k: rows to choose
        weight: of similarity, over 0 and at most 1
    """
    rows = np.array([row for row, _ in candidates], np.int64)
    relevance = np.array([similarity for _, similarity in candidates], np.float64)
    closest = np.zeros(len(rows))
    left = np.ones(len(rows), bool)
    chosen: list[int] = []
    while left.any() and len(chosen) < k:
        value = np.where(left, weight * relevance - (1 - weight) * closest, -np.inf)
        best = int(np.argmax(value))
        left[best] = False
        chosen.append(int(rows[best]))
        cosines = (vectors[rows] @ vectors[rows[best]]).astype(np.float64)
        closest = cosines if len(chosen) == 1 else np.maximum(closest, cosines)
    return chosen


def load_index(path: Path) -> NeighbourIndex | None:
    """An index that was kept; None where there is none that can be read."""
    try:
        return NeighbourIndex(np.ascontiguousarray(np.load(path), np.float32))
    except (OSError, ValueError):
        return None


def keep_index(path: Path, index: NeighbourIndex) -> None:
    """Write an index for `load_index`: whole, or not at all."""
    if not cache_folder.works(path.parent):
        return
    part = path.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):  # the disk was filled meanwhile: the index is made again
        try:
            with part.open("wb") as file:
                np.save(file, index.vectors)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
