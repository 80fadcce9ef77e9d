"""What the responses to a prompt say of each other, sentence by sentence: found once, for all that is asked of it.

A sentence is said by a response that has one of a cosine of the threshold or more with it (see `metrics.coverage`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.coverage import COVERAGE_THRESHOLD, missed
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.semantic import unit

_LARGEST = 1 << 22  # cosines held at once


@dataclass(frozen=True, slots=True)
class EqualSentences:
    """How much of a response two sets say in equally many sentences.

    Attributes:
        by_others: share that responses of the other set say, 0 to 1.
        by_itself: share that the other responses of its own set say, 0 to 1.
        sentences: how many each of them has said, on average.
    """

    by_others: float
    by_itself: float
    sentences: float


class SaidSentences:
    """Of R responses, each with a sentence or more, how many sentences of which say each of all S sentences."""

    def __init__(self, responses: Sequence[ArrayLike], threshold: float = COVERAGE_THRESHOLD) -> None:
        """responses: sentence vectors (t, dim) of each, t over 0; they are numbered as they come here."""
        self._lengths = np.array([len(np.asarray(vectors)) for vectors in responses], np.int64)
        self._ends = np.cumsum(self._lengths)
        vectors = unit(np.concatenate([np.asarray(of, np.float64) for of in responses]))
        step, starts = max(1, _LARGEST // len(vectors)), self._ends - self._lengths
        self._counts: Ints = np.concatenate(
            [
                np.add.reduceat(vectors[start : start + step] @ vectors.T >= threshold, starts, axis=1, dtype=np.int64)
                for start in range(0, len(vectors), step)
            ]
        )  # (S, R)

    def curve(self, of: Sequence[int], by: Sequence[int]) -> list[float]:
        """For k = 1, 2, ..., the share of one response's sentences that k of others say together: the mean over `of`.

        A response says nothing of itself, so of a set by itself the curve ends one response sooner.
        """
        curves = [union_coverage(self._said(one, [other for other in by if other != one]) > 0) for one in of]
        mean: list[float] = np.mean(curves, axis=0).tolist()
        return mean

    def covered_responses(self, of: Sequence[int], by: Sequence[int], share: float) -> float:
        """How many of some responses one of others covers, the mean over `by`: those of which it says a share of the
        sentences."""
        covers = [(self._said(one, by) > 0).mean(axis=0) >= share for one in of]
        return float(np.sum(covers, axis=0, dtype=np.float64).mean())

    def equal_sentences(self, itself: Sequence[int], others: Sequence[int]) -> EqualSentences | None:
        """How much of each response of a set the rest of the set says, and how much another set, in as many sentences.

        A response of the rest is set against one of the others. The longer one speaks, and the set of the shorter one
        goes on with further responses, as they follow each other in the set, until it has said as many sentences; of
        the last of them that many are drawn, and the share is exact over all choices. Where a set ends sooner, the
        other stops there too. The mean over all such pairs and over the responses that are covered. Where both sets are
        draws from one distribution neither side is favoured, whatever the lengths are: a plain k = 1 favours the longer
        responses, and many against one the more varied.

        None where the set has no two responses, or the other set none.
        """
        if len(itself) < 2 or not len(others):
            return None
        rows = []
        for at, sought in enumerate(itself):
            sides = [*others], [*itself[at + 1 :], *itself[:at]]
            lengths = [self._lengths[side] for side in sides]
            spoken = np.minimum(np.maximum.outer(*lengths), min(int(of_side.sum()) for of_side in lengths))
            by_others, by_rest = (self._said_so_far(sought, side, int(spoken.max())) for side in sides)
            first, second = np.ogrid[: spoken.shape[0], : spoken.shape[1]]
            rows.append((by_others[first, spoken - 1].mean(), by_rest[second, spoken - 1].mean(), spoken.mean()))
        return EqualSentences(*np.mean(rows, axis=0).tolist())

    def _said(self, response: int, by: Sequence[int]) -> Ints:
        """(s, n) of its sentences, how many of each of n responses say them."""
        end = self._ends[response]
        return self._counts[end - self._lengths[response] : end, by]

    def _said_so_far(self, sought: int, side: Sequence[int], longest: int) -> Floats:
        """(n, longest): the share of a response that a side says from its first, second, ... response on, in 1, 2, ...
        sentences, no more than it has."""
        counts, lengths = self._said(sought, side).T, self._lengths[side]
        n, ends = len(side), np.cumsum([*lengths, *lengths])  # of the responses of the side, twice around
        reached = (ends[:n] - lengths)[:, None] + np.arange(1, longest + 1)
        last = np.searchsorted(ends, reached)  # the response that is drawn from; those before it are said in whole
        begun = np.zeros((2 * n + 1, counts.shape[1]), np.int64)
        np.cumsum(np.concatenate([counts, counts]) > 0, axis=0, out=begun[1:])
        before = begun[last] > begun[np.arange(n)[:, None]]
        drawn = 1.0 - np.concatenate([missed(of, int(length)) for of, length in zip(counts, lengths, strict=True)])
        shares: Floats = np.where(before, 1.0, drawn[(reached - 1) % ends[n - 1]]).mean(axis=2)
        return shares


def union_coverage(covered: NDArray[np.bool_]) -> list[float]:
    """Share of a response's sentences that k of n others cover together, for k = 1..n; empty for no sentence.

    Exact means over all choices of k: a sentence that h of n cover is missed by C(n - h, k) of the C(n, k) choices. The
    first entry is `coverage`. With base samples as the others and one aligned response, a curve that goes on rising
    says that the aligned response gathers what single base samples say.

    covered: (s, n) which of the others says which of its s sentences.
    """
    if not covered.size:
        return []
    curve: list[float] = (1.0 - missed(covered.sum(axis=1), covered.shape[1]).mean(axis=1)).tolist()
    return curve
