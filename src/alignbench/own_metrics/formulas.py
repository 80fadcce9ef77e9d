"""The formulas of users' functions, as `metrics.formula` has them: what they call runs in the function's process."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.metrics.formula import Between, EmbeddedCell, EmbeddingFormula, Formula, PairFormula, SetFormula
from alignbench.metrics.values import CrossScore, PairMean, PairSimilarity, Response, Value, mean_of_pairs, too_few
from alignbench.metrics.word_table import WordTable
from alignbench.own_metrics.function import OwnFunction


def formula_of(function: OwnFunction) -> Formula:
    """Of the kind that is declared."""
    declared = function.process.declaration
    if declared.of == "pair":
        return _of_pair(function)
    if "embeddings" in declared.needs:
        return EmbeddingFormula(lambda cell: _of_embeddings(function, cell))
    return SetFormula(lambda _: _OfResponses(function))


def _of_embeddings(function: OwnFunction, cell: EmbeddedCell) -> Value:
    answer = function.of_vectors(cell.unit_vectors())
    return Value(answer.value, cell.n_embedded, answer.reason)


class _OfResponses:
    """A `RunningScore`, computed anew when it is read."""

    def __init__(self, function: OwnFunction) -> None:
        self._function = function
        self._texts: dict[int, str] = {}

    def add(self, response: Response) -> None:
        self._texts[response.sample] = response.text

    def value(self) -> Value:
        n = len(self._texts)
        if not n:
            return Value(None, 0, too_few(1, 0))
        answer = self._function.of_texts([text for _, text in sorted(self._texts.items())])
        return Value(answer.value, n, answer.reason)


def _of_pair(function: OwnFunction) -> PairFormula:
    similarities = _Similarities(function)

    def counted(table: WordTable) -> Between:
        return lambda a, b: similarities.between(table.responses[a], table.responses[b])

    return PairFormula(lambda _: _Pairs(similarities), counted, similarities.no_pairs)


class _Similarities:
    """Of pairs of responses.

    Attributes:
        reason: Why the last pair without a value has none.
    """

    def __init__(self, function: OwnFunction) -> None:
        self._function = function
        self.reason = ""

    def between(self, a: Sequence[Response], b: Sequence[Response]) -> Floats:
        """(len(a), len(b)), NaN for a pair that has none; of a response with itself it is not asked."""
        places = [(i, j) for i, one in enumerate(a) for j, other in enumerate(b) if one is not other]
        values = np.full((len(a), len(b)), math.nan)
        answers = self._function.of_pairs([(a[i].text, b[j].text) for i, j in places])
        for place, answer in zip(places, answers, strict=True):
            if answer.value is None:
                self.reason = answer.reason
            else:
                values[place] = answer.value
        return values

    def no_pairs(self, n_pairs: int) -> str:
        """Why a mean over so many pairs, none of which has a value, is null."""
        return f"no value of {n_pairs} pair{'s' if n_pairs != 1 else ''}: {self.reason}"


class _Pairs:
    """A `RunningSimilarity` that asks about all new pairs at once, when it is read."""

    def __init__(self, similarities: _Similarities) -> None:
        self._similarities = similarities
        self.no_pairs = similarities.no_pairs
        self.responses: list[Response] = []
        self._seen = 0
        self._pairs = PairMean()

    def add(self, response: Response) -> None:
        self.responses.append(response)

    @property
    def pairs(self) -> PairMean:
        for at in range(self._seen, len(self.responses)):
            before = self.responses[:at]
            self._pairs.add(self._similarities.between(before, self.responses[at : at + 1]).ravel())
        self._seen = len(self.responses)
        return self._pairs

    def value(self) -> Value:
        return mean_of_pairs(len(self.responses), self.pairs, self.no_pairs)

    def against(self, other: PairSimilarity) -> CrossScore:
        assert isinstance(other, _Pairs)
        return _CrossPairs(self._similarities, self, other)


class _CrossPairs:
    """A `CrossScore` of two sets that may still grow."""

    def __init__(self, similarities: _Similarities, a: _Pairs, b: _Pairs) -> None:
        self._similarities, self._a, self._b = similarities, a, b
        self._n_a = self._n_b = 0  # of each, how many the pairs below hold
        self._pairs = PairMean()

    def pairs(self) -> PairMean:
        a, b = self._a.responses, self._b.responses
        for some, others in ((a[self._n_a :], b[: self._n_b]), (a, b[self._n_b :])):
            self._pairs.add(self._similarities.between(some, others).ravel())
        self._n_a, self._n_b = len(a), len(b)
        return self._pairs
