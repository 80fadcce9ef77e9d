"""Vectors of texts from their words alone, so that scores of meaning can be tried without an embedding model.

A text's vector is the sum of its words', stop words left out. A word's is drawn from a hash of it and one of its first
letters, so that words with one beginning (`talk`, `talking`) point the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.metrics.words import STOP_WORDS, words
from alignbench.progress import Progress, silent
from alignbench.scoring.embedding_cache import Embeddings, Vector

DIMENSIONS = 64
_STEM = 4  # letters
_OF_STEM = 0.8  # of a word's vector, whose length is 1


class BagsOfWords(Embeddings):
    """Embeddings that no model makes. Every text has one, a zero vector where it has no word but stop words."""

    def __init__(self) -> None:
        self.why_not = ""

    def make(
        self, texts: Iterable[str], progress: Progress = silent, *, what: str = "embedding", total: int = 0
    ) -> None:
        """Nothing: a vector is made when it is asked for."""

    def vectors(self, texts: Iterable[str]) -> dict[str, Vector]:
        return {text: _vector(text) for text in texts}


@lru_cache(maxsize=20_000)
def _vector(text: str) -> Vector:
    total = np.zeros(DIMENSIONS)
    for word in words(text):
        if word not in STOP_WORDS:
            total += _word(word)
    length = float(np.linalg.norm(total))
    return (total / length if length else total).astype(np.float32)


@lru_cache(maxsize=200_000)
def _word(word: str) -> Floats:
    both: Floats = _OF_STEM * _direction(word[:_STEM]) + (1 - _OF_STEM**2) ** 0.5 * _direction(f"{word} ")
    return both


@lru_cache(maxsize=200_000)
def _direction(name: str) -> Floats:
    drawn = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=DIMENSIONS).digest(), np.uint8) - 127.5
    direction: Floats = drawn / np.linalg.norm(drawn)
    return direction
