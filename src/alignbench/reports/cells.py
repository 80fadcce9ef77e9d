"""The scores of single cells that a report asks for, from the vectors that are kept."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.metrics.running_cell import CellScores
from alignbench.metrics.values import Value, WordMode
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import Texts


def cell_values(
    texts: Texts, metrics: Sequence[str], mode: WordMode, embeddings: Embeddings | None
) -> dict[str, Value]:
    """The scores of one cell by name; those of embeddings are null with their reason where a text has no vector."""
    cell = CellScores(metrics, mode)
    if embeddings is not None and embeddings.why_not:
        cell.without_embeddings(embeddings.why_not)
    kept = {} if embeddings is None else embeddings.vectors(texts.values())
    for sample, text in texts.items():
        cell.add(sample, text)
        if text in kept:
            cell.add_embedding(sample, kept[text])
    return cell.within()
