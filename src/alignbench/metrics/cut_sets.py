"""Jaccard similarity of responses that are cut to equal numbers of words."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.cut_texts import CutSimilarity, CutTexts, cuts_of
from alignbench.metrics.ngrams import Ints, is_first

_LARGEST = 1 << 22  # entries of a matrix of which pair shares which term
_NEVER = np.iinfo(np.int32).max


def jaccards(shared: ArrayLike, size: ArrayLike, other: ArrayLike) -> Floats:
    """`jaccard` of many pairs from numbers of words: shared, of the one and of the other; NaN for two empty sets."""
    both = np.asarray(shared, np.float64)
    unions = np.asarray(size, np.float64) + np.asarray(other, np.float64) - both
    similarities: Floats = np.divide(both, unions, out=np.full(unions.shape, np.nan), where=unions > 0.0)
    return similarities


def content_words(texts: CutTexts) -> CutSimilarity:
    """By the sets of words that are no stop words."""
    return _FirstDraws(*texts.content, texts.n).similarities


def content_stems(texts: CutTexts) -> CutSimilarity:
    """By the sets of their stems."""
    words, owners, draws = texts.content
    return _FirstDraws(texts.stems(words), owners, draws, texts.n).similarities


def content_pairs(texts: CutTexts) -> CutSimilarity:
    """By the sets of neighbours among the words that are no stop words; a shorter cut has neighbours of its own."""
    is_stop = texts.is_stop

    def pairs(cut: Ints) -> Ints:
        words = cut[~is_stop[cut]]
        return np.unique(words[:-1] * len(is_stop) + words[1:])

    def similarities(first: Ints, second: Ints, words: Ints) -> Floats:
        cuts, a, b = cuts_of(texts, first, second, words)
        sets = [pairs(cut) for cut in cuts]
        shared = [len(np.intersect1d(sets[i], sets[j], assume_unique=True)) for i, j in zip(a, b, strict=True)]
        sizes = np.array([len(each) for each in sets], np.int64)
        return jaccards(shared, sizes[a], sizes[b])

    return similarities


class _FirstDraws:
    """When each response first draws each of its terms: a cut has those that come before its end."""

    def __init__(self, terms: Ints, owners: Ints, draws: Ints, n: int) -> None:
        """terms: numbers, repeated or not. owners, draws: which of the n responses each is in, and when it is drawn."""
        longest = int(draws.max(initial=-1)) + 2
        by_key = np.sort((terms * n + owners) * longest + draws)
        keys, draws = np.divmod(by_key, longest)
        first = is_first(keys)
        terms, owners = np.divmod(keys[first], max(n, 1))
        draws = draws[first]
        self._sizes = np.cumsum(
            np.bincount(owners * longest + draws + 1, minlength=n * longest).reshape(n, longest), axis=1
        )
        self._draws = _shared_draws(terms, owners, draws, n)

    def similarities(self, first: Ints, second: Ints, words: Ints) -> Floats:
        last = self._sizes.shape[1] - 1
        at = np.minimum(words, last)
        step = max(1, _LARGEST // max(1, self._draws.shape[1]))
        shared = [
            (np.maximum(self._draws[first[rows]], self._draws[second[rows]]) < words[rows, None]).sum(axis=1)
            for rows in (slice(start, start + step) for start in range(0, len(words), step))
        ]
        return jaccards(np.concatenate(shared or [words]), self._sizes[first, at], self._sizes[second, at])


def _shared_draws(terms: Ints, owners: Ints, draws: Ints, n: int) -> NDArray[np.int32]:
    """(n, t) of the t terms that two responses have; a response that has one never draws it at `_NEVER`."""
    new = is_first(terms)
    numbers = np.cumsum(new) - 1
    several = np.bincount(numbers) > 1
    keep = several[numbers]
    matrix = np.full((n, int(several.sum())), _NEVER, np.int32)
    matrix[owners[keep], (np.cumsum(several) - 1)[numbers[keep]]] = draws[keep]
    return matrix
