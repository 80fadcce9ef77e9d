"""Coverage between two sets of responses to one prompt, from the vectors of their sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alignbench.scores.coverage import best_matches, coverage
from alignbench.scores.values import Cross, too_few

Sentences = Mapping[int, NDArray[np.float32]]  # sample -> vectors of its sentences (t, dim)


def cross_coverage(reference: Sentences, other: Sentences, why_not: str) -> Cross:
    """Share of the other's sentences that one response of the reference says too: the mean over its responses.

    With one object on both sides a response meets the sentences of the other samples only. why_not: why there are no
    vectors, where there are none.
    """
    ceiling, ceiling_reason = _share(reference, reference, why_not)
    value, reason = (ceiling, ceiling_reason) if other is reference else _share(reference, other, why_not)
    n_pairs = len(reference) * (len(other) - (other is reference))
    return Cross(value, n_pairs, ceiling, reason, ceiling_reason)


def _share(reference: Sentences, other: Sentences, why_not: str) -> tuple[float | None, str]:
    """Of the other's sentences, over those responses of the reference that are no sample of their own; or a reason."""
    if not len(reference):
        return None, "the reference has no samples"
    needed = 1 + (other is reference)
    if len(other) < needed:
        return None, too_few(needed, len(other))
    covered = total = 0.0
    for sample, said in reference.items():
        rest = [vectors for i, vectors in other.items() if len(vectors) and not (other is reference and i == sample)]
        if not rest:
            continue
        share = coverage(best_matches(np.concatenate(rest), [said]))
        n = sum(map(len, rest))
        covered, total = covered + (share or 0.0) * n, total + n
    return (covered / total, "") if total else (None, why_not or "no response has a sentence")
