"""Anchor spans: runs of words that many responses to one prompt have in common, word for word.

After Li et al. 2024 (arXiv 2407.02446): an aligned model plans around phrases that come back in most of its responses.
A run counts where so many different responses have it, its own among them; a word is in an anchor where a run around
it counts. Words are those of the mode, case folded, stop words included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.formula import SetFormula
from alignbench.metrics.metric import COUNTS_WORDS, Metric
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import Ints, NgramIndex, Vocabulary
from alignbench.metrics.values import Response, Value, too_few

LEAST = 5  # words of a run
SHARE = 0.5  # of a prompt's responses

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AnchorSpan:
    """A run of words that is in no longer one which as many responses need to have.

    Attributes:
        words: In order.
        holders: Places of the responses that have it, two or more.
    """

    words: tuple[str, ...]
    holders: tuple[int, ...]


def holders_needed(n: int, share: float = SHARE) -> int:
    """How many of n responses must have a run: this share of them, and two at least.

    ValueError unless 0 < share <= 1."""
    if not 0.0 < share <= 1.0:
        raise ValueError(f"a share of responses is over 0 and up to 1; this one is {share}")
    return max(2, math.ceil(share * n - 1e-9))


def anchored_words(responses: Sequence[Sequence[str]], least: int = LEAST, share: float = SHARE) -> list[Flags]:
    """Of each word of each response (its words in order) whether it is in an anchor. ValueError unless least is 1 or
    more, or as `holders_needed`."""
    tables = _tables(responses)
    flags = _anchored(tables, least, share)
    return np.split(flags, np.cumsum(tables.lengths)[:-1]) if len(responses) else []


def anchor_share(responses: Sequence[Sequence[str]], least: int = LEAST, share: float = SHARE) -> float | None:
    """Share of all words of the responses that are in anchors, 0 to 1; None under two responses or without a word."""
    return _share(_tables(responses), least, share).value


def anchor_spans(
    responses: Sequence[Sequence[str]], least: int = LEAST, share: float = SHARE
) -> tuple[AnchorSpan, ...]:
    """The anchors themselves, each once: those that most responses have first, then the longest.

    A run is listed where one response at least goes on, on both sides of it, with words that too few others go on with.
    """
    tables = _tables(responses)
    needed = holders_needed(len(responses), share)
    begins = _begins(tables, least, needed)
    runs = _Runs(tables, np.flatnonzero(begins).tolist(), least, needed)
    ends = np.cumsum(tables.lengths).tolist()
    holders: dict[tuple[int, ...], set[int]] = {}
    seen: set[tuple[str, ...]] = set()
    for response, end in zip(responses, ends, strict=True):
        if (said := tuple(response)) in seen:
            continue
        seen.add(said)
        reached = end - len(said)  # how far the runs reach that begin before the one at hand
        for at in (np.flatnonzero(begins[reached:end]) + reached).tolist():
            within = at + least <= reached
            if within and (reached == end or not begins[reached - least + 1]):
                continue  # it goes no further than the run around it
            last, owners = runs.longest(at, reached if within else at + least, end)
            if last > reached or not within:
                reached = last
                holders[tuple(runs.numbers[at:last])] = owners
    words = dict(zip(runs.numbers, (word for response in responses for word in response), strict=True))
    spans = [AnchorSpan(tuple(words[n] for n in run), tuple(sorted(own))) for run, own in holders.items()]
    return tuple(sorted(spans, key=lambda span: (-len(span.holders), -len(span.words))))


class _Runs:
    """Runs of words that enough responses have, by where they begin among the words of all of them."""

    def __init__(self, tables: NgramTables, starts: Sequence[int], least: int, needed: int) -> None:
        self.numbers: list[int] = tables.words.tolist()
        self._owners: list[int] = tables.owners.tolist()
        self._ends = np.cumsum(tables.lengths).tolist()
        self._least, self._needed = least, needed
        self._alike: dict[tuple[int, ...], list[int]] = {}
        self._reached: dict[tuple[int, ...], tuple[int, list[int]]] = {}  # the longest run that began so, and where
        for at in starts:
            self._alike.setdefault(tuple(self.numbers[at : at + least]), []).append(at)

    def longest(self, at: int, known: int, end: int) -> tuple[int, set[int]]:
        """Where the longest run that begins at a word ends, and who has it. known: it ends no sooner."""
        first = tuple(self.numbers[at : at + self._least])
        length, places = self._reached.get(first, (0, []))
        if length < known - at or at not in places:  # no other response has gone the same way before
            run, length = self.numbers[at:known], known - at
            places = [p for p in self._alike[first] if self.numbers[p : self._stop(p, length)] == run]
        while at + length < end:
            following = self.numbers[at + length]
            going_on = [p for p in places if self.numbers[p + length : self._stop(p, length + 1)] == [following]]
            if len({self._owners[p] for p in going_on}) < self._needed:
                break
            length, places = length + 1, going_on
        self._reached[first] = length, places
        return at + length, {self._owners[p] for p in places}

    def _stop(self, at: int, length: int) -> int:
        """No run reaches into the next response."""
        return int(min(at + length, self._ends[self._owners[at]]))


def _tables(responses: Sequence[Sequence[str]]) -> NgramTables:
    vocabulary = Vocabulary()
    return NgramTables([vocabulary.numbers(response) for response in responses])


def _begins(tables: NgramTables, least: int, needed: int) -> Flags:
    """Of each word whether a run of `least` words begins there that so many responses have."""
    if least < 1:
        raise ValueError(f"a run has a word or more; this one has {least}")
    table = tables.table(least)
    holders = np.bincount(table.grams, minlength=table.n_distinct)
    places, numbers = tables.begins(least)
    begins = np.zeros(len(tables.words), np.bool_)
    begins[places] = holders[numbers] >= needed
    return begins


def _anchored(tables: NgramTables, least: int, share: float) -> Flags:
    """Of each word of all responses, one after the other; an n-gram never reaches into the next response."""
    begins = _begins(tables, least, holders_needed(len(tables.lengths), share))
    so_far: Ints = np.cumsum(np.concatenate((np.zeros(least, np.int64), begins)), dtype=np.int64)
    anchored: Flags = so_far[least:] > so_far[:-least]
    return anchored


def _share(tables: NgramTables, least: int = LEAST, share: float = SHARE) -> Value:
    n, n_words = len(tables.lengths), len(tables.words)
    if n < 2:
        return Value(None, n, too_few(2, n))
    if not n_words:
        return Value(None, n, "no response has a word")
    return Value(float(_anchored(tables, least, share).mean()), n)


class AnchorShare:
    """`anchor_share` of a set that grows; counted anew when it is read."""

    __slots__ = ("_index", "_sequences", "_value")

    def __init__(self, index: NgramIndex | None = None) -> None:
        self._index = NgramIndex() if index is None else index
        self._sequences: list[Ints] = []
        self._value: Value | None = None  # None where a response has come since

    def add(self, response: Response) -> None:
        self._sequences.append(self._index.sequence(response))
        self._value = None

    def value(self) -> Value:
        if self._value is None:
            self._value = _share(NgramTables(self._sequences))
        return self._value


METRICS = (
    Metric(
        name="anchor_share",
        title="words in anchor spans",
        meaning=(
            f"Share of the words that stand in runs of {LEAST} words or more which at least {SHARE:.0%} of the "
            "prompt's responses have, word for word: the phrases a model writes around. Longer responses have more of "
            "them, and the number of responses moves it; compare it at equal n."
        ),
        scope=("within",),
        low=0.0,
        high=1.0,
        more_diverse="lower",
        source="Li et al. 2024, arXiv 2407.02446; exact runs in place of their alignment of sequences",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=SetFormula(AnchorShare, _share),
        moves_with_n=True,
        order=115,
        family="repetition",
    ),
)
