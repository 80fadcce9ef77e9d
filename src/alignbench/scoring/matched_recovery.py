"""Conditions between floor and ceiling at matched length (see `metrics.length_matched.matched_similarity`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from alignbench.metrics.cut_texts import CutText, CutTexts
from alignbench.metrics.intervals import Interval
from alignbench.metrics.length_matched import matched_similarity
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import Cross
from alignbench.scoring.aggregate import ScoreKey
from alignbench.scoring.held_out import WHOLE, HeldOut, ReferencePart
from alignbench.scoring.prompt_scores import Comparisons, PromptScores
from alignbench.scoring.responses import Texts


@dataclass(frozen=True, slots=True)
class MatchedRecoveries:
    """Conditions between floor and ceiling at matched length, on one prompt.

    Attributes:
        scores: what `aggregate.score_tables` takes.
        gaps: intervals of ceiling minus floor.
    """

    scores: PromptScores
    gaps: Mapping[ScoreKey, Interval]


def matched_recoveries(
    cells: Mapping[str, Texts],
    rule: HeldOut,
    metrics: Collection[str],
    lexicon: Lexicon,
    seed: int = 0,
) -> MatchedRecoveries:
    """Every other condition between floor and ceiling, against the samples of the reference that it is not made from.

    Args:
        cells: the responses, by condition.
        rule: which of them is reference and floor, and what is held out.
        metrics: names of scores; those that are not lexical are left out.
        lexicon: numbers the words.
        seed: draws the sentences, and the fours where there are many.
    """
    formulas = {name: cut for name in metrics if name in METRICS and (cut := METRICS[name].cut) is not None}
    keys = [(name, sample) for name, of in cells.items() for sample in of]
    texts = CutTexts([CutText.of(cells[name][sample], lexicon, seed) for name, sample in keys], lexicon)

    def rows(condition: str, part: ReferencePart = WHOLE) -> Ints:
        return np.array([i for i, (name, sample) in enumerate(keys) if name == condition and sample in part], np.int64)

    cross: dict[str, dict[str, Cross]] = {name: {} for name in cells}
    floors: dict[str, dict[str, Cross]] = {name: {} for name in cells}
    gaps: dict[ScoreKey, Interval] = {}
    for metric, cut in formulas.items():
        similarity = cut(texts)
        for name in cells.keys() - {rule.reference, rule.floor}:
            own = rows(rule.reference, rule.part(name))
            floor, whole = rows(rule.floor or ""), rows(rule.reference)
            found = matched_similarity(texts, similarity, rows(name), floor, own, whole, seed)
            cross[name][metric] = Cross(found.value, found.n, found.ceiling, found.reason, found.reason)
            floors[name][metric] = Cross(found.floor, found.n, found.ceiling, found.reason, found.reason)
            if found.gap_ci is not None:
                gaps["gap", name, metric] = found.gap_ci
    return MatchedRecoveries(PromptScores(held_out=Comparisons(cross, floors)), gaps)
