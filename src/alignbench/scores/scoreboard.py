"""The live scores of one cell, and of a pair of cells: each grows by one finished sample at a time.

At every step the values are those of computing from scratch over the same samples (to 1e-9, in any order).
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.errors import InputError
from alignbench.scores import registry
from alignbench.scores.compression import CompressionRatio
from alignbench.scores.diversity import Distinct, ExpectationAdjustedDistinct, Mattr, NgramDiversity, SelfRepetition
from alignbench.scores.lexical import Length, LexicalSimilarity, content_ngrams, content_stems
from alignbench.scores.ngrams import NgramIndex
from alignbench.scores.overlap import RougeL, SelfBleu
from alignbench.scores.paper import stem
from alignbench.scores.semantic import CLASS_THRESHOLD, Cosines
from alignbench.scores.spectral import EmbeddedSet, VendiNgram
from alignbench.scores.statistics import mmd2
from alignbench.scores.values import (
    WORKBENCH,
    Cross,
    CrossScore,
    Mode,
    PairScore,
    Response,
    RunningScore,
    Value,
    too_few,
)

__all__ = ["CellPair", "CellScores", "Cross", "Value"]

_PENDING = "embeddings have not arrived yet"
_SEMANTIC = frozenset(name for name in registry.LIVE if "embeddings" in registry.METRICS[name].needs)

_SCORES: dict[str, Callable[[NgramIndex], RunningScore]] = {
    "words": lambda _: Length(),
    "jaccard": lambda _: LexicalSimilarity(),
    "jaccard_2": lambda _: LexicalSimilarity(content_ngrams(2)),
    "jaccard_stem": lambda _: LexicalSimilarity(content_stems(stem)),
    "rouge_l": RougeL,
    "self_bleu": SelfBleu,
    "distinct_1": lambda index: Distinct(1, index),
    "distinct_2": lambda index: Distinct(2, index),
    "distinct_3": lambda index: Distinct(3, index),
    "ead_1": ExpectationAdjustedDistinct,
    "ngram_diversity": NgramDiversity,
    "compression_ratio": lambda _: CompressionRatio(),
    "self_repetition": SelfRepetition,
    "vendi_ngram": VendiNgram,
    "mattr": Mattr,
}
_PAIRED = tuple(name for name in registry.cross(registry.LIVE) if name in _SCORES)


class CellScores:
    """Scores of one prompt under one condition. Not thread-safe."""

    def __init__(
        self,
        metrics: Collection[str] = registry.DEFAULT,
        mode: Mode = WORKBENCH,
        *,
        class_threshold: float = CLASS_THRESHOLD,
    ) -> None:
        """metrics: live scores to run (see `registry.LIVE`).

        mode: how words are counted. class_threshold: cosine from which two samples are one answer. InputError for a
        score that is not there or not live; AlignbenchError where `jaccard_stem` finds no NLTK.
        """
        for name in metrics:
            if not registry.metric(name).live:
                raise InputError(f"{name} is not a live score; it needs {', '.join(registry.metric(name).needs)}.")
        if "jaccard_stem" in metrics:
            stem("")
        index = NgramIndex()
        self.metrics = tuple(name for name in registry.LIVE if name in metrics)
        self.mode = mode
        self.embeddings = Cosines()
        self.vectors = EmbeddedSet()
        self._class_threshold = class_threshold
        self._samples: set[int] = set()
        self._embedded: set[int] = set()
        self._scores = {name: _SCORES[name](index) for name in metrics if name in _SCORES}
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
        response = Response(sample, text, self.mode)
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
        self.vectors.add(sample, vector)
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
        values = {
            name: self._semantic(name) if name in _SEMANTIC else self._scores[name].value()
            for name in registry.within(self.metrics)
        }
        return {**values, "duplicates": Value(float(duplicates), n), "empty": Value(float(self._n_empty), n)}

    def similarity(self, metric: str) -> PairScore:
        """The running similarity over pairs behind `metric`; KeyError where this cell does not run it."""
        score: PairScore = self._scores[metric]  # type: ignore[assignment]
        return score

    def modes(self) -> dict[int, int]:
        """The class of each embedded sample by sample index, numbered from 0 (see `semantic.classes`)."""
        return self.vectors.classes(self._class_threshold)

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

    def _semantic(self, name: str) -> Value:
        n = self.embeddings.n
        reason = self.too_few_embeddings(registry.METRICS[name].min_samples)
        if reason:
            return Value(None, n, reason)
        if name == "embedding_diversity":
            mean = self.embeddings.mean
            return Value(None if mean is None else 1.0 - mean, n)
        if name == "vendi_embedding":
            return Value(self.vectors.vendi(), n)
        return Value(float(len(set(self.modes().values()))), n)


class CellPair:
    """The reference's cell and another one's of the same prompt; a live view that catches up when it is read.

    With the same object on both sides it is the reference against itself: pairs of different sample index, where equal
    texts stay. It holds the scores that both cells run.
    """

    def __init__(self, reference: CellScores, other: CellScores) -> None:
        if reference.mode is not other.mode:
            raise ValueError("two cells whose words are counted in different modes do not compare")
        self._reference = reference
        self._other = other
        self._metrics = registry.cross(tuple(name for name in reference.metrics if name in other.metrics))
        self._between: dict[str, CrossScore] = {
            name: reference.similarity(name).against(other.similarity(name))
            for name in self._metrics
            if name in _PAIRED and reference is not other
        }

    def cross(self) -> dict[str, Cross]:
        """By metric name (see `registry`)."""
        return {name: self._pairs(name) if name in _PAIRED else self._cosine() for name in self._metrics}

    def similarities(self, metric: str) -> NDArray[np.float64]:
        """The similarities of single pairs (k,) whose mean is the value of `metric`, in no particular order.

        KeyError where the pair does not run it.
        """
        itself = self._reference is self._other
        if metric == "embedding_similarity":
            a, b = self._reference.vectors, self._other.vectors
            cosines = a.cosines() if itself else a.cosines_with(b)
            return cosines[np.triu_indices(len(cosines), 1)] if itself else cosines.ravel()
        if itself:
            return np.array(self._reference.similarity(metric).pairs.values)
        return np.array(self._between[metric].pairs().values)

    def _pairs(self, name: str) -> Cross:
        score = self._reference.similarity(name)
        own = score.value()
        if self._reference is self._other:
            return _itself(own.value, score.pairs.n, own.reason, own.skipped)
        pairs = self._between[name].pairs()
        reason = self._missing_side()
        if not reason and pairs.mean is None:
            reason = score.no_pairs(pairs.skipped)
        distance = mmd2(own.value, self._other.similarity(name).pairs.mean, pairs.mean)
        return Cross(pairs.mean, pairs.n, own.value, reason, own.reason, distance, pairs.skipped)

    def _cosine(self) -> Cross:
        a, b = self._reference.embeddings, self._other.embeddings
        ceiling_reason = self._reference.too_few_embeddings(2)
        if self._reference is self._other:
            return _itself(a.mean, a.n_pairs, ceiling_reason)
        mean = a.mean_with(b)
        reason = self._missing_side()
        if not reason and mean is None:
            reason = self._reference.too_few_embeddings(1) or self._other.too_few_embeddings(1)
        return Cross(mean, a.n * b.n, a.mean, reason, ceiling_reason, mmd2(a.mean, b.mean, mean))

    def _missing_side(self) -> str:
        if not len(self._reference):
            return "the reference has no samples"
        return "" if len(self._other) else too_few(1, 0)


def _itself(ceiling: float | None, n_pairs: int, reason: str, skipped: int = 0) -> Cross:
    """The reference against itself: value and ceiling are one number."""
    distance = None if ceiling is None else 0.0
    return Cross(ceiling, n_pairs, ceiling, reason, reason, distance, skipped)
