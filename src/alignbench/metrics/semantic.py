"""Scores over embeddings: cosine similarity from running sums, and classes of responses that say the same.

For unit vectors v_1..v_n the cosines of all ordered pairs of different vectors add up to |sum v|^2 - sum |v|^2, so the
mean over pairs needs only the sum of the vectors: O(dim) for a new one, whatever n is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.formula import CosineFormula, EmbeddedCell, EmbeddingFormula
from alignbench.metrics.metric import Metric
from alignbench.metrics.values import Value

CLASS_THRESHOLD = 0.8  # least cosine from which two responses are of one class; calibration raises it

EQUIVALENT = "equivalent"  # an extra of the classes: the share of pairs of responses that are of one class


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
        self._sum: Floats | None = None
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


class EmbeddedSet:
    """The unit vectors of a set by sample index, for scores that need the cosine of each pair."""

    __slots__ = ("_kernel", "_samples", "_vectors")

    def __init__(self) -> None:
        self._samples: list[int] = []
        self._vectors: list[Floats] = []
        self._kernel: Floats | None = None  # None where a vector has come since

    def __contains__(self, sample: int) -> bool:
        return sample in self._samples

    def add(self, sample: int, vector: ArrayLike) -> None:
        """Add a vector (dim,) that is not zero."""
        self._vectors.append(unit(vector))
        self._samples.append(sample)
        self._kernel = None

    def cosines(self) -> Floats:
        """(n, n), in order of arrival."""
        if self._kernel is None:
            self._kernel = np.clip(self._gram(self), -1.0, 1.0)
        return self._kernel

    def cosines_with(self, other: EmbeddedSet) -> Floats:
        """(n, m) with those of another set."""
        return np.clip(self._gram(other), -1.0, 1.0)

    def ordered_cosines(self) -> Floats:
        """(n, n), in the order of the sample indices."""
        order = np.argsort(self._samples)
        return self.cosines()[np.ix_(order, order)]

    def ordered(self) -> Floats:
        """(n, dim), in the order of the sample indices."""
        return np.array([self._vectors[i] for i in np.argsort(self._samples)], np.float64)

    def classes(self, threshold: float) -> dict[int, int]:
        """The class of each sample, see `threshold_classes`; in the order of the sample indices."""
        return dict(zip(sorted(self._samples), threshold_classes(self.ordered_cosines(), threshold), strict=True))

    def _gram(self, other: EmbeddedSet) -> Floats:
        if not self._vectors or not other._vectors:
            return np.zeros((len(self._vectors), len(other._vectors)))
        gram: Floats = np.array(self._vectors) @ np.array(other._vectors).T
        return gram


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


@dataclass(frozen=True, slots=True)
class CalibratedThreshold:
    """A threshold that is no lower than a usual one, and rises until chance alone hardly reaches it.

    Attributes:
        value: from which on two texts say the same.
        chance: what 5% of the similarities of texts of different prompts reach; None without another prompt.
        false_matches: share of these that reach the threshold; None without another prompt.
    """

    value: float
    chance: float | None = None
    false_matches: float | None = None

    @classmethod
    def of(cls, usual: float, mismatched: ArrayLike) -> CalibratedThreshold:
        """mismatched: similarities (k,) of texts of different prompts."""
        values = np.asarray(mismatched, np.float64)
        if not values.size:
            return cls(usual)
        chance = calibrated_threshold(values)
        value = max(usual, chance)
        return cls(value, chance, float((values >= value).mean()))


def classes_of_set(labels: Sequence[int]) -> dict[str, Value]:
    """The scores of a set's classes, from the class of each of its n responses: how many there are, and their entropy.

    The entropy is -sum p ln p over the shares of classes, in nats (Kuhn, Gal and Farquhar 2023, arXiv 2302.09664).
    Beside the number of classes stands the share of pairs that are of one class.
    """
    n, sizes = len(labels), Counter(labels).values()
    pairs = n * (n - 1) // 2
    equivalent = {EQUIVALENT: sum(size * (size - 1) // 2 for size in sizes) / pairs} if pairs else {}
    entropy = -math.fsum(size / n * math.log(size / n) for size in sizes)
    return {
        "semantic_classes": Value(float(len(sizes)), n, extra=equivalent),
        "semantic_entropy": Value(abs(entropy), n, extra=equivalent),
    }


def embedding_diversity(cell: EmbeddedCell) -> Value:
    """One minus the mean cosine over pairs."""
    mean = cell.mean_cosine
    return Value(None if mean is None else 1.0 - mean, cell.n_embedded)


def n_classes(cell: EmbeddedCell) -> Value:
    """How many `threshold_classes` there are."""
    return classes_of_set(threshold_classes(cell.cosines(), cell.class_threshold))["semantic_classes"]


def semantic_entropy(cell: EmbeddedCell) -> Value:
    """Of the `threshold_classes`."""
    return classes_of_set(threshold_classes(cell.cosines(), cell.class_threshold))["semantic_entropy"]


_COSINE = "cosine similarity of sentence embeddings: Reimers and Gurevych 2019, arXiv 1908.10084"

METRICS = (
    Metric(
        name="embedding_diversity",
        title="embedding diversity",
        meaning=(
            "One minus the mean cosine similarity of the responses' sentence embeddings, over pairs. It sees "
            "topics rather than words, and does not see stance."
        ),
        scope=("within",),
        low=0.0,
        high=2.0,
        more_diverse="higher",
        source=_COSINE,
        version="1",
        needs=("embeddings",),
        min_samples=2,
        formula=EmbeddingFormula(embedding_diversity),
        default=True,
        order=140,
        family="meaning",
        short="embedding div.",
    ),
    Metric(
        name="embedding_similarity",
        title="embedding similarity",
        meaning=(
            "Mean cosine similarity of a condition's responses to the reference's. Its ceiling is the reference "
            "against itself. It does not see stance."
        ),
        scope=("cross",),
        low=-1.0,
        high=1.0,
        more_diverse="",
        source=_COSINE,
        version="1",
        needs=("embeddings",),
        min_samples=1,
        formula=CosineFormula(),
        default=True,
        order=150,
        label="embeddings (cosine)",
        short="cosine",
    ),
    Metric(
        name="semantic_classes",
        title="distinct answers",
        meaning=(
            "How many different answers there are: a sample joins the first one that says the same, by embeddings (a "
            f"cosine of {CLASS_THRESHOLD} or more, which do not see stance), an NLI model or a judge. Compare it at "
            "equal n."
        ),
        scope=("within",),
        low=1.0,
        high=None,
        more_diverse="higher",
        source="distinct-k of NoveltyBench: Zhang et al. 2025, arXiv 2504.05228",
        version="1",
        needs=("embeddings",),
        min_samples=1,
        formula=EmbeddingFormula(n_classes),
        moves_with_n=True,
        is_count=True,
        order=170,
        family="meaning",
        place=1,
    ),
    Metric(
        name="semantic_entropy",
        title="semantic entropy",
        meaning=(
            "How evenly samples are spread over distinct answers, in nats: 0 where all say the same, ln n where no two "
            "do. Compare it at equal n."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="higher",
        source="Kuhn, Gal and Farquhar 2023, arXiv 2302.09664; over the classes of distinct answers",
        version="1",
        needs=("embeddings",),
        min_samples=1,
        formula=EmbeddingFormula(semantic_entropy),
        moves_with_n=True,
        order=171,
        family="meaning",
        place=1,
    ),
)
