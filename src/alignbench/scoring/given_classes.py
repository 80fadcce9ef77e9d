"""Scores of classes of responses where something other than embeddings says which are the same answer."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alignbench.metrics.semantic import classes, classes_of_set
from alignbench.metrics.values import Value
from alignbench.metrics.words import is_empty
from alignbench.scoring.aggregate import EQUAL_N
from alignbench.scoring.equivalence import CLASSES, Equivalence
from alignbench.scoring.responses import Responses, Texts

SamePairs = Mapping[tuple[int, int], bool]
"""Of two samples of a cell by index, the lower one first: whether they are the same answer."""

PairsOf = Callable[[str, str, Texts], SamePairs]
"""Prompt, condition and the responses that are not empty -> the pairs that are known."""

NOT_JUDGED = "a pair of responses has no judgment of whether it is one answer"


@dataclass(frozen=True, slots=True)
class ClassScores:
    """What responses are one answer by.

    Attributes:
        equivalence: how it came about.
        scores: `CLASSES` by prompt and condition; none where they come from cosines.
        notes: what a reader has to know beside.
    """

    equivalence: Equivalence = field(default_factory=Equivalence)
    scores: Mapping[tuple[str, str], Mapping[str, Value]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def given_classes(responses: Responses, pairs_of: PairsOf) -> dict[tuple[str, str], dict[str, Value]]:
    """`CLASSES` by prompt and condition: a sample joins the first answer whose first sample says the same.

    Where conditions differ in samples of a prompt, `equal_n` is what as many of them as all have would show on average.
    """
    scores: dict[tuple[str, str], dict[str, Value]] = {}
    for prompt in responses.prompts:
        cells = {
            name: {i: text for i, text in sorted(texts.items()) if not is_empty(text)}
            for name, texts in responses.cells(prompt).items()
        }
        fewest = min((len(texts) for texts in cells.values() if texts), default=0)
        for name in responses.conditions:
            texts = cells.get(name, {})
            labels = _labels([*texts], pairs_of(prompt, name, texts)) if texts else None
            scores[prompt, name] = _scores(labels, len(texts), fewest)
    return scores


def _labels(samples: Sequence[int], same: SamePairs) -> tuple[int, ...] | None:
    """None where a pair that decides is not known."""
    try:
        return classes(len(samples), lambda i, j: same[samples[i], samples[j]])
    except KeyError:
        return None


def _scores(labels: Sequence[int] | None, n: int, fewest: int) -> dict[str, Value]:
    if labels is None:
        return dict.fromkeys(CLASSES, Value(None, n, NOT_JUDGED if n else "no response says anything"))
    values = classes_of_set(labels)
    if n == fewest:
        return values
    at_n = at_equal_n(labels, fewest)
    return {name: replace(value, extra={**value.extra, EQUAL_N: at_n[name]}) for name, value in values.items()}


def at_equal_n(labels: Sequence[int], n: int) -> dict[str, float]:
    """What n of these samples, drawn without replacement, show on average: classes, and their entropy. Exact."""
    total, sizes = len(labels), Counter(labels).values()
    of = math.comb(total, n)
    found = math.fsum(1.0 - math.comb(total - size, n) / of for size in sizes)
    entropy = math.fsum(
        -math.comb(size, k) * math.comb(total - size, n - k) / of * (k / n) * math.log(k / n)
        for size in sizes
        for k in range(1, min(size, n) + 1)
    )
    return dict(zip(CLASSES, (found, abs(entropy)), strict=True))
