"""How much of a response stands in the others in the same order: ROUGE-L and self-BLEU, one response at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.cut_texts import CutSimilarity, CutTexts, cuts_of
from alignbench.metrics.formula import PairFormula, SetFormula
from alignbench.metrics.metric import COUNTS_WORDS, Metric
from alignbench.metrics.ngram_table import NgramTables
from alignbench.metrics.ngrams import GrowingArray, Ints, NgramIndex, Vocabulary, stable_order
from alignbench.metrics.values import CrossScore, PairMean, PairSimilarity, Response, Value, mean_of_pairs, too_few
from alignbench.metrics.word_table import WordTable

BLEU_ORDERS = (1, 2, 3, 4)
_EPSILON = 0.1  # NLTK's, in place of a match count of 0


def rouge_l(a: Sequence[str], b: Sequence[str]) -> float | None:
    """F1 of the longest common subsequence of two word sequences, 0 (disjoint) to 1; None for two empty ones.

    Lin 2004 (W04-1013), with precision and recall weighted alike: 2 LCS / (|a| + |b|).
    """
    vocabulary = Vocabulary()
    similarity = float(_similarities(packed(vocabulary.numbers(a)), [packed(vocabulary.numbers(b))])[0])
    return None if math.isnan(similarity) else similarity


def rouge_ls(common: ArrayLike, length: ArrayLike, other: ArrayLike) -> Floats:
    """`rouge_l` of many pairs from lengths: of the common subsequence, of the one, of the other; NaN for two empty."""
    twice, both = 2.0 * np.asarray(common, np.float64), np.asarray(length, np.float64) + np.asarray(other, np.float64)
    f1: Floats = np.divide(twice, both, out=np.full(both.shape, np.nan), where=both > 0.0)
    return f1


def no_words(n_pairs: int) -> str:
    """Why a mean over `n_pairs` pairs of responses, all of them skipped, is null."""
    return f"no words in either response of {n_pairs} pair{'s' if n_pairs != 1 else ''}"


class RougeL:
    """Mean ROUGE-L F1 over pairs of different responses, stop words included.

    From 0 to 1, lower is more diverse; pairs of two responses without words are skipped. O(n) for the n-th.
    """

    __slots__ = ("_index", "_packed", "documents", "pairs")

    def __init__(self, index: NgramIndex | None = None) -> None:
        self._index = NgramIndex() if index is None else index
        self._packed: list[str] = []
        self.documents: list[tuple[str, ...]] = []
        self.pairs = PairMean()

    def add(self, response: Response) -> None:
        one = packed(self._index.sequence(response))
        self.pairs.add(_similarities(one, self._packed))
        self._packed.append(one)
        self.documents.append(response.words)

    def value(self) -> Value:
        return mean_of_pairs(len(self._packed), self.pairs, self.no_pairs)

    def no_pairs(self, n_pairs: int) -> str:
        return no_words(n_pairs)

    def against(self, other: PairSimilarity) -> CrossScore:
        assert isinstance(other, RougeL)
        return _CrossRougeL(self.documents, other.documents)


class _CrossRougeL:
    """Mean ROUGE-L F1 over all pairs of two collections that may still grow, under one vocabulary."""

    __slots__ = ("_documents", "_packed", "_pairs", "_vocabulary")

    def __init__(self, a: Sequence[tuple[str, ...]], b: Sequence[tuple[str, ...]]) -> None:
        self._vocabulary = Vocabulary()
        self._documents = (a, b)
        self._packed: tuple[list[str], list[str]] = ([], [])
        self._pairs = PairMean()

    def pairs(self) -> PairMean:
        for side in (0, 1):
            own, others = self._packed[side], self._packed[1 - side]
            for words in self._documents[side][len(own) :]:
                one = packed(self._vocabulary.numbers(words))
                self._pairs.add(_similarities(one, others))
                own.append(one)
        return self._pairs


def packed(numbers: Ints) -> str:
    """One character a word: the form in which the bit-parallel LCS compares fastest."""
    return numbers.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def common_lengths(a: Sequence[str], b: Sequence[str]) -> Ints:
    """Lengths (n, m) of the longest common subsequences of packed texts; half the work where both are one object."""
    if not a or not b:
        return np.zeros((len(a), len(b)), np.int64)
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    return cdist(a, b, scorer=LCSseq.similarity, dtype=np.int64)


def _similarities(one: str, others: Sequence[str]) -> Floats:
    return rouge_ls(common_lengths([one], others)[0], len(one), [len(other) for other in others])


class SelfBleu:
    """Mean over responses of BLEU-4 against all the others as references (Zhu et al. 2018, arXiv 1802.01886).

    From 0 to 1, lower is more diverse; it rises as the set grows. Uniform weights, NLTK's smoothing method 1, closest
    reference length. An empty response scores 0.

    A match of an n-gram is clipped at its largest count in the other responses. That is the largest count of all, but
    for the response that holds the largest, where it is the second. So a new response changes, for each n-gram it has,
    the clipped count of one other response only: O(length) for the n-th, exact.
    """

    __slots__ = ("_clips", "_index", "_lengths", "_matches")

    def __init__(self, index: NgramIndex | None = None) -> None:
        self._index = NgramIndex() if index is None else index
        self._clips = [_Clip() for _ in BLEU_ORDERS]
        self._matches = [GrowingArray(np.float64) for _ in BLEU_ORDERS]  # whole numbers, one for each response
        self._lengths = GrowingArray(np.int64)

    def add(self, response: Response) -> None:
        n = len(self._lengths)
        self._lengths.append(np.array([len(response.words)]))
        for order, clip, matches in zip(BLEU_ORDERS, self._clips, self._matches, strict=True):
            bag = self._index.bag(response, order)
            own, gains = clip.add(bag.numbers, bag.counts, n, self._index.n_distinct(order))
            matches.values[:] += gains
            matches.append(np.array([own]))

    def value(self) -> Value:
        return self_bleu([column.values for column in self._matches], self._lengths.values)


def self_bleu(matches: Sequence[Floats], lengths: Ints) -> Value:
    """`SelfBleu` from, for each of BLEU_ORDERS, the clipped matches (n,) of the responses, and their lengths (n,)."""
    n = len(lengths)
    if n < 2:
        return Value(None, n, too_few(2, n))
    if not lengths.any():
        return Value(None, n, "no response has a word")
    logs = np.zeros(n)
    for order, matched in zip(BLEU_ORDERS, matches, strict=True):
        logs += np.log(np.where(matched == 0, _EPSILON, matched) / np.maximum(lengths - order + 1, 1))
    closest = _closest_other(lengths)
    brevity = np.where(lengths > closest, 0.0, 1.0 - closest / np.maximum(lengths, 1))
    scores = np.where(matches[0] == 0, 0.0, np.exp(brevity + logs / len(BLEU_ORDERS)))
    return Value(float(scores.mean()), n)


class _Clip:
    """For each n-gram of one order: the two largest counts over responses, and who has the largest."""

    __slots__ = ("_holders", "_largest", "_second")

    def __init__(self) -> None:
        self._largest, self._second, self._holders = (
            GrowingArray(np.int32),
            GrowingArray(np.int32),
            GrowingArray(np.int32),
        )

    def add(self, numbers: Ints, counts: Ints, n: int, n_distinct: int) -> tuple[float, Floats]:
        """Count the n-th response in; its own clipped matches, and what the n before it gain by it."""
        for column in (self._largest, self._second, self._holders):
            column.grow(n_distinct)
        largest, second, holders = (c.values[numbers] for c in (self._largest, self._second, self._holders))
        own = float(np.minimum(counts, largest).sum())
        gains = np.minimum(largest, np.maximum(second, counts)) - second
        gained = np.bincount(holders, gains, minlength=n)[:n].astype(np.float64)
        over = counts > largest
        self._second.values[numbers] = np.where(over, largest, np.maximum(second, counts))
        self._largest.values[numbers] = np.maximum(largest, counts)
        self._holders.values[numbers] = np.where(over, n, holders)
        return own, gained


def _closest_other(lengths: Ints) -> Ints:
    """For each of two or more lengths the closest one of the others, the smaller of two as close."""
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    far = np.iinfo(np.int64).max // 4
    below = np.concatenate(([-far], ascending[:-1]))
    above = np.concatenate((ascending[1:], [far]))
    closest = np.empty_like(lengths)
    closest[order] = np.where(ascending - below <= above - ascending, below, above)
    return closest


def _self_bleu(tables: NgramTables) -> Value:
    return self_bleu([tables.table(order).clipped_matches for order in BLEU_ORDERS], tables.lengths)


class _PackedWords:
    """The words of responses, compared by `rouge_ls`. A word that is there once is in no common subsequence."""

    def __init__(self, table: WordTable) -> None:
        words, owners, n = table.words, table.owners, table.n
        times, rank = np.bincount(words), _frequency_ranks(words)
        keep = times[words] > 1
        text = packed(rank[words[keep]])
        ends = np.cumsum(np.bincount(owners[keep], minlength=n)).tolist()
        self._packed = [text[start:end] for start, end in pairwise([0, *ends])]
        self._lengths = np.bincount(owners, minlength=n)

    def similarities(self, a: slice, b: slice) -> Floats:
        one = self._packed[a]
        other = one if a == b else self._packed[b]
        return rouge_ls(common_lengths(one, other), self._lengths[a, None], self._lengths[b])


def _frequency_ranks(words: Ints) -> Ints:
    """Of every word number its rank, the most frequent of these words first.

    For rapidfuzz, which looks characters under 256 up in a table, and hashes others.
    """
    times = np.bincount(words)
    rank = np.empty(len(times), np.int64)
    rank[stable_order(times.max(initial=0) - times)] = np.arange(len(times))
    return rank


def _cut_words(texts: CutTexts) -> CutSimilarity:
    """`rouge_ls` of responses that are cut, the sentences that are left in their order."""
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cpdist

    rank = _frequency_ranks(texts.words)

    def similarities(first: Ints, second: Ints, words: Ints) -> Floats:
        cuts, a, b = cuts_of(texts, first, second, words)
        texts_of_cuts, lengths = [packed(rank[cut]) for cut in cuts], np.array([len(cut) for cut in cuts], np.int64)
        pairs = [texts_of_cuts[i] for i in a], [texts_of_cuts[i] for i in b]
        return rouge_ls(cpdist(*pairs, scorer=LCSseq.similarity, dtype=np.int64), lengths[a], lengths[b])

    return similarities


METRICS = (
    Metric(
        name="rouge_l",
        title="ROUGE-L",
        meaning=(
            "How much of two responses is the same words in the same order, gaps allowed: F1 of the longest common "
            "subsequence, the mean over pairs."
        ),
        scope=("within", "cross"),
        low=0.0,
        high=1.0,
        more_diverse="lower",
        source="Lin 2004, W04-1013",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=PairFormula(RougeL, lambda table: _PackedWords(table).similarities, no_words, _cut_words),
        order=50,
        family="overlap between responses",
    ),
    Metric(
        name="self_bleu",
        title="self-BLEU",
        meaning=(
            "How far each response is made of phrases of the others: its BLEU-4 against all of them, the mean over "
            "responses. It rises as samples are added, so compare it at equal n."
        ),
        scope=("within",),
        low=0.0,
        high=1.0,
        more_diverse="lower",
        source="Zhu et al. 2018, arXiv 1802.01886; smoothing method 1 of Chen and Cherry 2014, W14-3346",
        version=COUNTS_WORDS,
        needs=("text",),
        min_samples=2,
        formula=SetFormula(SelfBleu, _self_bleu),
        moves_with_n=True,
        order=60,
        family="overlap between responses",
    ),
)
