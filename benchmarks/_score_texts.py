"""Responses as benchmarks of scores need them: English in its frequencies, if not in its words."""

from __future__ import annotations

import numpy as np

from alignbench.metrics.words import STOP_WORDS

N_WORDS = 480
LETTERS = "etaoinshrdlcumwfgypbvk"


def texts(n: int, seed: int) -> list[str]:
    """n texts of N_WORDS words, a sentence every twelve; half of the words are stop words, as in English."""
    rng = np.random.default_rng(seed)
    spell = np.random.default_rng(0)
    lexicon = ["".join(spell.choice(list(LETTERS), size=size)) for size in spell.integers(3, 10, size=20_000)]
    ranks = np.arange(1, len(lexicon) + 1)
    content = rng.choice(lexicon, size=(n, N_WORDS), p=(1 / ranks) / (1 / ranks).sum())
    function = rng.choice(sorted(STOP_WORDS), size=(n, N_WORDS))
    words = np.where(rng.random((n, N_WORDS)) < 0.5, content, function)
    return [" ".join(f"{w}." if i % 12 == 11 else str(w) for i, w in enumerate(row)) for row in words]
