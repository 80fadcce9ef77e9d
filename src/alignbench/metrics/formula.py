"""How a live score is computed: by a cell that grows by one sample at a time, and by one that is counted in one go.

A formula over finished responses is enough (`of_responses`, `of_two_responses`); the four classes are for scores that
keep counts to be faster than that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.metrics.cut_texts import CutSimilarity, CutTexts
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import NgramIndex
from alignbench.metrics.values import (
    CrossScore,
    PairMean,
    PairSimilarity,
    Response,
    RunningScore,
    RunningSimilarity,
    Value,
    mean_of_pairs,
    too_few,
)
from alignbench.metrics.word_table import WordTable

Between = Callable[[slice, slice], Floats]
"""The similarities (n, m) of the responses of two slices of a `WordTable`, NaN for a pair that has none."""


@dataclass(frozen=True, slots=True)
class SetFormula:
    """A score of the texts of one set.

    Attributes:
        running: the score of an empty set, to which responses are added; the index is that of all scores of the set.
        counted: its value from the finished tables of a set, where that is faster.
    """

    running: Callable[[NgramIndex], RunningScore]
    counted: Callable[[NgramTables], Value] | None = None


@dataclass(frozen=True, slots=True)
class PairFormula:
    """A similarity of the texts of two responses: of one set the mean over its pairs, of two the mean across them.

    Attributes:
        running: the similarity inside an empty set, to which responses are added.
        counted: the similarities between finished responses.
        no_pairs: why a mean over so many pairs, none of which has a similarity, is null.
        cut: the similarities between responses cut to equal lengths, of a similarity that longer responses have more of
            by chance; None for any other.
    """

    running: Callable[[NgramIndex], RunningSimilarity]
    counted: Callable[[WordTable], Between]
    no_pairs: Callable[[int], str]
    cut: Callable[[CutTexts], CutSimilarity] | None = None


class EmbeddedCell(Protocol):
    """What a cell knows of the embeddings of its responses."""

    class_threshold: float

    @property
    def n_embedded(self) -> int: ...

    @property
    def mean_cosine(self) -> float | None:
        """Over pairs of different responses, -1 to 1; None under two."""
        ...

    def cosines(self) -> Floats:
        """(n, n), in the order of the sample indices."""
        ...

    def unit_vectors(self) -> Floats:
        """(n, dim), in the order of the sample indices."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddingFormula:
    """A score of the embeddings of one set, of `Metric.min_samples` or more."""

    value: Callable[[EmbeddedCell], Value]


@dataclass(frozen=True, slots=True)
class CosineFormula:
    """The mean cosine of the embeddings of two sets."""


Formula = SetFormula | PairFormula | EmbeddingFormula | CosineFormula


def of_responses(score: Callable[[Sequence[Response]], float | None], min_samples: int = 1) -> SetFormula:
    """The formula of a function of the responses of a set, in the order of their sample indices. Empty ones are among
    them where the mode or the metric (`Metric.counts_empty`) says so.

    It is computed anew when the value is read. None from it: the responses have nothing to score.
    """
    return SetFormula(lambda _: _Recomputed(score, min_samples))


def share_of_responses(holds: Callable[[str], bool]) -> SetFormula:
    """The formula of the share of responses of which something holds, by their text."""

    def share(responses: Sequence[Response]) -> float | None:
        return sum(holds(response.text) for response in responses) / len(responses) if responses else None

    return of_responses(share)


def of_two_responses(similarity: Callable[[Response, Response], float | None]) -> PairFormula:
    """The formula of a symmetric similarity of two responses; None from it leaves the pair out."""

    def counted(table: WordTable) -> Between:
        return lambda a, b: _similarities(similarity, table.responses[a], table.responses[b])

    return PairFormula(lambda _: _Pairs(similarity), counted, _no_similarity)


def _similarities(
    similarity: Callable[[Response, Response], float | None], a: Sequence[Response], b: Sequence[Response]
) -> Floats:
    pairs = (similarity(one, other) for one in a for other in b)
    return np.array([math.nan if each is None else each for each in pairs], np.float64).reshape(len(a), len(b))


def _no_similarity(n_pairs: int) -> str:
    return f"nothing to compare in {n_pairs} pair{'s' if n_pairs != 1 else ''}"


class _Recomputed:
    """A `RunningScore` of a function of finished responses."""

    def __init__(self, score: Callable[[Sequence[Response]], float | None], min_samples: int) -> None:
        self._score, self._min_samples = score, min_samples
        self._responses: dict[int, Response] = {}
        self._value: Value | None = None  # None where a response has come since

    def add(self, response: Response) -> None:
        self._responses[response.sample] = response
        self._value = None

    def value(self) -> Value:
        n = len(self._responses)
        if n < self._min_samples:
            return Value(None, n, too_few(self._min_samples, n))
        if self._value is None:
            value = self._score([response for _, response in sorted(self._responses.items())])
            self._value = Value(value, n, "" if value is not None else "nothing to score in the responses")
        return self._value


class _Pairs:
    """A `PairSimilarity` of a function of two responses."""

    def __init__(self, similarity: Callable[[Response, Response], float | None]) -> None:
        self.similarity = similarity
        self.responses: list[Response] = []
        self.pairs = PairMean()

    def add(self, response: Response) -> None:
        self.pairs.add(_similarities(self.similarity, self.responses, [response]).ravel())
        self.responses.append(response)

    def value(self) -> Value:
        return mean_of_pairs(len(self.responses), self.pairs, self.no_pairs)

    def no_pairs(self, n_pairs: int) -> str:
        return _no_similarity(n_pairs)

    def against(self, other: PairSimilarity) -> CrossScore:
        assert isinstance(other, _Pairs)
        return _CrossPairs(self, other)


class _CrossPairs:
    """A `CrossScore` of two sets that may still grow."""

    def __init__(self, a: _Pairs, b: _Pairs) -> None:
        self._a, self._b = a, b
        self._n_a = self._n_b = 0  # of each, how many the pairs below hold
        self._pairs = PairMean()

    def pairs(self) -> PairMean:
        a, b = self._a.responses, self._b.responses
        for some, others in ((a[self._n_a :], b[: self._n_b]), (a, b[self._n_b :])):
            self._pairs.add(_similarities(self._a.similarity, some, others).ravel())
        self._n_a, self._n_b = len(a), len(b)
        return self._pairs
