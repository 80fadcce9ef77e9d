"""Conditions compared with the reference, or all with each other, at matched length (see `metrics.length_matched`)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from alignbench.metrics.cut_texts import CutSimilarity, CutText, CutTexts
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
    """Every condition against the reference, on one prompt.

    Args:
        cells: the responses, by condition.
        reference: name of one.
        metrics: names of scores; those that are not lexical are left out.
        lexicon: numbers the words.
        seed: draws the sentences, and the quadruples where there are many.
    """
    formulas = _formulas(metrics)
    values: dict[str, dict[str, MatchedValue]] = {name: {} for name in cells if name != reference}
    if not formulas:
        return values
    texts, rows = _cut_texts(cells, lexicon, seed)
    for metric, cut in formulas.items():
        similarity = cut(texts)
        for name, of_metrics in values.items():
            of_metrics[metric] = matched_value(texts, similarity, rows[name], rows[reference], seed)
    return values


def common_lengths(
    cells: Mapping[str, Texts], metrics: Collection[str], lexicon: Lexicon, seed: int = 0
) -> dict[str, CommonLength]:
    """All conditions at the lengths that they have in common, on one prompt: by metric, the values in their order.

    Args: as of `matched_values`.
    """
    formulas = _formulas(metrics)
    if not formulas:
        return {}
    texts, rows = _cut_texts(cells, lexicon, seed)
    return {metric: at_common_length(texts, cut(texts), [*rows.values()], seed) for metric, cut in formulas.items()}


def _formulas(metrics: Collection[str]) -> dict[str, Callable[[CutTexts], CutSimilarity]]:
    """Of those that are lexical."""
    return {name: cut for name in metrics if name in METRICS and (cut := METRICS[name].cut) is not None}


def _cut_texts(cells: Mapping[str, Texts], lexicon: Lexicon, seed: int) -> tuple[CutTexts, dict[str, Ints]]:
    """The responses of all conditions, and which of them are whose."""
    texts = CutTexts([CutText.of(text, lexicon, seed) for cell in cells.values() for text in cell.values()], lexicon)
    ends = np.cumsum([len(cell) for cell in cells.values()])
    return texts, {name: np.arange(end - len(cells[name]), end) for name, end in zip(cells, ends.tolist(), strict=True)}


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
