"""What responses say of each other, prompt by prompt: columns that `coverage_curves` takes means of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from alignbench.contexts.source_samples import NOTHING_HELD_OUT, Sources, SourceSamples, no_sources
from alignbench.metrics.coverage import COVERAGE_THRESHOLD, best_matches
from alignbench.metrics.said_sentences import EqualSentences, SaidSentences
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
    compared = {
        name: {
            prompt: _compared(_spoken(cells.get(name, {})), _others(cells, name, reference, sources(prompt)), threshold)
            for prompt, cells in vectors.items()
        }
        for name in responses.conditions
    }
    of_others = {name: of for name, of in compared.items() if name != reference}
    of_reference = _columns(of_others, lambda one: one.of_reference)
    made_from = {name for prompt in prompts for name in sources(prompt)}
    return CoverageColumns(
        threshold=threshold,
        false_matches=calibrated.false_matches,
        why_none={name: NOTHING_HELD_OUT for name in of_others if name in made_from and not of_reference[name]},
        n={name: {prompt: len(there.get(name, [])) for prompt, there in said.items()} for name in responses.conditions},
        of_itself=_columns(compared, lambda one: one.of_itself),
        of_reference=of_reference,
        by_reference=_columns(of_others, lambda one: one.by_reference),
        responses_covered=_columns(of_others, lambda one: one.responses_covered),
        equal_of_reference=_columns(of_others, lambda one: one.equal_of_reference),
        equal_by_reference=_columns(of_others, lambda one: one.equal_by_reference),
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


@dataclass(frozen=True, slots=True)
class _Compared:
    """One prompt's entries of `CoverageColumns`, None where there is none."""

    of_itself: list[float] | None = None
    of_reference: list[float] | None = None
    by_reference: list[float] | None = None
    responses_covered: float | None = None
    equal_of_reference: EqualSentences | None = None
    equal_by_reference: EqualSentences | None = None


def _compared(own: _Vectors, reference: _Vectors, threshold: float) -> _Compared:
    """Of a condition's responses and those of the reference that it meets."""
    if not own:
        return _Compared()
    said = SaidSentences([*own, *reference], threshold)
    of, by = range(len(own)), range(len(own), len(own) + len(reference))
    of_itself = said.curve(of, of) if len(own) > 1 else None
    if not reference:
        return _Compared(of_itself)
    return _Compared(
        of_itself,
        of_reference=said.curve(by, of),
        by_reference=said.curve(of, by),
        responses_covered=said.covered_responses(of, by, SHARE),
        equal_of_reference=said.equal_sentences(by, of),
        equal_by_reference=said.equal_sentences(of, by),
    )


def _others(cells: Mapping[str, SentenceVectors], name: str, reference: str, sources: SourceSamples) -> _Vectors:
    """The responses of the reference that a condition meets; none of its own."""
    if name == reference:
        return []
    return _spoken(cells.get(reference, {}), HeldOut(reference, sources=sources).part(name))


def _columns(
    compared: Mapping[str, Column[_Compared]], entry: Callable[[_Compared], T | None]
) -> dict[str, dict[str, T]]:
    """Of the prompts that have an entry."""
    return {
        name: {prompt: there for prompt, one in of.items() if (there := entry(one)) is not None}
        for name, of in compared.items()
    }
