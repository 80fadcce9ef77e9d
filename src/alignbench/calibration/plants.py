"""The ways in which texts are changed so that conditions differ in what is known, or in nothing that counts."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.calibration.bags import BagsOfWords
from alignbench.calibration.planted import Rng
from alignbench.metrics.coverage import COVERAGE_THRESHOLD
from alignbench.metrics.sentences import sentences
from alignbench.metrics.words import words
from alignbench.scoring.embedding_cache import Vector
from alignbench.scoring.responses import opening

_BAGS = BagsOfWords()


def repeating(texts: Sequence[str], template: str, share: float, rng: Rng) -> list[str]:
    """Each sentence is one of the template's with this probability, so responses share more words."""
    said = sentences(template)
    if not said:
        return [*texts]
    return [
        " ".join(said[int(rng.integers(len(said)))] if rng.random() < share else own for own in sentences(text))
        for text in texts
    ]


def some_sentences(text: str, n_words: int, rng: Rng) -> str:
    """Whole sentences at random, in their order, the last one drawn cut so that there are so many words."""
    pieces = sentences(text)
    drawn: dict[int, str] = {}
    for i in rng.permutation(len(pieces)).tolist():
        if n_words <= 0:
            break
        drawn[i] = opening(pieces[i], n_words)
        n_words -= len(words(drawn[i]))
    return " ".join(drawn[i] for i in sorted(drawn))


def longer(texts: Sequence[str], more: Sequence[str], share: float, rng: Rng) -> list[str]:
    """Each text goes on with sentences of another one, this share of the other's words."""
    return [
        f"{text} {some_sentences(other, round(share * len(words(other))), rng)}"
        for text, other in zip(texts, more, strict=True)
    ]


def otherwise_written(text: str) -> str:
    """The same words in other letters and spaces, with other marks between them."""
    return text.upper().replace(". ", " !\n\n").replace(" ", "  ")


def union(texts: Sequence[str]) -> str:
    """One response that says what all of these do, what two say alike once."""
    said: list[str] = []
    vectors: list[Vector] = []
    for sentence in (sentence for text in texts for sentence in sentences(text)):
        vector = _BAGS.vectors([sentence])[sentence]
        if all(float(vector @ other) < COVERAGE_THRESHOLD for other in vectors):
            said.append(sentence)
            vectors.append(vector)
    return " ".join(said)


def nonce_words(n: int, rng: Rng) -> str:
    """A sentence of words that no other text has."""
    return " ".join(f"{number:09d}q" for number in rng.integers(0, 10**9, n).tolist()).capitalize() + "."


def nonsense(text: str, rng: Rng) -> str:
    """As many sentences of as many words that no other text has."""
    return " ".join(nonce_words(len(words(sentence)), rng) for sentence in sentences(text))
