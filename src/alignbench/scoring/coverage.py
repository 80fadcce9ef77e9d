"""Coverage between two sets of responses to one prompt, from the vectors of their sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.coverage import best_matches, coverage, coverage_at
from alignbench.metrics.values import Cross, too_few

Sentences = Mapping[int, NDArray[np.float32]]  # sample -> vectors of its sentences (t, dim)


def cross_coverage(reference: Sentences, other: Sentences, why_not: str) -> Cross:
    """Share of the other's sentences that one response of the reference says too: the mean over its responses.

    With one object on both sides a response meets the sentences of the other samples only. why_not: why there are no
    vectors, where there are none. Beside it stand, as `extra`, `reverse`: the share of the reference's sentences that
    one response of the other says; and `equal_sentences`: the share where each response of the reference speaks with
    as many of its sentences as the shortest response of both has, since a longer one covers more by saying more.
    """
    ceiling, ceiling_reason = _share(reference, reference, why_not)
    value, reason = (ceiling, ceiling_reason) if other is reference else _share(reference, other, why_not)
    n_pairs = len(reference) * (len(other) - (other is reference))
    extra = {}
    if value is not None:
        shortest = min(len(vectors) for cell in (reference, other) for vectors in cell.values() if len(vectors))
        reverse, equal = _share(other, reference, why_not)[0], _share(reference, other, why_not, shortest)[0]
        extra = {name: found for name, found in (("reverse", reverse), ("equal_sentences", equal)) if found is not None}
    return Cross(value, n_pairs, ceiling, reason, ceiling_reason, extra=extra)


def _share(
    reference: Sentences, other: Sentences, why_not: str, n_sentences: int | None = None
) -> tuple[float | None, str]:
    """Of the other's sentences, over those responses of the reference that are no sample of their own; or a reason.

    n_sentences: with how many of its sentences a response of the reference speaks, all of them by default.
    """
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
        sought = np.concatenate(rest)
        if n_sentences is None:
            share = coverage(best_matches(sought, [said]))
        else:
            share = coverage_at(sought, [said], n_sentences)
        n = sum(map(len, rest))
        covered, total = covered + (share or 0.0) * n, total + n
    return (covered / total, "") if total else (None, why_not or "no response has a sentence")
