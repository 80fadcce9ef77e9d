"""Which sentences of a response others say too, and where: coverage, looked at sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.semantic import cosine_matrix
from alignbench.metrics.sentences import sentences
from alignbench.metrics.values import Cross
from alignbench.scoring.coverage import Sentences, cross_coverage
from alignbench.scoring.embeddings import Embeddings
from alignbench.spec import content_hash

Texts = Mapping[int, str]  # sample -> its text
Progress = Callable[[int, int], None]  # how many sentences are dealt with, of how many


@dataclass(frozen=True, slots=True)
class Match:
    """A sentence, and the sentence of other responses that is most like it.

    similarity: their cosine, -1 to 1; None where there is none to compare with. sample, best: whose it is and what it
    says. similarities: by sample of the others, the cosine of the best match there.
    """

    sentence: str
    similarity: float | None = None
    sample: int | None = None
    best: str = ""
    similarities: Mapping[int, float] | None = None


def best_sentences(text: str, others: Texts, embeddings: Embeddings, progress: Progress) -> list[Match]:
    """For each sentence of a text its best match among the sentences of the others."""
    embed_sentences([text, *others.values()], embeddings, progress)
    own, own_vectors = _vectors(text, embeddings)
    best: list[Match] = [Match(sentence) for sentence in sentences(text)]
    found: dict[str, Match] = {}
    for sample, other in others.items():
        theirs, their_vectors = _vectors(other, embeddings)
        if not len(own) or not len(theirs):
            continue
        cosines = cosine_matrix(own_vectors, their_vectors)
        for sentence, row in zip(own, cosines, strict=True):
            at = int(row.argmax())
            before = found.get(sentence, Match(sentence))
            all_of_them = {**(before.similarities or {}), sample: float(row[at])}
            if before.similarity is None or row[at] > before.similarity:
                found[sentence] = Match(sentence, float(row[at]), sample, theirs[at], all_of_them)
            else:
                found[sentence] = Match(sentence, before.similarity, before.sample, before.best, all_of_them)
    return [found.get(match.sentence, match) for match in best]


def coverages(
    cells: Mapping[str, Texts], reference: str, embeddings: Embeddings, progress: Progress
) -> dict[str, Cross]:
    """Coverage of each condition by the reference (see `cross_coverage`), itself included, for one prompt."""
    embed_sentences([text for texts in cells.values() for text in texts.values()], embeddings, progress)
    of: dict[str, Sentences] = {
        name: {sample: _vectors(text, embeddings)[1] for sample, text in texts.items()} for name, texts in cells.items()
    }
    return {name: cross_coverage(of[reference], vectors, embeddings.why_not) for name, vectors in of.items()}


def embed_sentences(texts: list[str], embeddings: Embeddings, progress: Progress) -> None:
    """Embed the sentences of texts that are not kept yet."""
    pieces = [sentence for text in texts for sentence in sentences(text)]
    embeddings.make(pieces, lambda done: progress(done, len(pieces)))


def _vectors(text: str, embeddings: Embeddings) -> tuple[list[str], NDArray[np.float32]]:
    """The sentences of a text that have a vector, and those vectors (t, dim)."""
    pieces = sentences(text)
    kept = embeddings.vectors(pieces)
    there = [piece for piece in pieces if (vector := kept.get(content_hash(piece))) is not None and vector.any()]
    return there, np.array([kept[content_hash(piece)] for piece in there], np.float32)
