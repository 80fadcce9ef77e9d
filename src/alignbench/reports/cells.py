"""What a report asks of single cells: their similarities and their sentences, from the vectors that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.running_cell import CellScores
from alignbench.metrics.sentences import sentences
from alignbench.metrics.values import Value, WordMode
from alignbench.scoring.coverage import Texts
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.spec import content_hash

Sentences = Mapping[int, NDArray[np.float32]]  # sample -> vectors of its sentences (t, dim)


def cell_values(
    texts: Texts, metrics: Sequence[str], mode: WordMode, embeddings: Embeddings | None
) -> dict[str, Value]:
    """The scores of one cell by name; those of embeddings are null with their reason where a text has no vector."""
    cell = CellScores(metrics, mode)
    kept = {} if embeddings is None else embeddings.vectors(texts.values())
    for sample, text in texts.items():
        cell.add(sample, text)
        vector = kept.get(content_hash(text))
        if vector is not None and vector.any():
            cell.add_embedding(sample, vector)
        elif text.strip() and embeddings is not None:
            cell.without_embeddings(embeddings.why_not or "a response has no token to embed")
    return cell.within()


def sentence_vectors(texts: Texts, embeddings: Embeddings) -> Sentences:
    """Of each sample, those of its sentences that have a vector."""
    pieces = {sample: sentences(text) for sample, text in texts.items()}
    kept = embeddings.vectors(piece for said in pieces.values() for piece in said)
    return {
        sample: np.array(
            [vector for piece in said if (vector := kept.get(content_hash(piece))) is not None and vector.any()],
            np.float32,
        )
        for sample, said in pieces.items()
    }
