"""What the scores of one prompt under one condition have in common, however its words are counted.

Two kinds of cells share it: `running_cell.CellScores` grows by one finished sample at a time,
`counted_cell.CountedCell` counts a finished set in one go. How a score is computed is its `Metric.formula`; tests hold
the two kinds equal.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from alignbench.errors import InputError
from alignbench.metrics import registry
from alignbench.metrics.arrays import Floats
from alignbench.metrics.formula import EmbeddingFormula
from alignbench.metrics.semantic import CLASS_THRESHOLD, Cosines, EmbeddedSet
from alignbench.metrics.values import NON_EMPTY, WORKBENCH, PairSimilarity, Value, WordMode, too_few
from alignbench.metrics.words import is_empty

_PENDING = "embeddings have not arrived yet"


class ScoredCell(ABC):
    """Scores of one prompt under one condition. Not thread-safe."""

    def __init__(
        self, metrics: Collection[str], mode: WordMode = WORKBENCH, *, class_threshold: float = CLASS_THRESHOLD
    ) -> None:
        """metrics: scores to run (see `registry.runnable`).

        mode: how words are counted. class_threshold: cosine from which two samples are one answer. InputError for a
        score that is not there or that cells cannot run.
        """
        for name in metrics:
            if registry.metric(name).formula is None:
                raise InputError(f"{name} is not a live score; it needs {', '.join(registry.metric(name).needs)}.")
        self.metrics = tuple(name for name in registry.runnable() if name in metrics)
        self.mode = mode
        self.embeddings = Cosines()
        self.vectors = EmbeddedSet()
        self.class_threshold = class_threshold
        self._samples: set[int] = set()
        self._of_embeddings: dict[str, Value] = {}  # what was computed from those that are there
        self._texts: set[str] = set()  # different ones that are not empty
        self._n_empty = 0
        self._no_embeddings = _PENDING

    def __len__(self) -> int:
        return len(self._samples)

    def __contains__(self, sample: int) -> bool:
        return sample in self._samples

    @abstractmethod
    def similarity(self, metric: str) -> PairSimilarity:
        """The similarity over pairs behind `metric`; KeyError where this cell does not run it."""

    @property
    def n_compared(self) -> int:
        """Samples that scores compare: those that are not empty, or all where the mode has it so."""
        return len(self) if self.mode.scores_empty else len(self) - self._n_empty

    def value(self, name: str) -> Value:
        """Of a score over texts. One that empty responses are part of has its value without them beside it."""
        metric = registry.METRICS[name]
        if metric.counts_empty:
            value = self._value(name, with_empty=True)
            if self.n_compared == len(self):
                return value
            alone = self._value(name).value
            return replace(value, extra={**value.extra, NON_EMPTY: math.nan if alone is None else alone})
        value = self._value(name)
        if value.value is None and self.n_compared < metric.min_samples <= len(self):
            return replace(value, reason=too_few(metric.min_samples, self.n_compared, "non-empty sample"))
        return value

    @abstractmethod
    def _value(self, name: str, *, with_empty: bool = False) -> Value:
        """Over the samples that scores compare, or over all of them."""

    def add_embedding(self, sample: int, vector: ArrayLike) -> None:
        """Add a sample's unit vector (dim,), before or after its text and in any order. Empty responses have none.

        A zero vector says that the text has no token to embed: it is not counted, and is why a score is missing.
        """
        if sample in self.vectors:
            raise ValueError(f"sample {sample} has an embedding already")
        if not np.any(vector):
            self.without_embeddings("a response has no token to embed")
            return
        self.embeddings.add(vector)
        self.vectors.add(sample, vector)
        self._of_embeddings.clear()

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
            name: self._of_vectors(name, formula)
            if isinstance(formula := registry.METRICS[name].formula, EmbeddingFormula)
            else self.value(name)
            for name in registry.within(self.metrics)
        }
        return {**values, "duplicates": Value(float(duplicates), n), "empty": Value(float(self._n_empty), n)}

    @property
    def n_embedded(self) -> int:
        return self.embeddings.n

    @property
    def mean_cosine(self) -> float | None:
        """Over pairs of different responses that have an embedding; None under two."""
        return self.embeddings.mean

    def cosines(self) -> Floats:
        """(n, n) of the responses that have an embedding, by sample index."""
        return self.vectors.ordered_cosines()

    def unit_vectors(self) -> Floats:
        """(n, dim) of the responses that have an embedding, by sample index."""
        return self.vectors.ordered()

    def modes(self) -> dict[int, int]:
        """The class of each embedded sample by sample index, numbered from 0 (see `semantic.classes`)."""
        return self.vectors.classes(self.class_threshold)

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

    def _of_vectors(self, name: str, formula: EmbeddingFormula) -> Value:
        if reason := self.too_few_embeddings(registry.METRICS[name].min_samples):
            return Value(None, self.n_embedded, reason)
        if name not in self._of_embeddings:
            self._of_embeddings[name] = formula.value(self)
        return self._of_embeddings[name]

    def _take_up(self, sample: int, text: str) -> bool:
        """Count a finished sample; whether it is one that scores compare. ValueError where the cell has it."""
        if sample in self._samples:
            raise ValueError(f"sample {sample} is in this cell already")
        self._samples.add(sample)
        if not is_empty(text):
            self._texts.add(text)
            return True
        self._n_empty += 1
        return self.mode.scores_empty
