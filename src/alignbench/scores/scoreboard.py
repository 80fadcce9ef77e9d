"""The live scores of one cell, and of a pair of cells: each grows by one finished sample at a time.

At every step the values are those of computing from scratch over the same samples (to 1e-9, in any order).
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from alignbench.scores.lexical import (
    CrossLexicalSimilarity,
    Distinct,
    Length,
    LexicalSimilarity,
    jaccard_reason,
)
from alignbench.scores.semantic import Cosines
from alignbench.scores.values import Cross, Response, RunningScore, Value, too_few

__all__ = ["CellPair", "CellScores", "Cross", "Value"]

_PENDING = "embeddings have not arrived yet"


class CellScores:
    """Scores of one prompt under one condition. Not thread-safe."""

    def __init__(self) -> None:
        self.lexical = LexicalSimilarity()
        self.embeddings = Cosines()
        self._samples: set[int] = set()
        self._embedded: set[int] = set()
        self._scores: dict[str, RunningScore] = {
            "words": Length(),
            "jaccard": self.lexical,
            "distinct_2": Distinct(2),
        }
        self._texts: set[str] = set()  # different ones that are not empty
        self._n_empty = 0
        self._no_embeddings = _PENDING

    def __len__(self) -> int:
        return len(self._samples)

    def __contains__(self, sample: int) -> bool:
        return sample in self._samples

    def add(self, sample: int, text: str) -> None:
        """Add a finished sample; O(n) for the n-th. ValueError where the cell has this sample."""
        if sample in self._samples:
            raise ValueError(f"sample {sample} is in this cell already")
        self._samples.add(sample)
        response = Response(sample, text)
        if response.empty:
            self._n_empty += 1
        else:
            self._texts.add(text)
        for score in self._scores.values():
            score.add(response)

    def add_embedding(self, sample: int, vector: ArrayLike) -> None:
        """Add a sample's unit vector (dim,), before or after its text and in any order. Empty responses have none."""
        if sample in self._embedded:
            raise ValueError(f"sample {sample} has an embedding already")
        self.embeddings.add(vector)
        self._embedded.add(sample)

    def without_embeddings(self, reason: str) -> None:
        """Say why embeddings that are missing will not come; shown where too few are there."""
        self._no_embeddings = reason

    def within(self) -> dict[str, Value]:
        """By metric name (see `registry`); `duplicates` and `empty` are counts of responses.

        duplicates: responses that repeat another one's text exactly, empty ones left out, so that five equal texts
        count four.
        """
        n = len(self)
        duplicates = n - self._n_empty - len(self._texts)
        return {
            **{name: score.value() for name, score in self._scores.items()},
            "embedding_diversity": self._embedding_diversity(),
            "duplicates": Value(float(duplicates), n),
            "empty": Value(float(self._n_empty), n),
        }

    def too_few_embeddings(self, needed: int) -> str:
        """Why there are fewer than `needed` embeddings, empty where there are enough."""
        if self.embeddings.n >= needed:
            return ""
        not_empty = len(self) - self._n_empty
        if len(self) < needed:
            return too_few(needed, len(self))
        if not_empty < needed:
            return too_few(needed, not_empty, "non-empty sample")
        return self._no_embeddings

    def _embedding_diversity(self) -> Value:
        mean = self.embeddings.mean
        reason = self.too_few_embeddings(2)
        return Value(None if mean is None else 1.0 - mean, self.embeddings.n, reason)


class CellPair:
    """The reference's cell and another one's of the same prompt; a live view that catches up when it is read.

    With the same object on both sides it is the reference against itself: pairs of different sample index, where equal
    texts stay.
    """

    def __init__(self, reference: CellScores, other: CellScores) -> None:
        self._reference = reference
        self._other = other
        self._lexical = CrossLexicalSimilarity(reference.lexical.sets, other.lexical.sets)

    def cross(self) -> dict[str, Cross]:
        """By metric name: `jaccard` and `embedding_similarity`."""
        return {"jaccard": self._jaccard(), "embedding_similarity": self._cosine()}

    def _jaccard(self) -> Cross:
        own = self._reference.lexical.value()
        if self._reference is self._other:
            return _itself(own.value, self._reference.lexical.pairs.n, own.reason, own.skipped)
        pairs = self._lexical.pairs()
        reason = self._missing_side()
        if not reason and pairs.mean is None:
            reason = jaccard_reason(pairs.skipped)
        mmd2 = _mmd2(own.value, self._other.lexical.pairs.mean, pairs.mean)
        return Cross(pairs.mean, pairs.n, own.value, reason, own.reason, mmd2, pairs.skipped)

    def _cosine(self) -> Cross:
        a, b = self._reference.embeddings, self._other.embeddings
        ceiling_reason = self._reference.too_few_embeddings(2)
        if self._reference is self._other:
            return _itself(a.mean, a.n_pairs, ceiling_reason)
        mean = a.mean_with(b)
        reason = self._missing_side()
        if not reason and mean is None:
            reason = self._reference.too_few_embeddings(1) or self._other.too_few_embeddings(1)
        return Cross(mean, a.n * b.n, a.mean, reason, ceiling_reason, _mmd2(a.mean, b.mean, mean))

    def _missing_side(self) -> str:
        if not len(self._reference):
            return "the reference has no samples"
        return "" if len(self._other) else too_few(1, 0)


def _itself(ceiling: float | None, n_pairs: int, reason: str, skipped: int = 0) -> Cross:
    """The reference against itself: value and ceiling are one number."""
    mmd2 = None if ceiling is None else 0.0
    return Cross(ceiling, n_pairs, ceiling, reason, reason, mmd2, skipped)


def _mmd2(aa: float | None, bb: float | None, ab: float | None) -> float | None:
    """Unbiased squared maximum mean discrepancy (Gretton et al. 2012), for a similarity that is a kernel."""
    return None if aa is None or bb is None or ab is None else aa + bb - 2.0 * ab
