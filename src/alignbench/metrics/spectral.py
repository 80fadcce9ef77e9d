"""The Vendi score: how many different responses a set is worth, from the eigenvalues of a kernel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.formula import EmbeddingFormula, SetFormula
from alignbench.metrics.metric import COUNTS_WORDS, Metric
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import BagProducts, NgramIndex
from alignbench.metrics.values import Response, Value, too_few

VENDI_ORDERS = (1, 2)  # n-grams of the kernel


def vendi(kernel: ArrayLike, q: float = 1.0) -> float:
    """Effective number of different items, 1 (all alike) to n (nothing shared); higher is more diverse.

    kernel: (n, n), symmetric, positive semi-definite, ones on the diagonal. The exponential of the Renyi entropy of
    order q of the eigenvalues of kernel / n: q = 1 is Shannon's (Friedman and Dieng 2023, arXiv 2210.02410), a larger
    q weighs what is common more, up to math.inf, a smaller one what is rare (Pasarkar and Dieng 2024, arXiv
    2310.12952). It moves with n; beside it stands the share vendi / n. ValueError for another shape or q below 0.
    """
    k = np.asarray(kernel, dtype=np.float64)
    if k.ndim != 2 or k.shape[0] != k.shape[1] or not k.shape[0]:
        raise ValueError(f"a kernel is a square matrix; this one is {k.shape}")
    if q < 0:
        raise ValueError(f"the order of an entropy is 0 or more, not {q}")
    n = len(k)
    weights = np.linalg.eigvalsh(k / n)
    # What is 0 comes out as rounding error of either sign; at small q it would weigh like a real eigenvalue.
    weights = weights[weights > n * np.finfo(np.float64).eps]
    if q == 1:
        entropy = -float(weights @ np.log(weights))
    elif q == math.inf:
        entropy = -math.log(weights.max())
    else:
        entropy = math.log(float((weights**q).sum())) / (1.0 - q)
    return min(float(n), max(1.0, math.exp(entropy)))


class Kernel:
    """A kernel matrix with ones on its diagonal that grows by one row at a time."""

    __slots__ = ("_matrix", "n")

    def __init__(self) -> None:
        self.n = 0
        self._matrix = np.ones((8, 8))

    def add(self, similarities: ArrayLike) -> None:
        """Add an item by its similarities (n,) to those before it."""
        n = self.n
        if n == len(self._matrix):
            larger = np.ones((2 * n, 2 * n))
            larger[:n, :n] = self._matrix
            self._matrix = larger
        self._matrix[n, :n] = self._matrix[:n, n] = similarities
        self.n += 1

    @property
    def matrix(self) -> Floats:
        """(n, n), a view that the next item may change."""
        return self._matrix[: self.n, : self.n]


class VendiNgram:
    """Vendi score of order 1 under the mean cosine similarity of word counts and of word-pair counts.

    From 1 to n, higher is more diverse; stop words count. Responses without words are left out. One word has no pair:
    as to pairs such responses are alike among themselves and share nothing with others. O(n) for the n-th response,
    and the eigenvalues once when the value is read.
    """

    __slots__ = ("_index", "_kernel", "_n_empty", "_norms", "_products", "_value")

    def __init__(self, index: NgramIndex | None = None) -> None:
        self._index = NgramIndex() if index is None else index
        self._products = [BagProducts() for _ in VENDI_ORDERS]
        self._norms: list[list[float]] = [[] for _ in VENDI_ORDERS]
        self._kernel = Kernel()
        self._n_empty = 0
        self._value: Value | None = None

    def add(self, response: Response) -> None:
        self._value = None
        if not response.words:
            self._n_empty += 1
            return
        rows = []
        for order, products, norms in zip(VENDI_ORDERS, self._products, self._norms, strict=True):
            bag = self._index.bag(response, order)
            norm = math.sqrt(float(bag.counts @ bag.counts))
            dots = products.add(bag, self._index.n_distinct(order))
            rows.append(count_cosines(dots, norm, norms))
            norms.append(norm)
        self._kernel.add(np.mean(rows, axis=0))

    def value(self) -> Value:
        if self._value is None:
            self._value = vendi_ngram(self._kernel.matrix, self._n_empty)
        return self._value


def count_cosines(products: ArrayLike, norms: ArrayLike, others: ArrayLike) -> Floats:
    """Cosines of n-gram counts from their dot products and norms. Two without an n-gram are alike: 1."""
    dots = np.asarray(products, np.float64)
    a, b = np.asarray(norms, np.float64), np.asarray(others, np.float64)
    neither = (a == 0.0) & (b == 0.0)
    cosines: Floats = np.divide(dots, a * b, out=neither.astype(np.float64), where=a * b > 0.0)
    return cosines


def vendi_ngram(kernel: Floats, n_empty: int) -> Value:
    """`VendiNgram` from the mean of its kernels over the n responses with words (n, n); n_empty: the others."""
    n = len(kernel)
    if n < 2:
        return Value(None, n, too_few(2, n) + (f" with words among {n + n_empty}" if n_empty else ""))
    return vendi_value(vendi(kernel), n)


def vendi_value(score: float, n: int) -> Value:
    """The score of n responses; beside it, as `extra`, `per_sample`: its share of the largest there could be, n."""
    return Value(score, n, extra={"per_sample": score / n})


def _vendi_ngram(tables: NgramTables) -> Value:
    there = np.flatnonzero(tables.lengths)
    kernels = []
    for order in VENDI_ORDERS:
        table = tables.table(order)
        kernels.append(count_cosines(table.products, table.norms[:, None], table.norms)[np.ix_(there, there)])
    kernel = np.mean(kernels, axis=0)
    np.fill_diagonal(kernel, 1.0)
    return vendi_ngram(kernel, table.n - len(there))


METRICS = (
    Metric(
        name="vendi_ngram",
        title="Vendi score, n-grams",
        meaning=(
            "How many entirely different responses the set is worth by its words and word pairs, from 1 to the "
            "number of samples. Compare it at equal n, or divide it by n."
        ),
        scope=("within",),
        low=1.0,
        high=None,
        more_diverse="higher",
        source="Friedman and Dieng 2023, arXiv 2210.02410",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=SetFormula(VendiNgram, _vendi_ngram),
        moves_with_n=True,
        order=120,
        family="meaning",
        place=3,
    ),
    Metric(
        name="vendi_embedding",
        title="Vendi score, embeddings",
        meaning=(
            "How many entirely different responses the set is worth by its embeddings, from 1 to the number of "
            "samples. Compare it at equal n, or divide it by n. It does not see stance."
        ),
        scope=("within",),
        low=1.0,
        high=None,
        more_diverse="higher",
        source="Friedman and Dieng 2023, arXiv 2210.02410",
        version="1",
        needs=("embeddings",),
        min_samples=2,
        formula=EmbeddingFormula(lambda cell: vendi_value(vendi(cell.cosines()), cell.n_embedded)),
        moves_with_n=True,
        order=160,
        family="meaning",
        place=2,
    ),
)
