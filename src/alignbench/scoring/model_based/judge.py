"""Scores of one set that rest on a judge's grades: its quality, and the diversity of what is good enough."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignbench.config import NOT_IN_USE
from alignbench.judging.qualities import THRESHOLD, Qualities
from alignbench.metrics.judged import effective_diversity, novelty_gains, novelty_utility
from alignbench.metrics.semantic import CLASS_THRESHOLD, cosine_matrix, threshold_classes
from alignbench.metrics.values import Value, too_few
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import Responses

QUALITY = "quality"
EFFECTIVE = "effective_diversity"
PASSING = "distinct_passing"
UTILITY = "novelty_utility"
JUDGED = (QUALITY, EFFECTIVE, PASSING, UTILITY)

_UNGRADED = "no response has a grade"


@dataclass(frozen=True, slots=True)
class JudgedScores:
    """threshold: least quality that passes the gate, on the judge's scale of 1 to 5. class_threshold: cosine from which
    two responses are one answer."""

    qualities: Qualities
    embeddings: Embeddings | None
    threshold: float = THRESHOLD
    class_threshold: float = CLASS_THRESHOLD

    def within(self, responses: Responses) -> dict[tuple[str, str], dict[str, Value]]:
        """The four scores of `JUDGED` by prompt and condition, over the responses that have a grade."""
        scores: dict[tuple[str, str], dict[str, Value]] = {}
        for prompt in responses.prompts:
            cells = responses.cells(prompt)
            for condition in responses.conditions:
                texts = cells.get(condition, {})
                grades = {i: self.qualities.of.get((condition, prompt, i)) for i in sorted(texts)}
                graded = {i: grade for i, grade in grades.items() if grade is not None}
                scores[prompt, condition] = self._cell(texts, graded)
        return scores

    def _cell(self, texts: Mapping[int, str], graded: Mapping[int, float]) -> dict[str, Value]:
        n = len(graded)
        if not n:
            return dict.fromkeys(JUDGED, Value(None, 0, _UNGRADED))
        quality = {QUALITY: Value(statistics.fmean(graded.values()), n)}
        vectors = self._vectors([texts[i] for i in graded])
        if vectors is None:
            reason = "a graded response has no embedding"
            if self.embeddings is None or self.embeddings.why_not:
                reason = self.embeddings.why_not if self.embeddings else NOT_IN_USE
            return {**quality, **dict.fromkeys(JUDGED[1:], Value(None, n, reason))}
        cosines = cosine_matrix(vectors, vectors)
        passed = [grade >= self.threshold for grade in graded.values()]
        labels = threshold_classes(cosines, self.class_threshold)
        distinct = {label for label, good in zip(labels, passed, strict=True) if good}
        effective = effective_diversity(cosines, passed)
        return {
            **quality,
            EFFECTIVE: Value(effective, n, too_few(2, n) if effective is None else ""),
            PASSING: Value(len(distinct) / n, n),
            UTILITY: Value(novelty_utility(novelty_gains(labels, [*graded.values()])), n),
        }

    def _vectors(self, texts: list[str]) -> NDArray[np.float32] | None:
        """Of all of the texts, (n, dim), or none."""
        kept = {} if self.embeddings is None else self.embeddings.vectors(texts)
        vectors = [kept[text] for text in texts if text in kept and kept[text].any()]
        return np.array(vectors, np.float32) if len(vectors) == len(texts) else None
