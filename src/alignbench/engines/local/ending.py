"""How likely a response is to end where a text ends: by an end token, or by a text that closes it in its layout."""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.local.arrays import Floats32

NEGLIGIBLE = math.log(1e-3)  # what is left out is under this share of the probability: 0.0015 bits
READINGS = 16  # most places to look at for one text, where hardly anything of it is likely


class TokenBytes:
    """The tokens of a model as bytes."""

    def __init__(self, size: int, piece: Callable[[int], bytes], is_end: Callable[[int], bool]) -> None:
        """
        Args:
            size: number of ids.
            piece: the bytes of a token; none for special ones.
            is_end: whether a token ends a response.
        """
        self._size, self._piece = size, piece
        self.end_ids = np.array([token for token in range(size) if is_end(token)], np.int64)

    @cached_property
    def _sorted(self) -> list[tuple[bytes, int]]:
        ends = set(self.end_ids.tolist())
        pieces = ((self._piece(token), token) for token in range(self._size) if token not in ends)
        return sorted((piece, token) for piece, token in pieces if piece)

    def beginning_with(self, text: bytes) -> list[int]:
        """The tokens whose bytes begin with a text, or are it."""
        return [token for _, token in self._between(text, len(text))]

    def beginnings_of(self, text: bytes) -> Iterator[tuple[int, int]]:
        """The tokens that a text goes on behind, with how many of its bytes each takes."""
        for n in range(1, len(text)):
            for piece, token in self._between(text[:n], None):
                yield token, len(piece)

    def _between(self, text: bytes, compared: int | None) -> list[tuple[bytes, int]]:
        """Those whose first `compared` bytes are a text; None: all of theirs."""
        low = bisect_left(self._sorted, text, key=lambda item: item[0][:compared])
        return self._sorted[low : bisect_right(self._sorted, text, low, key=lambda item: item[0][:compared])]


@dataclass(frozen=True, slots=True)
class Branch:
    """A way that a response may go on, some tokens of it taken.

    Attributes:
        logprob: of these tokens, nats, over that of the text's own tokens
        ids: all tokens up to here, the prompt's among them
        rest: bytes that have to follow
        over: bytes that the next token has to go beyond
    """

    logprob: float
    ids: tuple[int, ...]
    rest: bytes
    over: int = 0


def ending_logprob(
    ids: Sequence[int], branches: Sequence[Branch], vocabulary: TokenBytes, read: Callable[[tuple[int, ...]], Floats32]
) -> float:
    """Log-prob, in nats, that a response ends after a text: that an end token follows, or one of the texts to come.

    A text may follow in any tokens. The likeliest ways to cut it are added up until the ways that are left together
    could not add a thousandth.

    Args:
        ids: of the prompt and the text
        branches: texts that may follow, none of which begins with another
        vocabulary: of the model
        read: the logits (vocab,) after these tokens
    """
    logprobs = _log_softmax(read(tuple(ids)))
    total = _log_sum(logprobs[vocabulary.end_ids])
    order = itertools.count()
    waiting = [(-branch.logprob, next(order), branch) for branch in branches]
    heapq.heapify(waiting)
    readings = 0
    while waiting and readings < READINGS:
        if _log_sum(np.array([-negative for negative, _, _ in waiting])) < total + NEGLIGIBLE:
            break
        _, _, branch = heapq.heappop(waiting)
        if branch.ids == tuple(ids):
            here = logprobs
        else:
            here, readings = _log_softmax(read(branch.ids)), readings + 1
        total = _log_sum(np.array([total, branch.logprob + _log_sum(here[vocabulary.beginning_with(branch.rest)])]))
        for token, taken in vocabulary.beginnings_of(branch.rest):
            if taken > branch.over:
                longer = Branch(branch.logprob + float(here[token]), (*branch.ids, token), branch.rest[taken:])
                heapq.heappush(waiting, (-longer.logprob, next(order), longer))
    return total


def distinct_closings(closings: Sequence[str]) -> list[str]:
    """Without those that begin with another one, which comes before them."""
    return [text for text in closings if not any(text != other and text.startswith(other) for other in closings)]


def _log_softmax(logits: Floats32) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - float(logits.max())
    return shifted - math.log(np.exp(shifted).sum())


def _log_sum(logprobs: NDArray[np.float64]) -> float:
    """Of the probabilities together; -inf of none."""
    if not logprobs.size or (largest := float(logprobs.max())) == -math.inf:
        return -math.inf
    return largest + math.log(np.exp(logprobs - largest).sum())
