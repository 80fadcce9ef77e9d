"""Two sets of responses compared at equal lengths: longer responses share more words by chance.

For every pair of the one set and every pair of the other, all four responses are cut to the length of the shortest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alignbench.metrics.cut_texts import CutSimilarity, CutTexts
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.values import too_few

MIN_WORDS = 5  # of the shortest of four responses: fewer say nothing of how alike they are
MOST_QUADRUPLES = 10_000  # of a prompt: of more, so many are drawn


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
    texts: CutTexts, similarity: CutSimilarity, set_: Ints, reference: Ints, seed: int = 0
) -> MatchedValue:
    """The mean over quadruples, two responses of a set and two of a reference, all cut to the length of the shortest.

    Args:
        texts: the responses of both, and maybe others.
        similarity: of two responses that are cut.
        set_, reference: indices of the responses of each.
        seed: draws the quadruples where there are more than `MOST_QUADRUPLES`.
    """
    if min(len(set_), len(reference)) < 2:
        return MatchedValue(None, None, 0, 0, too_few(2, min(len(set_), len(reference))))
    (a, b), (c, d) = (of[np.array(np.triu_indices(len(of), 1))] for of in (set_, reference))
    pair, other = _quadruples(len(a), len(c), seed)
    shortest = np.minimum.reduce(texts.lengths[[a, b]])[pair], np.minimum.reduce(texts.lengths[[c, d]])[other]
    words = np.minimum(*shortest)
    long_enough = words >= MIN_WORDS
    pair, other, words = pair[long_enough], other[long_enough], words[long_enough]
    values = _at_lengths(similarity, a, b, pair, words), _at_lengths(similarity, c, d, other, words)
    there = ~np.isnan(values[0] + values[1])
    n, skipped = int(there.sum()), len(long_enough) - int(there.sum())
    if not n:
        return MatchedValue(None, None, 0, skipped, f"a response has under {MIN_WORDS} words in all of {skipped} fours")
    return MatchedValue(float(values[0][there].mean()), float(values[1][there].mean()), n, skipped)


def _quadruples(n_pairs: int, n_others: int, seed: int) -> tuple[Ints, Ints]:
    """Each pair with each other pair, or some of those drawn without replacement."""
    total = n_pairs * n_others
    if total <= MOST_QUADRUPLES:
        drawn = np.arange(total)
    else:
        drawn = np.random.default_rng(seed).choice(total, MOST_QUADRUPLES, replace=False, shuffle=False)
    pair, other = np.divmod(drawn, n_others)
    return pair, other


def _at_lengths(similarity: CutSimilarity, first: Ints, second: Ints, pair: Ints, words: Ints) -> Ints:
    """Similarities of pairs (first[i], second[i]) for i of `pair`, each at its number of words; each is asked once."""
    most = int(words.max(initial=0)) + 1
    keys, places = np.unique(pair * most + words, return_inverse=True)
    pair, words = np.divmod(keys, most)
    return similarity(first[pair], second[pair], words)[places]
