"""Which of several samples of a question is the better one, by a rule that reads no more than texts.

A sample's mark is how close it comes to our own answer in meaning (cosine of sentence embeddings), less the share of
its 4-grams that repeat an earlier one, less 1 where it did not end by itself. Of each question the sample with the
highest mark is preferred to the one with the lowest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_GRAM = 4
_UNENDED = 1.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample of a question."""

    text: str
    ended: bool  # by itself, and not at the most tokens it might have

    def mark(self, closeness: float) -> float:
        return closeness - repeated(self.text) - (0.0 if self.ended else _UNENDED)


@dataclass(frozen=True, slots=True)
class Preference:
    question: str
    chosen: Drawn
    rejected: Drawn


def repeated(text: str) -> float:
    """Share (0 to 1) of a text's 4-grams of words that stood in it before."""
    words = text.casefold().split()
    grams = [tuple(words[i : i + _GRAM]) for i in range(len(words) - _GRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def preferences(samples: Mapping[str, Sequence[Drawn]], closeness: Mapping[str, Sequence[float]]) -> list[Preference]:
    """One of each question whose best sample has a higher mark than its worst. Both by question; closeness: of each
    sample to our own answer.
    """
    found = []
    for question, drawn in samples.items():
        marks = [sample.mark(close) for sample, close in zip(drawn, closeness[question], strict=True)]
        best, worst = marks.index(max(marks)), marks.index(min(marks))
        if marks[best] > marks[worst] and drawn[best].text.strip() and drawn[worst].text.strip():
            found.append(Preference(question, drawn[best], drawn[worst]))
    return found
