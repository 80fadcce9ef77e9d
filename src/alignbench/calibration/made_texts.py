"""Made responses that look to the scores like real ones: a prompt has points to make, a response makes some of them.

How often a point is made, and a word used, falls with its rank as Zipf's law has it. Most responses begin alike.
Prompts differ in how many sentences answer them and in how far their points go over all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignbench.calibration.planted import Rng
from alignbench.metrics.arrays import Floats

_POINTS, _WORDS_OF_POINT = 14, 10
_GENERAL = 300  # words that answers to any prompt use
_SENTENCES, _LENGTH_SPREAD = 5.0, 0.35  # of a response: the median over prompts, and the spread of its logarithm
_FOCUS = (0.5, 1.3)  # least and largest exponent of a prompt's points
_BEGINNINGS = 0.7  # of responses that begin with the first point
_STOP, _POINT = 0.4, 0.35  # of a sentence's words; the others are general ones
_STOP_WORDS = ("the", "of", "and", "to", "in", "is", "it", "that", "for", "with", "as", "be", "on", "not", "this", "or")
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"


@dataclass(frozen=True, slots=True)
class MadePrompt:
    """A prompt as what is said in answer to it.

    Attributes:
        points: for each the words that make it, the most common one first.
        shares: how often each point is made, added up (points,).
        sentences: of a response on average.
    """

    points: tuple[tuple[str, ...], ...]
    shares: Floats
    sentences: float

    def draw(self, n: int, rng: Rng) -> list[str]:
        """So many responses."""
        return [self._response(rng) for _ in range(n)]

    def _response(self, rng: Rng) -> str:
        drawn = np.searchsorted(self.shares, rng.random(1 + rng.poisson(self.sentences - 1))).tolist()
        if rng.random() < _BEGINNINGS:
            drawn[0] = 0
        return " ".join(_sentence(self.points[point], rng) for point in drawn)


def _sentence(point: Sequence[str], rng: Rng) -> str:
    kinds = rng.random(6 + rng.poisson(5))
    drawn = rng.random(kinds.size)
    pieces = []
    for kind, at in zip(kinds.tolist(), drawn.tolist(), strict=True):
        if kind < _STOP:
            pieces.append(_STOP_WORDS[int(at * len(_STOP_WORDS))])
        elif kind < _STOP + _POINT:
            pieces.append(point[int(np.searchsorted(_OF_POINT, at))])
        else:
            pieces.append(_GENERAL_WORDS[int(np.searchsorted(_OF_GENERAL, at))])
    return " ".join(pieces).capitalize() + "."


class MadeTexts:
    """A source of prompts without end."""

    name = "made responses"
    n_prompts: int | None = None

    def pair(self, _: int, rng: Rng) -> tuple[MadePrompt, MadePrompt]:
        return self._prompt(rng), self._prompt(rng)

    def _prompt(self, rng: Rng) -> MadePrompt:
        stems = _syllables(_POINTS, 2, rng)
        points = tuple(tuple(stem + ending for ending in _ENDINGS) for stem in stems)
        shares = np.cumsum(_zipf(_POINTS, float(rng.uniform(*_FOCUS))))
        return MadePrompt(points, shares, 1 + _SENTENCES * float(np.exp(_LENGTH_SPREAD * rng.normal())))


def _syllables(n: int, length: int, rng: Rng) -> list[str]:
    """So many different words of so many syllables."""
    drawn: dict[str, None] = {}
    while len(drawn) < n:
        picks = rng.integers(0, (len(_CONSONANTS), len(_VOWELS)), (length, 2)).tolist()
        drawn.setdefault("".join(_CONSONANTS[consonant] + _VOWELS[vowel] for consonant, vowel in picks))
    return [*drawn]


def _zipf(n: int, exponent: float) -> Floats:
    """Shares (n,) that fall with the rank."""
    weights = np.arange(1, n + 1, dtype=np.float64) ** -exponent
    shares: Floats = weights / weights.sum()
    return shares


_OF_POINT, _OF_GENERAL = np.cumsum(_zipf(_WORDS_OF_POINT, 0.7)), np.cumsum(_zipf(_GENERAL, 0.8))
_fixed = np.random.default_rng(0)
_ENDINGS = tuple(_syllables(_WORDS_OF_POINT, 1, _fixed))
_GENERAL_WORDS = tuple(_syllables(_GENERAL, 3, _fixed))
