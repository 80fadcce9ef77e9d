"""Conditions compared with the reference, or all with each other, at matched length (see `metrics.length_matched`)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from alignbench.metrics.cut_texts import CutText, CutTexts
from alignbench.metrics.length_matched import CommonLength, MatchedValue, at_common_length, matched_value
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.ngrams import Ints
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import Uncertainty, holm_corrected
from alignbench.scoring.responses import Texts
from alignbench.scoring.score_tables import MatchedEstimate

MatchedValues = Mapping[str, Mapping[str, MatchedValue]]
"""Of one prompt, by condition and metric; the reference is not among the conditions."""

_ABSENT = MatchedValue(None, None, 0, 0, "not computed")


def matched_values(
    cells: Mapping[str, Texts], reference: str, metrics: Collection[str], lexicon: Lexicon, seed: int = 0
) -> dict[str, dict[str, MatchedValue]]:
    """Every condition against the reference, on one prompt. reference: name of one; the others: see `MatchedTexts`."""
    texts = MatchedTexts(cells, metrics, lexicon, seed)
    return {name: texts.values(name, reference) for name in cells if name != reference}


class MatchedTexts:
    """The responses to a prompt, each cut once however many sets of them are compared."""

    def __init__(self, cells: Mapping[str, Texts], metrics: Collection[str], lexicon: Lexicon, seed: int = 0) -> None:
        """
        Args:
            cells: the responses, by condition.
            metrics: names of scores; those that are not lexical are left out.
            lexicon: numbers the words.
            seed: draws the sentences, and the quadruples where there are many.
        """
        self._seed = seed
        formulas = {name: cut for name in metrics if name in METRICS and (cut := METRICS[name].cut) is not None}
        if not formulas:
            cells = {}
        keys = [(name, sample) for name, cell in cells.items() for sample in cell]
        self._rows = {name: {sample: i for i, (of, sample) in enumerate(keys) if of == name} for name in cells}
        self._texts = CutTexts([CutText.of(cells[name][sample], lexicon, seed) for name, sample in keys], lexicon)
        self._similarities = {name: cut(self._texts) for name, cut in formulas.items()}

    def values(
        self,
        condition: str,
        reference: str,
        samples: Collection[int] | None = None,
        of_reference: Collection[int] | None = None,
    ) -> dict[str, MatchedValue]:
        """Of some samples of a condition against some of another one or of the same, by metric; all by default."""
        if not self._similarities:
            return {}
        rows, others = self._of(condition, samples), self._of(reference, of_reference)
        return {
            metric: matched_value(self._texts, similarity, rows, others, self._seed)
            for metric, similarity in self._similarities.items()
        }

    def at_common_length(self) -> dict[str, CommonLength]:
        """All conditions at the lengths that they have in common, by metric: the values in their order."""
        sets = [self._of(name, None) for name in self._rows]
        return {
            metric: at_common_length(self._texts, similarity, sets, self._seed)
            for metric, similarity in self._similarities.items()
        }

    def _of(self, condition: str, samples: Collection[int] | None) -> Ints:
        rows = self._rows[condition]
        return np.array([*rows.values()] if samples is None else [rows[sample] for sample in samples], np.int64)


def matched_estimates(
    prompts: Sequence[MatchedValues], uncertainty: Uncertainty
) -> dict[str, dict[str, MatchedEstimate]]:
    """Means over prompts by condition and metric, their differences corrected for all that are tested here."""
    keys = [*dict.fromkeys((name, metric) for prompt in prompts for name, of in prompt.items() for metric in of)]
    if not keys:
        return {}
    columns = {key: [prompt.get(key[0], {}).get(key[1], _ABSENT) for prompt in prompts] for key in keys}
    values = np.array([[_numbers(of) for of in column] for column in columns.values()], np.float64)
    bounds = [METRICS[metric].bounds for _, metric in keys]
    differences = uncertainty.differences(values[:, :, 0].T, values[:, :, 1].T, bounds)
    corrected = holm_corrected(dict(zip(keys, differences, strict=True)))
    estimates: dict[str, dict[str, MatchedEstimate]] = {}
    for (key, column), sides in zip(columns.items(), values, strict=True):
        there = sides[~np.isnan(sides[:, 0])]
        value, reference = there.mean(axis=0).tolist() if len(there) else (None, None)
        estimates.setdefault(key[0], {})[key[1]] = MatchedEstimate(
            value=value,
            reference=reference,
            difference=corrected[key],
            skipped=sum(of.skipped for of in column),
            reason="" if len(there) else statistics.mode(of.reason for of in column),
        )
    return estimates


def _numbers(of: MatchedValue) -> tuple[float, float]:
    """Of both sides, NaN where there is no value."""
    return (math.nan, math.nan) if of.value is None or of.reference is None else (of.value, of.reference)
