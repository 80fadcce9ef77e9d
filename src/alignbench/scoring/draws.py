"""Which samples are draws from their condition: of answers that came in one reply, one.

A reply that gives several answers (verbalized sampling) is a single draw: its answers were written to differ from each
other, so pairs of them say nothing of how alike two draws are. It states a distribution over its answers, and counts
as a draw from that: one answer, with the probability that it was given. So n is the number of replies, intervals are
over them, and means over many replies are, without bias, those of the stated distributions.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from functools import lru_cache

from alignbench.experiments.verbalized import stated_probabilities
from alignbench.spec import content_hash
from alignbench.store import SampleRow


def is_draw(row: SampleRow) -> bool:
    """Whether a finished sample is a draw: any that stands alone, and of a reply's answers the one that is drawn."""
    if row.probability is None:
        return True
    stated = _stated(row.raw_text)
    if not stated:  # whatever gave it, it came alone
        return True
    reply, answer = divmod(row.sample, len(stated))
    return answer == _drawn(stated, content_hash([row.prompt, reply, row.raw_text]))


@lru_cache(maxsize=1024)
def _stated(reply: str) -> tuple[float, ...]:
    return stated_probabilities(reply)


def _drawn(probabilities: tuple[float, ...], key: str) -> int:
    """An index, the same for the same key; those that are all 0 are as good as equal."""
    weights = probabilities if any(probabilities) else (1.0,) * len(probabilities)
    sums = [*itertools.accumulate(weights)]
    return min(bisect_right(sums, int(key[:13], 16) / 16**13 * sums[-1]), len(sums) - 1)
