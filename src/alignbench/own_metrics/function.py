"""A user's function as the scores call it: what it has answered is kept, and what failed is counted."""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.own_metrics.process import Answer, MetricProcess

MOST_KEPT = 500_000  # answers
_SHOWN = 3  # reasons in a note

Key = tuple[str, ...] | bytes


@dataclass(frozen=True, slots=True)
class FailedCalls:
    """Calls of a function that gave no value, by why; and of how many."""

    calls: int
    reasons: tuple[tuple[str, int], ...]

    def said(self, name: str) -> str:
        """A line for people, empty where all calls gave a value."""
        failed = sum(n for _, n in self.reasons)
        if not failed:
            return ""
        reasons = "; ".join(f"{reason} ({n})" for reason, n in self.reasons[:_SHOWN])
        more = f"; {len(self.reasons) - _SHOWN} more reasons" if len(self.reasons) > _SHOWN else ""
        return f"{name}: no value from {failed} of {self.calls} calls: {reasons}{more}"


class OwnFunction:
    """A function of a user. Its methods may be called from any thread; equal arguments are asked about once."""

    def __init__(self, process: MetricProcess) -> None:
        self.process = process
        self._kept: dict[Key, Answer] = {}
        self._counting = threading.Lock()
        self._calls = 0
        self._reasons: Counter[str] = Counter()

    def of_texts(self, texts: Sequence[str]) -> Answer:
        """Its value for a set of responses."""
        return self._answers({("", *texts): [list(texts)]})[0]

    def of_vectors(self, vectors: Floats) -> Answer:
        """Its value for the unit vectors (n, dim) of a set."""
        packed = np.ascontiguousarray(vectors, np.float64)
        sent = {"n": len(packed), "vectors": base64.b64encode(packed.tobytes()).decode()}
        return self._answers({packed.tobytes(): [sent]})[0]

    def of_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Answer]:
        """Its value for each pair of texts: the mean of both orders, unless it is symmetric."""
        if self.process.declaration.symmetric:
            return self._asked([(a, b) if a <= b else (b, a) for a, b in pairs])
        there = self._asked([*pairs, *((b, a) for a, b in pairs)])
        return [_mean(*both) for both in zip(there[: len(pairs)], there[len(pairs) :], strict=True)]

    def failures(self) -> FailedCalls:
        """Of all calls so far."""
        with self._counting:
            return FailedCalls(self._calls, tuple(self._reasons.most_common()))

    def _asked(self, pairs: Sequence[tuple[str, str]]) -> list[Answer]:
        found = dict.fromkeys(pairs)
        answers = dict(zip(found, self._answers({pair: [*pair] for pair in found}), strict=True))
        return [answers[pair] for pair in pairs]

    def _answers(self, calls: dict[Any, list[Any]]) -> list[Answer]:
        """Of calls by their key."""
        new = [key for key in calls if key not in self._kept]
        answers = dict(zip(new, self.process.calls([calls[key] for key in new]), strict=True))
        with self._counting:
            self._calls += len(new)
            self._reasons.update(answer.reason for answer in answers.values() if answer.value is None)
        whole = [answers[key] if key in answers else self._kept[key] for key in calls]
        if len(self._kept) + len(answers) > MOST_KEPT:
            self._kept = {}
        self._kept |= answers
        return whole


def _mean(there: Answer, back: Answer) -> Answer:
    if there.value is None or back.value is None:
        return Answer(None, there.reason or back.reason)
    return Answer((there.value + back.value) / 2.0)
