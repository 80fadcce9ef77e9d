"""Sets of responses compared at equal lengths: longer responses share more words by chance.

For every pair of the one set and every pair of each other, all these responses are cut to the length of the shortest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.metrics.cut_texts import CutSimilarity, CutTexts
from alignbench.metrics.intervals import Interval
from alignbench.metrics.jackknife import jackknife_interval
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.values import too_few

MIN_WORDS = 5  # of the shortest of four responses: fewer say nothing of how alike they are
MOST_QUADRUPLES = 2_500  # of a prompt, or choices of a pair of every set: of more, so many are drawn


@dataclass(frozen=True, slots=True)
class MatchedValue:
    """Two sets of responses to one prompt at equal lengths.

    Attributes:
        value: mean similarity of two responses of the one set; None where `reason` says why.
        reference: the same of the other set.
        n: quadruples that were compared.
        skipped: quadruples with a response under 5 words, or with a pair that has no similarity.
        reason: why there is no value; empty where there is one.
    """

    value: float | None
    reference: float | None
    n: int
    skipped: int
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Of the one set from the other; None without a value."""
        return None if self.value is None or self.reference is None else self.value - self.reference


def matched_value(
    texts: CutTexts, similarity: CutSimilarity, responses: Ints, reference: Ints, seed: int = 0
) -> MatchedValue:
    """The mean over quadruples, two responses of a set and two of a reference, all cut to the length of the shortest.

    Args:
        texts: the responses of both, and maybe others.
        similarity: of two responses that are cut.
        responses, reference: indices of those of each set.
        seed: draws the quadruples where there are more than `MOST_QUADRUPLES`.
    """
    fewest = min(len(responses), len(reference))
    if fewest < 2:
        return MatchedValue(None, None, 0, 0, too_few(2, fewest))
    pairs = [_Pairs(texts, of) for of in (responses, reference)]
    both = _at_equal_length(similarity, pairs, _quadruples(pairs[0].n, pairs[1].n, seed))
    if both.reason:
        return MatchedValue(None, None, 0, both.skipped, both.reason)
    value, compared = both.values
    return MatchedValue(value, compared, both.n, both.skipped)


@dataclass(frozen=True, slots=True)
class CommonLength:
    """Several sets of responses to one prompt at equal lengths.

    Attributes:
        values: mean similarity of two responses of each set, in the order of the sets; none where `reason` says why.
        n: choices of two responses of every set that were compared.
        skipped: those with a response under 5 words, or with a pair that has no similarity.
        reason: why there are no values; empty where there are some.
    """

    values: tuple[float, ...]
    n: int
    skipped: int
    reason: str = ""


def at_common_length(texts: CutTexts, similarity: CutSimilarity, sets: Sequence[Ints], seed: int = 0) -> CommonLength:
    """The means over choices of two responses of every set, all of them cut to the length of the shortest.

    Of two sets it is `matched_value`; with more of them every set has one number that compares with all the others.

    Args:
        texts: the responses of all sets, and maybe others.
        similarity: of two responses that are cut.
        sets: indices of those of each set.
        seed: draws the choices where there are more than `MOST_QUADRUPLES`.
    """
    fewest = min(map(len, sets))
    if fewest < 2:
        return CommonLength((), 0, 0, too_few(2, fewest))
    pairs = [_Pairs(texts, of) for of in sets]
    return _at_equal_length(similarity, pairs, _choices([of.n for of in pairs], seed))


def _at_equal_length(similarity: CutSimilarity, pairs: Sequence[_Pairs], chosen: Sequence[Ints]) -> CommonLength:
    """chosen: (n,) indices of pairs of each set, which are compared together."""
    words = np.minimum.reduce([of.shorter[pair] for of, pair in zip(pairs, chosen, strict=True)])
    long_enough = words >= MIN_WORDS
    n_chosen, words = len(words), words[long_enough]
    values = np.stack(
        [of.similarities(similarity, pair[long_enough], words) for of, pair in zip(pairs, chosen, strict=True)]
    )
    there = ~np.isnan(values.sum(axis=0))
    n = int(there.sum())
    if not n:
        several = "two" if len(pairs) == 2 else str(len(pairs))
        few = f"in every {several} pairs of responses one has under {MIN_WORDS} words, or none that counts"
        return CommonLength((), 0, n_chosen, few)
    return CommonLength(tuple(values[:, there].mean(axis=1).tolist()), n, n_chosen - n)


@dataclass(frozen=True, slots=True)
class MatchedSimilarity:
    """How similar a condition is to a reference at equal lengths, between floor and ceiling.

    Attributes:
        value: of the condition's responses to the reference's; None where `reason` says why.
        floor: of the floor's to the same.
        ceiling: of the reference's to each other.
        gap_ci: interval of ceiling minus floor, from leaving out the responses of each in turn; None where there are
            too few.
        n: fours that were compared.
        reason: why there is no value; empty where there is one.
    """

    value: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    gap_ci: Interval | None = None
    n: int = 0
    reason: str = ""


def matched_similarity(
    texts: CutTexts,
    similarity: CutSimilarity,
    responses: Ints,
    floor: Ints,
    compared: Ints,
    reference: Ints,
    seed: int = 0,
) -> MatchedSimilarity:
    """The means over fours: a response of the reference, and one of the condition, of the floor and another one of the
    reference that are compared with it, all cut to the length of the shortest.

    Args:
        texts: the responses of all three.
        similarity: of two responses that are cut.
        responses, floor: indices of those of the condition and of the floor.
        compared: of those of the reference that they are compared with.
        reference: of all of these.
        seed: draws the fours where there are more than `MOST_QUADRUPLES`.
    """
    first, second = (each.ravel() for each in np.meshgrid(compared, reference, indexing="ij"))
    first, second = first[first != second], second[first != second]
    if not len(first) or not len(responses) or not len(floor):
        return MatchedSimilarity(reason="needs two samples of the reference, one of the condition and one of the floor")
    pair, other = _quadruples(len(first), len(responses) * len(floor), seed)
    own, low = np.divmod(other, len(floor))
    four = first[pair], responses[own], floor[low], second[pair]
    words = np.minimum.reduce([texts.lengths[each] for each in four])
    long_enough = words >= MIN_WORDS
    four = tuple(each[long_enough] for each in four)
    value, floors, ceilings = (_each(similarity, four[0], each, words[long_enough]) for each in four[1:])
    there = ~np.isnan(value + floors + ceilings)
    if not there.any():
        return MatchedSimilarity(reason=f"in every four responses one has under {MIN_WORDS} words, or none that counts")
    gaps = (ceilings - floors)[there]
    sides = ((reference, (four[0][there], four[3][there])), (floor, (four[2][there],)))
    left_out = [[_mean_without(gaps, one, places) for one in side.tolist()] for side, places in sides]
    gap_ci = None if any(None in of for of in left_out) else jackknife_interval(
        float(gaps.mean()), *([gap for gap in of if gap is not None] for of in left_out)
    )  # fmt: skip
    means = [float(of[there].mean()) for of in (value, floors, ceilings)]
    return MatchedSimilarity(means[0], means[1], means[2], gap_ci, int(there.sum()))


def _mean_without(gaps: Floats, response: int, places: Sequence[Ints]) -> float | None:
    """The mean of the fours that a response is not in; None without one."""
    without = gaps[np.logical_and.reduce([place != response for place in places])]
    return float(without.mean()) if len(without) else None


def _each(similarity: CutSimilarity, first: Ints, second: Ints, words: Ints) -> Floats:
    """Of pairs by index, each at its number of words; what comes more than once is computed once."""
    _, places, inverse = np.unique(np.stack([first, second, words]), axis=1, return_index=True, return_inverse=True)
    return similarity(first[places], second[places], words[places])[inverse.ravel()]


def _quadruples(n_pairs: int, n_others: int, seed: int) -> tuple[Ints, Ints]:
    """Each pair with each other pair, or some of those drawn without replacement."""
    total = n_pairs * n_others
    if total <= MOST_QUADRUPLES:
        drawn = np.arange(total)
    else:
        drawn = np.random.default_rng(seed).choice(total, MOST_QUADRUPLES, replace=False, shuffle=False)
    pair, other = np.divmod(drawn, n_others)
    return pair, other


def _choices(sizes: Sequence[int], seed: int) -> list[Ints]:
    """Each pair with each pair of every other set, or some of those."""
    total = math.prod(sizes)
    if total <= MOST_QUADRUPLES:
        return [*np.unravel_index(np.arange(total), sizes)]
    draw = np.random.default_rng(seed)
    return [draw.integers(size, size=MOST_QUADRUPLES) for size in sizes]


class _Pairs:
    """All pairs of some responses; shorter: (n,) words of the shorter one of each."""

    def __init__(self, texts: CutTexts, responses: Ints) -> None:
        self._first, self._second = responses[np.array(np.triu_indices(len(responses), 1))]
        self.shorter = np.minimum(texts.lengths[self._first], texts.lengths[self._second])
        self.n = len(self.shorter)

    def similarities(self, similarity: CutSimilarity, pair: Ints, words: Ints) -> Floats:
        """Of pairs by index, each at its number of words; what comes more than once is computed once."""
        most = int(words.max(initial=0)) + 1
        keys, places = np.unique(pair * most + words, return_inverse=True)
        pair, words = np.divmod(keys, most)
        return similarity(self._first[pair], self._second[pair], words)[places]
