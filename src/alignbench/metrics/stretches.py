"""A response cut where the tokens of several readings of it end together, with the bits of each stretch."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_BROKEN = "\N{REPLACEMENT CHARACTER}"  # in the text of a token that begins or ends within a character


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a response. bits: what it costs after all before it, under each reading."""

    text: str
    bits: tuple[float, ...]


def stretches(text: str, readings: Sequence[tuple[Sequence[str], ArrayLike]]) -> tuple[Stretch, ...]:
    """The shortest parts of a response at whose ends the tokens of all readings end; of one tokenizer, the tokens.

    readings: of each the texts of its T tokens, and their log-probs (T,), nats. A part's bits are those of its tokens,
    so the parts add up to the whole, also where the readings cut the text into different tokens. Tokens that share a
    character stay together. Nothing of an empty response.
    """
    if not text or not readings:
        return ()
    ends = [token_ends(text, pieces) for pieces, _ in readings]
    cuts = sorted({len(text)}.union(set.intersection(*map(set, ends))) - {0})
    bits = [
        np.bincount(
            np.array([bisect_left(cuts, end) for end in ends_of], np.int64),
            weights=-np.asarray(logprobs, np.float64) / math.log(2),
            minlength=len(cuts),
        ).tolist()
        for ends_of, (_, logprobs) in zip(ends, readings, strict=True)
    ]
    starts = [0, *cuts]
    return tuple(
        Stretch(text[start:end], tuple(own))
        for start, end, own in zip(starts, cuts, zip(*bits, strict=True), strict=False)
    )


def token_ends(text: str, pieces: Sequence[str]) -> list[int]:
    """Where each token ends in the text, in characters, from the tokens' texts; never before the one in front of it.

    A token that ends within a character ends where the next one begins that stands in the text as it is.
    """
    ends: list[int] = []
    at, waiting = 0, 0
    for i, piece in enumerate(pieces):
        own = piece.lstrip(" ") if i == 0 and not text.startswith(piece) else piece  # SentencePiece begins with a space
        start = at if text.startswith(own, at) and own else -1
        if start < 0 and waiting and own and _BROKEN not in own:
            start = text.find(own, at + 1)
        if start < 0:
            waiting += 1
            continue
        ends += [start] * waiting
        at, waiting = start + len(own), 0
        ends.append(at)
    return [*ends, *[len(text)] * waiting]
