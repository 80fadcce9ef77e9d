"""What responses say of each other, prompt by prompt: columns that `coverage_curves` takes means of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from alignbench.contexts.source_samples import NOTHING_HELD_OUT, Sources, no_sources
from alignbench.metrics.coverage import (
    COVERAGE_THRESHOLD,
    EqualSentences,
    best_matches,
    covered_responses,
    equal_sentences,
    union_coverage,
)
from alignbench.metrics.semantic import CalibratedThreshold
from alignbench.scoring.coverage import SentenceVectors, sentence_vectors
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.held_out import WHOLE, HeldOut, ReferencePart
from alignbench.scoring.null import other_prompt
from alignbench.scoring.responses import Responses

SHARE = 0.5  # of a response's sentences, from which it counts as covered

T = TypeVar("T")

Column = Mapping[str, T]  # by prompt

_Vectors = list[Any]  # of each response that has a sentence, the vectors of its sentences (t, dim)
_Said = Mapping[str, Mapping[str, _Vectors]]  # by prompt and condition
_Sides = Mapping[str, tuple[_Vectors, _Vectors]]  # by prompt, responses that are covered and those that cover


@dataclass(frozen=True, slots=True)
class CoverageColumns:
    """By condition and prompt, at one threshold. What is of two sides is of every condition but the reference.

    Attributes:
        threshold, false_matches: see `Coverage`.
        why_none: of conditions, why nothing of the reference is compared with them.
        n: responses.
        of_itself: for k = 1, 2, ..., the share of a response that k others of the condition say together.
        of_reference, by_reference: the same of one of the reference's, and of the condition's by the reference's.
        responses_covered: how many of the condition's responses one reference response covers.
        equal_of_reference, equal_by_reference: see `ConditionCoverage`.
    """

    threshold: float
    false_matches: float | None
    why_none: Mapping[str, str]
    n: Mapping[str, Column[int]]
    of_itself: Mapping[str, Column[list[float]]]
    of_reference: Mapping[str, Column[list[float]]]
    by_reference: Mapping[str, Column[list[float]]]
    responses_covered: Mapping[str, Column[float]]
    equal_of_reference: Mapping[str, Column[EqualSentences]]
    equal_by_reference: Mapping[str, Column[EqualSentences]]

    def among(self, prompts: Collection[str]) -> CoverageColumns:
        """Of these prompts, at the same threshold."""
        chosen: dict[str, Any] = {
            field.name: {
                name: {prompt: column[prompt] for prompt in prompts if prompt in column}
                for name, column in getattr(self, field.name).items()
            }
            for field in fields(self)[3:]
        }
        return replace(self, **chosen)


def coverage_columns(
    responses: Responses,
    reference: str,
    embeddings: Embeddings,
    unseen: frozenset[str],
    sources: Sources = no_sources,
) -> CoverageColumns | None:
    """None where no sentence has a vector.

    Args:
        responses: The responses.
        reference: Name of the condition that the others are compared with.
        embeddings: Of sentences.
        unseen: Prompts on which embeddings say nothing.
        sources: The samples of the reference that contexts are made from; a condition meets the others only.
    """
    prompts = [prompt for prompt in responses.prompts if prompt not in unseen]
    vectors = {
        prompt: {name: sentence_vectors(texts, embeddings) for name, texts in responses.cells(prompt).items()}
        for prompt in prompts
    }
    said = {prompt: {name: _spoken(cell) for name, cell in cells.items()} for prompt, cells in vectors.items()}
    if not any(cell for cells in said.values() for cell in cells.values()):
        return None
    mismatched = _mismatched(said, reference)
    calibrated = CalibratedThreshold.of(COVERAGE_THRESHOLD, mismatched)
    threshold = calibrated.value
    others = [name for name in responses.conditions if name != reference]
    held_out = {
        name: {
            prompt: _spoken(cells.get(reference, {}), HeldOut(reference, sources=sources(prompt)).part(name))
            for prompt, cells in vectors.items()
        }
        for name in others
    }
    of_reference = {name: _sides(said, held_out[name], name) for name in others}
    by_reference = {name: {p: (by, of) for p, (of, by) in sides.items()} for name, sides in of_reference.items()}
    made_from = {name for prompt in prompts for name in sources(prompt)}
    return CoverageColumns(
        threshold=threshold,
        false_matches=calibrated.false_matches,
        why_none={name: NOTHING_HELD_OUT for name in others if name in made_from and not of_reference[name]},
        n={name: {prompt: len(there.get(name, [])) for prompt, there in said.items()} for name in responses.conditions},
        of_itself={name: _of_itself(said, name, threshold) for name in responses.conditions},
        of_reference={name: _of_other(sides, threshold) for name, sides in of_reference.items()},
        by_reference={name: _of_other(sides, threshold) for name, sides in by_reference.items()},
        responses_covered={name: _responses_covered(sides, threshold) for name, sides in by_reference.items()},
        equal_of_reference={name: _equal(sides, threshold) for name, sides in of_reference.items()},
        equal_by_reference={name: _equal(sides, threshold) for name, sides in by_reference.items()},
    )


def _spoken(vectors: SentenceVectors, part: ReferencePart = WHOLE) -> _Vectors:
    return [of_response for sample, of_response in vectors.items() if len(of_response) and sample in part]


def _mismatched(said: _Said, reference: str) -> list[float]:
    """Best matches of the sentences of all conditions in one reference response to another prompt."""
    matches: list[float] = []
    for prompt, other in other_prompt(said, 0).items():
        answers = said[other].get(reference, [])
        own = [of_response for cell in said[prompt].values() for of_response in cell]
        if answers and own:
            matches += best_matches(np.concatenate(own), answers[:1])[:, 0].tolist()
    return matches


def _sides(said: _Said, of: Column[_Vectors], by: str) -> _Sides:
    """On the prompts that both have, the responses that are covered and those of a condition, which cover."""
    cells = {prompt: (of[prompt], there.get(by, [])) for prompt, there in said.items()}
    return {prompt: sides for prompt, sides in cells.items() if all(sides)}


def _of_other(sides: _Sides, threshold: float) -> dict[str, list[float]]:
    return {p: _curve([(one, by) for one in of], threshold) for p, (of, by) in sides.items()}


def _of_itself(said: _Said, name: str, threshold: float) -> dict[str, list[float]]:
    cells = {prompt: there.get(name, []) for prompt, there in said.items()}
    return {
        prompt: _curve([(one, own[:at] + own[at + 1 :]) for at, one in enumerate(own)], threshold)
        for prompt, own in cells.items()
        if len(own) > 1
    }


def _curve(covered: Sequence[tuple[Any, _Vectors]], threshold: float) -> list[float]:
    """Of one response's sentences by k of those that it is given with, the mean over the responses."""
    curves = [union_coverage(best_matches(sentences, others), threshold) for sentences, others in covered]
    mean: list[float] = np.mean(curves, axis=0).tolist()
    return mean


def _responses_covered(sides: _Sides, threshold: float) -> dict[str, float]:
    return {
        prompt: float(covered_responses([best_matches(one, by) for one in of], SHARE, threshold).mean())
        for prompt, (of, by) in sides.items()
    }


def _equal(sides: _Sides, threshold: float) -> dict[str, EqualSentences]:
    shares = {prompt: equal_sentences(of, by, threshold) for prompt, (of, by) in sides.items()}
    return {prompt: equal for prompt, equal in shares.items() if equal is not None}
