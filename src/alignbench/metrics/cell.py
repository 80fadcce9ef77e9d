"""What the scores of one prompt under one condition have in common, however its words are counted.

Two kinds of cells share it: `scoreboard.CellScores` grows by one finished sample at a time, `bulk.CountedCell` counts a
finished set in one go. The formulas are functions of counts, beside the score each belongs to (`distinct`, `self_bleu`,
`jaccards`...); a cell of either kind has the counts to put into them, and tests hold the two equal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

from numpy.typing import ArrayLike

from alignbench.errors import InputError
from alignbench.metrics import registry
from alignbench.metrics.semantic import CLASS_THRESHOLD, Cosines
from alignbench.metrics.spectral import EmbeddedSet, vendi_value
from alignbench.metrics.values import WORKBENCH, PairSimilarity, Value, WordMode, too_few

_PENDING = "embeddings have not arrived yet"
_SEMANTIC = frozenset(name for name in registry.LIVE if "embeddings" in registry.METRICS[name].needs)


class ScoredCell(ABC):
    """Scores of one prompt under one condition. Not thread-safe."""

    def __init__(
        self, metrics: Collection[str], mode: WordMode = WORKBENCH, *, class_threshold: float = CLASS_THRESHOLD
    ) -> None:
        """metrics: live scores to run (see `registry.LIVE`).

        mode: how words are counted. class_threshold: cosine from which two samples are one answer. InputError for a
        score that is not there or not live.
        """
        for name in metrics:
            if not registry.metric(name).live:
                raise InputError(f"{name} is not a live score; it needs {', '.join(registry.metric(name).needs)}.")
        self.metrics = tuple(name for name in registry.LIVE if name in metrics)
        self.mode = mode
        self.embeddings = Cosines()
        self.vectors = EmbeddedSet()
        self._class_threshold = class_threshold
        self._samples: set[int] = set()
        self._embedded: set[int] = set()
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

    @abstractmethod
    def _value(self, name: str) -> Value:
        """Of a score over texts."""

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
            name: self._semantic(name) if name in _SEMANTIC else self._value(name)
            for name in registry.within(self.metrics)
        }
        return {**values, "duplicates": Value(float(duplicates), n), "empty": Value(float(self._n_empty), n)}

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
            return vendi_value(self.vectors.vendi(), n)
        return Value(float(len(set(self.modes().values()))), n)

    def _take_up(self, sample: int, text: str) -> None:
        """Count a finished sample. ValueError where the cell has it."""
        if sample in self._samples:
            raise ValueError(f"sample {sample} is in this cell already")
        self._samples.add(sample)
        if text.strip():
            self._texts.add(text)
        else:
            self._n_empty += 1
