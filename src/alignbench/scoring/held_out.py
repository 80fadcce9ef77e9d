"""Similarity to the reference's samples that a context does not tell of, and to those that it does.

A hint is made of a sample, so a response under it is compared with the reference's other samples: the figure that stays
is what the hint brought out of the model rather than what it gave away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from alignbench.contexts.source_samples import samples_in_context
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import WORKBENCH, WordMode
from alignbench.scoring.aggregate import HeldOut
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import Responses
from alignbench.spec import Condition, content_hash

_Vectors = Mapping[str, NDArray[np.float32]]


def held_out(
    responses: Responses,
    prompt: str,
    embeddings: Embeddings | None,
    reference: str,
    sources: Mapping[str, Collection[int]],
    metrics: Collection[str],
    mode: WordMode = WORKBENCH,
) -> dict[str, dict[str, HeldOut]]:
    """By condition and metric, of one prompt. sources: by condition, the reference's samples that its context tells of.

    metrics: live similarities. embeddings: whose vectors are used where they are kept.
    """
    cells = responses.cells(prompt)
    teacher = cells.get(reference, {})
    splits = {}
    for condition, indices in sources.items():
        texts = cells.get(condition, {})
        vectors = embeddings.vectors([*teacher.values(), *texts.values()]) if embeddings is not None else {}
        own = _cell(texts, vectors, metrics, mode)
        apart = {i: text for i, text in teacher.items() if i not in indices}
        source_samples = {i: text for i, text in teacher.items() if i in indices}
        rest = CellPair(_cell(apart, vectors, metrics, mode), own).cross()
        source = CellPair(_cell(source_samples, vectors, metrics, mode), own).cross()
        splits[condition] = {name: HeldOut(rest[name].value, source[name].value) for name in rest}
    return splits


def source_conditions(conditions: Iterable[Condition], reference: str | None) -> dict[str, frozenset[int]]:
    """The conditions whose contexts tell of samples of the reference, with the indices of these."""
    if reference is None:
        return {}
    sources = {c.name: samples_in_context(c.context, reference) for c in conditions if c.name != reference}
    return {name: indices for name, indices in sources.items() if indices}


def _cell(texts: Mapping[int, str], vectors: _Vectors, metrics: Collection[str], mode: WordMode) -> CellScores:
    cell = CellScores(metrics, mode)
    for sample, text in texts.items():
        cell.add(sample, text)
        vector = vectors.get(content_hash(text))
        if vector is not None and vector.any():
            cell.add_embedding(sample, vector)
    return cell
