"""What scores take in and give back."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.metrics.words import STOP_WORDS, VERSION, is_empty, words


@dataclass(frozen=True, slots=True)
class WordMode:
    """How a text becomes words; scores of two modes never meet in one comparison."""

    name: str
    version: str  # of the tokenizer and its stop list
    words: Callable[[str], tuple[str, ...]]  # the words of a text in order, stop words included
    stop_words: frozenset[str]
    piecewise: bool = False  # whether they are the words of its pieces between white space, one piece after the other
    scores_empty: bool = (
        False  # whether an empty response is compared with others, as one that shares nothing with them
    )


NON_EMPTY = "non_empty"  # an extra of scores that empty responses are part of: the value without them

WORKBENCH = WordMode("workbench", f"words{VERSION}", words, STOP_WORDS, piecewise=True)


@dataclass(frozen=True)
class Response:
    """One finished sample as the scores see it: its index in the cell and its text, tokenized once."""

    sample: int
    text: str
    mode: WordMode = WORKBENCH

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Words in order, stop words included."""
        return self.mode.words(self.text)

    @cached_property
    def content(self) -> frozenset[str]:
        """The set of its words without stop words; may be empty though the text is not."""
        return frozenset(self.words) - self.mode.stop_words

    @cached_property
    def content_words(self) -> tuple[str, ...]:
        """Its words in order without stop words."""
        content = self.content
        return tuple([word for word in self.words if word in content])

    @property
    def empty(self) -> bool:
        """Nothing in it can be seen (see `is_empty`)."""
        return is_empty(self.text)


@dataclass(frozen=True, slots=True)
class Value:
    """A score of one cell.

    Attributes:
        value: None where there is too little to score, and `reason` says why
        n: samples it rests on: without the empty ones, but for counts and length
        sd: standard deviation over samples (n - 1 in the denominator) where the score has one
        skipped: pairs left out because neither response has a content word
        extra: the same score in other units, by the name under which it is shown
    """

    value: float | None
    n: int
    reason: str = ""
    sd: float | None = None
    skipped: int = 0
    extra: Mapping[str, float] = field(default_factory=dict)


class RunningScore(Protocol):
    """A score of one set that grows by one response at a time, in at most O(n) for the n-th."""

    def add(self, response: Response) -> None: ...

    def value(self) -> Value: ...


@dataclass(frozen=True, slots=True)
class Cross:
    """A similarity of one cell to the reference's cell of the same prompt.

    Attributes:
        value: mean over pairs (a of the reference, b of the other); the reference against itself takes pairs of
            different sample index only
        ceiling: that very number of the reference against itself
        mmd2: s(A,A) + s(B,B) - 2 s(A,B) from means over distinct pairs, 0 where both are the same distribution,
            possibly below 0 by chance. What cannot be computed is None; reason and ceiling_reason say why.
        skipped, extra: as in `Value`
        weight: of the prompt among others: of a rate what it is taken over, so that prompts add up to all over all
    """

    value: float | None
    n_pairs: int
    ceiling: float | None
    reason: str = ""
    ceiling_reason: str = ""
    mmd2: float | None = None
    skipped: int = 0
    extra: Mapping[str, float] = field(default_factory=dict)
    weight: float = 1.0


def too_few(needed: int, there: int, what: str = "sample") -> str:
    """Why a score is null when it needs more samples than there are."""
    return f"needs {needed} {what}{'s' if needed != 1 else ''}, has {there}"


class PairMean:
    """Running mean of a similarity over pairs; pairs without a similarity (NaN) are skipped and counted."""

    __slots__ = ("_total", "skipped", "values")

    def __init__(self) -> None:
        self.values = array("d")
        self.skipped = 0
        self._total = 0.0

    def add(self, similarities: Floats) -> None:
        """Add those of single pairs (k,)."""
        there = similarities[~np.isnan(similarities)]
        self.skipped += similarities.size - there.size
        self.values.frombytes(there.tobytes())
        self._total += float(there.sum())

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float | None:
        """None without a pair."""
        return self._total / self.n if self.n else None


def mean_of_pairs(n: int, pairs: PairMean, no_pairs: Callable[[int], str]) -> Value:
    """The mean over the pairs of n responses. no_pairs: why it is null where all of so many pairs were skipped."""
    if n < 2:
        return Value(None, n, too_few(2, n))
    return Value(pairs.mean, n, "" if pairs.n else no_pairs(pairs.skipped), skipped=pairs.skipped)


class PairSimilarity(Protocol):
    """A similarity over pairs of one set, which can also be taken between two sets."""

    @property
    def pairs(self) -> PairMean: ...

    def value(self) -> Value: ...

    def no_pairs(self, n_pairs: int) -> str:
        """Why a mean over `n_pairs` pairs, all of them skipped, is null."""
        ...

    def against(self, other: PairSimilarity) -> CrossScore:
        """Over the pairs of one response here and one of the other set. Both are scores of one kind."""
        ...


class RunningSimilarity(RunningScore, PairSimilarity, Protocol):
    """A similarity over pairs of a set that grows by one response at a time."""


class CrossScore(Protocol):
    """A similarity between two sets that may still grow."""

    def pairs(self) -> PairMean:
        """Over all that is there now: O(n) for each response that is new since the last call."""
        ...
