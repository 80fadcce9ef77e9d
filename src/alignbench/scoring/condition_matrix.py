"""The matrix of conditions: how alike the responses of each two of them are, over prompts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from alignbench.config import NOT_IN_USE
from alignbench.contexts.source_samples import Sources, SourceSamples, no_sources
from alignbench.metrics.arrays import Floats
from alignbench.metrics.condition_matrix import mean_blocks, mean_cosines
from alignbench.metrics.estimates import Estimate, mean_estimates
from alignbench.metrics.formula import CosineFormula, PairFormula
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH, WordMode
from alignbench.metrics.word_table import Documents, WordTable
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import CellTexts, Responses, Texts

MATRICES = ("embedding_similarity", "jaccard")
"""The similarities that there is a matrix of."""
LEAST_RANGE = 0.2
"""Of the colours of a heat map: values that are hardly apart look alike."""

_Sets = Sequence[Texts]
_Means = Callable[[_Sets], Floats]  # (C, C) of C sets of texts


@dataclass(frozen=True, slots=True)
class ConditionMatrix:
    """Means over prompts.

    Attributes:
        metric: The similarity.
        conditions: Names, in order.
        cells: By two names, in both orders alike; of one name twice between its different samples. Between the
            reference and a condition that is made from samples of it without these (see `held_out`).
        prompts: How many were compared.
        reason: Why there is none; empty where there is one.
    """

    metric: str
    conditions: tuple[str, ...] = ()
    cells: Mapping[tuple[str, str], Estimate] = field(default_factory=dict)
    prompts: int = 0
    reason: str = ""

    def values(self) -> Floats:
        """(C, C), NaN where there is none."""
        cells = [[self.cells[a, b].value for b in self.conditions] for a in self.conditions]
        return np.array([[np.nan if value is None else value for value in row] for row in cells], np.float64)

    def colour_ends(self) -> tuple[float, float]:
        """The values of the first and the last colour of a heat map: the lowest and the highest of all, moved apart to
        `LEAST_RANGE` at least, inside the bounds of the similarity. Of a matrix that has a value."""
        values = self.values()
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if (missing := LEAST_RANGE - (high - low)) <= 0:
            return low, high
        least, most = METRICS[self.metric].bounds
        low, high = low - missing / 2, high + missing / 2
        moved = max(0.0, least - low) - max(0.0, high - most)
        return low + moved, high + moved


def condition_matrix(
    metric: str,
    responses: Responses,
    embeddings: Embeddings | None,
    uncertainty: Uncertainty,
    *,
    reference: str | None = None,
    sources: Sources = no_sources,
    mode: WordMode = WORKBENCH,
) -> ConditionMatrix:
    """Of all prompts; one that rests on embeddings of those that are not contested, where they see what is said.

    Args:
        metric: One of `MATRICES`, or another similarity of two sets of texts.
        responses: What is compared. Empty responses are left out.
        embeddings: Of whole responses, for what rests on them; those that are kept are used, none is made.
        uncertainty: Of means over prompts.
        reference: Name of a condition; None without one.
        sources: Its samples that contexts are made from.
        mode: How texts become words.
    """
    means, prompts = _texts_compared(metric, mode), [*responses.prompts]
    if means is None:
        if embeddings is None:
            return ConditionMatrix(metric, reason=NOT_IN_USE)
        means = _vectors_compared(embeddings)
        prompts = [prompt for prompt in prompts if prompt not in responses.contested]
        if not prompts:
            return ConditionMatrix(metric, reason="embeddings do not see stance, and every prompt is contested")
    names = responses.conditions
    of_prompts = {
        prompt: _of_prompt(responses.cells(prompt), names, means, reference, sources(prompt)) for prompt in prompts
    }
    if all(np.isnan(matrix).all() for matrix in of_prompts.values()):
        why = embeddings.why_not if embeddings is not None and metric == MATRICES[0] else ""
        return ConditionMatrix(metric, reason=why or "no two responses to compare")
    upper = [(i, j) for i in range(len(names)) for j in range(i, len(names))]
    columns = {(i, j): {p: _known(matrix[i, j]) for p, matrix in of_prompts.items()} for i, j in upper}
    bounds = dict.fromkeys(upper, METRICS[metric].bounds)
    estimates = mean_estimates(columns, uncertainty, bounds, dict.fromkeys(upper, "no two responses to compare"))
    cells = {(names[i], names[j]): one for (i, j), one in estimates.items()}
    cells |= {(b, a): one for (a, b), one in cells.items()}
    return ConditionMatrix(metric, names, cells, len(prompts))


def _of_prompt(
    cells: CellTexts, names: Sequence[str], means: _Means, reference: str | None, sources: SourceSamples
) -> Floats:
    """(C, C). Conditions that are made from samples of the reference meet the others of them."""
    there = [cells.get(name, {}) for name in names]
    matrix = means(there)
    if reference not in names:
        return matrix
    at = names.index(reference)
    parts: dict[frozenset[int], list[int]] = {}
    for i, name in enumerate(names):
        if i != at and sources.get(name):
            parts.setdefault(frozenset(sources[name]), []).append(i)
    for source, made in parts.items():
        held_out = _without(there[at], source)
        beside = means([held_out, *(there[i] for i in made)])
        for place, i in enumerate(made, start=1):
            matrix[i, at] = matrix[at, i] = beside[0, place]
    return matrix


def _without(texts: Texts, samples: Collection[int]) -> Texts:
    return {sample: text for sample, text in texts.items() if sample not in samples}


def _vectors_compared(embeddings: Embeddings) -> _Means:
    def means(sets: _Sets) -> Floats:
        kept = embeddings.vectors({text: None for texts in sets for text in texts.values()})
        there = {text: vector for text, vector in kept.items() if vector.any()}
        return mean_cosines([[there[text] for text in texts.values() if text in there] for texts in sets])

    return means


def _texts_compared(metric: str, mode: WordMode) -> _Means | None:
    """None of what is compared by embeddings; ValueError of what does not compare two sets by pairs."""
    formula = METRICS[metric].formula
    if isinstance(formula, CosineFormula):
        return None
    if not isinstance(formula, PairFormula):
        raise ValueError(f"{metric} is no mean over pairs of responses")
    lexicon = Lexicon(mode, stem)

    def means(sets: _Sets) -> Floats:
        documents = [Documents.of(texts, lexicon).compared(mode) for texts in sets]
        table = WordTable(documents, lexicon)
        everything = slice(0, table.n)
        return mean_blocks(formula.counted(table)(everything, everything), [len(one.words) for one in documents])

    return means


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
