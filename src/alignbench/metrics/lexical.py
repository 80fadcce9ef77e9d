"""Scores over words: length and lexical similarity. All of them grow by one response at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Set

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics import cut_sets
from alignbench.metrics.arrays import Floats
from alignbench.metrics.cut_sets import jaccards
from alignbench.metrics.formula import Between, PairFormula, SetFormula
from alignbench.metrics.metric import COUNTS_WORDS, Metric
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import Ints, is_first, stable_order
from alignbench.metrics.porter import stem
from alignbench.metrics.values import CrossScore, PairMean, PairSimilarity, Response, Value, mean_of_pairs, too_few
from alignbench.metrics.word_table import WordTable

_LARGEST = 1 << 24  # entries of a matrix of who has which term

TermsOf = Callable[[Response], Collection[Hashable]]
"""What a response is a set of: content words, say; no term twice."""


def jaccard(a: Set[Hashable], b: Set[Hashable]) -> float | None:
    """|A n B| / |A u B|, from 0 (nothing shared) to 1 (equal sets); None for two empty sets (Jaccard 1912)."""
    similarity = float(jaccards(len(a & b), len(a), len(b)))
    return None if math.isnan(similarity) else similarity


def jaccard_reason(n_pairs: int) -> str:
    """Why a mean over `n_pairs` pairs of word sets, all of them skipped, is null."""
    return f"no content words in either response of {n_pairs} pair{'s' if n_pairs != 1 else ''}"


class Length:
    """Mean and standard deviation of the number of words a response has; an empty response has 0."""

    __slots__ = ("_n", "_squares", "_total")

    def __init__(self) -> None:
        self._n = self._total = self._squares = 0

    def add(self, response: Response) -> None:
        length = len(response.words)
        self._n += 1
        self._total += length
        self._squares += length * length

    def value(self) -> Value:
        return mean_length(self._n, self._total, self._squares)


def mean_length(n: int, total: int, squares: int) -> Value:
    """Mean and standard deviation of n lengths from their sum and the sum of their squares."""
    if n == 0:
        return Value(None, 0, too_few(1, 0))
    # The sums are whole numbers, so the difference below is exact.
    sd = math.sqrt((n * squares - total**2) / (n * (n - 1))) if n > 1 else None
    return Value(total / n, n, sd=sd)


class WordSets:
    """Sets of words under an index of who has which word, so that a new set meets all of them in one pass."""

    __slots__ = ("_holders", "_sets", "_sizes")

    def __init__(self) -> None:
        self._sets: list[tuple[Hashable, ...]] = []
        self._sizes: list[int] = []
        # Word -> positions of the sets that have it, four bytes each: lists would keep the garbage collector busy.
        self._holders: dict[Hashable, bytes] = {}

    def __len__(self) -> int:
        return len(self._sets)

    def __getitem__(self, position: int) -> tuple[Hashable, ...]:
        return self._sets[position]

    def add(self, words: Collection[Hashable]) -> Floats:
        """Add a set (no word twice); its similarities to the sets before it, see `jaccards`."""
        held = [self._holders.get(word, b"") for word in words]
        position = np.uint32(len(self._sets)).tobytes()
        self._holders.update(zip(words, [holders + position for holders in held], strict=True))
        similarities = self._similarities(len(words), held, len(self))
        self._sets.append(tuple(words))
        self._sizes.append(len(words))
        return similarities

    def similarities(self, words: Collection[Hashable], first: int | None = None) -> Floats:
        """Jaccard similarity of a set of words to each of the first `first` sets, by default to all; see `jaccards`."""
        held = [self._holders.get(word, b"") for word in words]
        return self._similarities(len(words), held, len(self) if first is None else first)

    def _similarities(self, size: int, held: list[bytes], n: int) -> Floats:
        shared = np.bincount(np.frombuffer(b"".join(held), np.uint32), minlength=n)[:n]
        return jaccards(shared, size, self._sizes[:n])


def content(response: Response) -> frozenset[str]:
    """The set of its words without stop words."""
    return response.content


def content_ngrams(order: int) -> TermsOf:
    """The n-grams of the words that are left when stop words are out."""

    def ngrams(response: Response) -> frozenset[Hashable]:
        words = response.content_words
        return frozenset(zip(*(words[i:] for i in range(order)), strict=False))

    return ngrams


def content_stems(stem: Callable[[str], str]) -> TermsOf:
    """The stems of its words without stop words."""

    def stems(response: Response) -> frozenset[Hashable]:
        return frozenset(map(stem, response.content))

    return stems


class LexicalSimilarity:
    """Mean Jaccard similarity over pairs of different responses, by default of their sets of content words.

    From 0 to 1, lower is more diverse. O(n) for the n-th response.
    """

    __slots__ = ("_terms", "pairs", "sets")

    def __init__(self, terms: TermsOf = content) -> None:
        self._terms = terms
        self.sets = WordSets()
        self.pairs = PairMean()

    def add(self, response: Response) -> None:
        self.pairs.add(self.sets.add(self._terms(response)))

    def value(self) -> Value:
        return mean_of_pairs(len(self.sets), self.pairs, self.no_pairs)

    def no_pairs(self, n_pairs: int) -> str:
        return jaccard_reason(n_pairs)

    def against(self, other: PairSimilarity) -> CrossScore:
        assert isinstance(other, LexicalSimilarity)
        return CrossLexicalSimilarity(self.sets, other.sets)


class CrossLexicalSimilarity:
    """Mean Jaccard similarity over all pairs (a of the one, b of the other) of two collections that may still grow."""

    __slots__ = ("_a", "_b", "_n_a", "_n_b", "_pairs")

    def __init__(self, a: WordSets, b: WordSets) -> None:
        self._a, self._b = a, b
        self._n_a = self._n_b = 0  # of each, how many the pairs below hold
        self._pairs = PairMean()

    def pairs(self) -> PairMean:
        """Over all that is there now: O(n) for each set that is new since the last call."""
        while self._n_a < len(self._a):
            self._pairs.add(self._b.similarities(self._a[self._n_a], self._n_b))
            self._n_a += 1
        while self._n_b < len(self._b):
            self._pairs.add(self._a.similarities(self._b[self._n_b], self._n_a))
            self._n_b += 1
        return self._pairs


def _length(tables: NgramTables) -> Value:
    lengths = tables.lengths
    return mean_length(len(lengths), int(lengths.sum()), int((lengths**2).sum()))


def _content_words(table: WordTable) -> Between:
    return _TermSets(*table.content, table.n).similarities


def _content_pairs(table: WordTable) -> Between:
    words, owners = table.content
    inside = owners[1:] == owners[:-1]
    pairs = words[:-1] * (words.max(initial=0) + 1) + words[1:]
    return _TermSets(pairs[inside], owners[1:][inside], table.n).similarities


def _content_stems(table: WordTable) -> Between:
    words, owners = table.content
    return _TermSets(table.stems(words), owners, table.n).similarities


class _TermSets:
    """Sets of terms, compared by `jaccards`: only terms that two sets have can be shared."""

    def __init__(self, terms: Ints, owners: Ints, n: int) -> None:
        """terms: numbers, repeated or not. owners: which of the n sets each is in."""
        keys = np.sort(terms * n + owners)
        terms, owners = np.divmod(keys[is_first(keys)], max(n, 1))
        self._sizes = np.bincount(owners, minlength=n)
        new = is_first(terms)
        numbers = np.cumsum(new) - 1
        several = np.bincount(numbers) > 1
        keep = several[numbers]
        by_owner = stable_order(owners[keep])
        self._owners = owners[keep][by_owner]
        self._columns = (np.cumsum(several) - 1)[numbers[keep]][by_owner]
        self._n_columns = int(several.sum())
        self._starts = np.searchsorted(self._owners, np.arange(n + 1))

    def similarities(self, a: slice, b: slice) -> Floats:
        rows = max(a.stop - a.start, b.stop - b.start, 1)
        step = max(1, _LARGEST // rows)
        shared = np.zeros((a.stop - a.start, b.stop - b.start))
        for first in range(0, self._n_columns, step):
            width = min(step, self._n_columns - first)
            shared += self._matrix(a, first, width) @ self._matrix(b, first, width).T
        return jaccards(shared, self._sizes[a, None], self._sizes[b])

    def _matrix(self, rows: slice, first: int, width: int) -> NDArray[np.float32]:
        """Ones where a set has a term; single precision is exact up to 16 million shared terms."""
        entries = slice(self._starts[rows.start], self._starts[rows.stop])
        owners, columns = self._owners[entries] - rows.start, self._columns[entries] - first
        inside = (columns >= 0) & (columns < width)
        matrix = np.zeros((rows.stop - rows.start, width), np.float32)
        matrix[owners[inside], columns[inside]] = 1.0
        return matrix


METRICS = (
    Metric(
        name="words",
        title="words",
        meaning=(
            "Mean length of a response in words, and its standard deviation. Longer responses share more words by "
            "chance, so read the lexical scores beside it."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="",
        source="Unicode words (UAX 29); one character is a word in scripts written without spaces",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=1,
        formula=SetFormula(lambda _: Length(), _length),
        has_sd=True,
        counts_empty=True,
        default=True,
        order=10,
        family="length",
    ),
    Metric(
        name="jaccard",
        title="lexical similarity",
        meaning=(
            "How many content words two responses share, out of all the words they use: the mean over pairs. "
            "Shown as lexical diversity, one minus it, where more is more diverse."
        ),
        scope=("within", "cross"),
        low=0.0,
        high=1.0,
        more_diverse="lower",
        source="Jaccard 1912; over responses as in Lake, Choi and Durrett 2024, arXiv 2406.17692",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=PairFormula(lambda _: LexicalSimilarity(), _content_words, jaccard_reason, cut_sets.content_words),
        default=True,
        order=20,
        family="overlap between responses",
        label="words (Jaccard)",
        short="jaccard",
        inverted="lexical diversity",
        inverted_short="lexical div.",
    ),
    Metric(
        name="jaccard_2",
        title="lexical similarity of word pairs",
        meaning=(
            "How many pairs of neighbouring content words two responses share, out of all they use: the mean over "
            "pairs. It sees phrases where lexical similarity sees words."
        ),
        scope=("within", "cross"),
        low=0.0,
        high=1.0,
        more_diverse="lower",
        source="Jaccard 1912; Lake, Choi and Durrett 2024, arXiv 2406.17692",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=PairFormula(
            lambda _: LexicalSimilarity(content_ngrams(2)), _content_pairs, jaccard_reason, cut_sets.content_pairs
        ),
        order=30,
        family="overlap between responses",
        label="word pairs (Jaccard)",
        inverted="lexical diversity, pairs",
    ),
    Metric(
        name="jaccard_stem",
        title="lexical similarity of stems",
        meaning=(
            "Lexical similarity after cutting English endings, so that run and running are one word. Other "
            "languages stay as they are."
        ),
        scope=("within", "cross"),
        low=0.0,
        high=1.0,
        more_diverse="lower",
        source="Porter 1980, as in NLTK; Lake, Choi and Durrett 2024, arXiv 2406.17692",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=PairFormula(
            lambda _: LexicalSimilarity(content_stems(stem)), _content_stems, jaccard_reason, cut_sets.content_stems
        ),
        order=40,
        family="overlap between responses",
        label="stems (Jaccard)",
        inverted="lexical diversity, stems",
    ),
)
