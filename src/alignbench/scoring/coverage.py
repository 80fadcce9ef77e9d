"""Coverage between sets of responses to one prompt, in numbers and sentence by sentence, from sentence vectors."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.coverage import best_matches, coverage, coverage_at
from alignbench.metrics.semantic import cosine_matrix
from alignbench.metrics.sentences import sentences
from alignbench.metrics.values import Cross, too_few
from alignbench.progress import Progress
from alignbench.scoring.embedding_cache import Embeddings, Vector
from alignbench.scoring.held_out import HeldOut, ReferencePart
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.responses import Texts

COVERAGE = "coverage"

SentenceVectors = Mapping[int, NDArray[np.float32]]  # sample -> vectors of its sentences (t, dim)


def cross_coverage(
    reference: SentenceVectors, other: SentenceVectors, why_not: str, part: Container[int] | None = None
) -> Cross:
    """Share of the other's sentences that one response of the reference says too: the mean over its responses.

    With one object on both sides a response meets the sentences of the other samples only. why_not: why there are no
    vectors, where there are none. part: those of the reference's samples that the other is compared with, all by
    default; the ceiling is of all. Beside it stand, as `extra`, `reverse`: the share of the reference's sentences that
    one response of the other says; and `equal_sentences`: the share where each response of the reference speaks with
    as many of its sentences as the shortest response of both has, since a longer one covers more by saying more.
    """
    ceiling, ceiling_reason = _share(reference, reference, why_not)
    value, reason = ceiling, ceiling_reason
    if other is not reference:
        if part is not None:
            reference = {sample: vectors for sample, vectors in reference.items() if sample in part}
        value, reason = _share(reference, other, why_not)
    n_pairs = len(reference) * (len(other) - (other is reference))
    extra = {}
    if value is not None:
        shortest = min(len(vectors) for cell in (reference, other) for vectors in cell.values() if len(vectors))
        reverse, equal = _share(other, reference, why_not)[0], _share(reference, other, why_not, shortest)[0]
        shares = {"reverse": reverse, "equal_sentences": equal}
        extra = {name: share for name, share in shares.items() if share is not None}
    return Cross(value, n_pairs, ceiling, reason, ceiling_reason, extra=extra)


def _share(
    reference: SentenceVectors, other: SentenceVectors, why_not: str, n_sentences: int | None = None
) -> tuple[float | None, str]:
    """Of the other's sentences, over those responses of the reference that are no sample of their own; or a reason.

    n_sentences: with how many of its sentences a response of the reference speaks, all of them by default.
    """
    if not len(reference):
        return None, "the reference has no samples"
    needed = 1 + (other is reference)
    if len(other) < needed:
        return None, too_few(needed, len(other))
    covered = total = 0.0
    for sample, said in reference.items():
        rest = [vectors for i, vectors in other.items() if len(vectors) and not (other is reference and i == sample)]
        if not rest:
            continue
        sought = np.concatenate(rest)
        if n_sentences is None:
            share = coverage(best_matches(sought, [said]))
        else:
            share = coverage_at(sought, [said], n_sentences)
        n = sum(map(len, rest))
        covered, total = covered + (share or 0.0) * n, total + n
    return (covered / total, "") if total else (None, why_not or "no response has a sentence")


@dataclass(frozen=True, slots=True)
class Match:
    """A sentence, and the sentence of other responses that is most like it.

    Attributes:
        similarity: their cosine, -1 to 1; None where there is none to compare with
        sample, best: whose it is and what it says
        similarities: by sample of the others, the cosine of the best match there
    """

    sentence: str
    similarity: float | None = None
    sample: int | None = None
    best: str = ""
    similarities: Mapping[int, float] | None = None


def best_sentences(text: str, others: Texts, embeddings: Embeddings, progress: Progress) -> list[Match]:
    """For each sentence of a text its best match among the sentences of the others."""
    embed_sentences([text, *others.values()], embeddings, progress)
    own = _embedded_sentences({0: text}, embeddings)[0]
    matches: dict[str, Match] = {}
    for sample, theirs in _embedded_sentences(others, embeddings).items():
        if not own or not theirs:
            continue
        cosines = cosine_matrix(_vectors(own), _vectors(theirs))
        for (sentence, _), row in zip(own, cosines, strict=True):
            at = int(row.argmax())
            before = matches.get(sentence, Match(sentence))
            similarities = {**(before.similarities or {}), sample: float(row[at])}
            if before.similarity is None or row[at] > before.similarity:
                matches[sentence] = Match(sentence, float(row[at]), sample, theirs[at][0], similarities)
            else:
                matches[sentence] = replace(before, similarities=similarities)
    return [matches.get(sentence, Match(sentence)) for sentence in sentences(text)]


def coverages(cells: Mapping[str, Texts], rule: HeldOut, embeddings: Embeddings, progress: Progress) -> PromptScores:
    """Coverage of each condition by the reference (see `cross_coverage`), itself included, for one prompt."""
    embed_sentences([text for texts in cells.values() for text in texts.values()], embeddings, progress)
    of = {name: sentence_vectors(texts, embeddings) for name, texts in cells.items()}
    own = of[rule.reference]

    def similarities(name: str, part: ReferencePart) -> dict[str, Cross]:
        return {COVERAGE: cross_coverage(own, of[name], embeddings.why_not, part)} if name in of else {}

    return rule.compared(of, own, similarities)


def embed_sentences(texts: list[str], embeddings: Embeddings, progress: Progress) -> None:
    """Embed the sentences of texts that are not kept yet."""
    pieces = [sentence for text in texts for sentence in sentences(text)]
    embeddings.make(pieces, progress, what="embedding sentences", total=len(pieces))


def sentence_vectors(texts: Texts, embeddings: Embeddings) -> SentenceVectors:
    """Of each sample, those of its sentences that have a vector."""
    return {sample: _vectors(embedded) for sample, embedded in _embedded_sentences(texts, embeddings).items()}


def _embedded_sentences(texts: Texts, embeddings: Embeddings) -> dict[int, list[tuple[str, Vector]]]:
    """By sample, its sentences that have a vector, each with it; a zero vector is none."""
    said = {sample: sentences(text) for sample, text in texts.items()}
    kept = embeddings.vectors(sentence for of in said.values() for sentence in of)
    return {
        sample: [(sentence, kept[sentence]) for sentence in of if sentence in kept and kept[sentence].any()]
        for sample, of in said.items()
    }


def _vectors(embedded: list[tuple[str, Vector]]) -> NDArray[np.float32]:
    """(t, dim)"""
    return np.array([vector for _, vector in embedded], np.float32)
