"""Scores of many responses in one pass, a prompt at a time: memory grows with the numbers, not with the texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from alignbench.scores.registry import LIVE
from alignbench.scores.scoreboard import CellPair, CellScores
from alignbench.scores.semantic import cosine_matrix
from alignbench.scores.sentences import sentences
from alignbench.scores.statistics import RESAMPLES, Bootstrap, Interval, expected_maximum
from alignbench.scores.values import WORKBENCH, Cross, Mode, Value
from alignbench.scoring.coverage import Sentences, cross_coverage
from alignbench.scoring.embeddings import Embeddings
from alignbench.scoring.jackknife import jackknife_intervals, left_out
from alignbench.scoring.responses import Responses
from alignbench.scoring.shuffled import shuffled_cycle
from alignbench.scoring.tables import COUNTS, Place, PromptScores, Tables, score_tables
from alignbench.spec import content_hash

Progress = Callable[[str, int, int], None]  # what is done, how many of them, of how many

_COSINE = "embedding_similarity"
_COVERAGE = "coverage"
_SURPRISAL = "surprisal"
_NO_TOKEN = "a response has no token to embed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to compute. within, cross: names of metrics, of one set and of two. unavailable: why some of them are null.

    reference, floor: names of conditions, None without one. resamples, seed: of the bootstrap over prompts.
    """

    within: tuple[str, ...]
    cross: tuple[str, ...]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    floor: str | None = None
    mode: Mode = WORKBENCH
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """Scores that were computed elsewhere, with a model: by (prompt, condition) and metric.

    cross: each condition against the reference, itself included. null: by prompt and metric, the reference's answers to
    another prompt in a condition's place.
    """

    within: Mapping[tuple[str, str], Mapping[str, Value]] = field(default_factory=dict)
    cross: Mapping[tuple[str, str], Mapping[str, Cross]] = field(default_factory=dict)
    null: Mapping[str, Mapping[str, Cross]] = field(default_factory=dict)


def score_responses(
    responses: Responses,
    wanted: Wanted,
    embeddings: Embeddings | None,
    progress: Progress = lambda *_: None,
    *,
    of_sentences: Embeddings | None = None,
    given: Given | None = None,
) -> Tables:
    """The tables of `tables.score_tables` over all prompts.

    embeddings, of_sentences: of whole responses and of their sentences, None where no wanted metric needs any. given:
    scores that are there already; they have no jackknife.

    One prompt alone gets intervals too, by leaving out its samples one by one.
    """
    if embeddings is not None:
        embeddings.make(_texts(responses), lambda done: progress("embedding", done, responses.n))
    if of_sentences is not None:
        n_sentences = sum(len(sentences(text)) for text in _texts(responses))
        pieces = (sentence for text in _texts(responses) for sentence in sentences(text))
        of_sentences.make(pieces, lambda done: progress("embedding sentences", done, n_sentences))
    bench = _Bench(responses, wanted, embeddings, of_sentences, given or Given())
    scores = bench.all(progress)
    jackknifed = bench.jackknifed(responses.prompts[0]) if len(responses.prompts) == 1 else {}
    return score_tables(
        [scores[prompt] for prompt in sorted(responses.prompts)],
        responses.conditions,
        within=(*wanted.within, *COUNTS),
        cross=wanted.cross,
        reference=wanted.reference,
        floor=wanted.floor,
        bootstrap=Bootstrap(resamples=wanted.resamples, seed=wanted.seed),
        jackknifed=jackknifed,
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """One prompt under one condition. vectors: (n, dim) of its samples that have one; sentences: of their sentences."""

    scores: CellScores
    vectors: NDArray[np.float32]
    sentences: Sentences


class _Bench:
    """Scores the prompts of one source."""

    def __init__(
        self,
        responses: Responses,
        wanted: Wanted,
        embeddings: Embeddings | None,
        of_sentences: Embeddings | None,
        given: Given,
    ) -> None:
        self._responses, self._wanted, self._given = responses, wanted, given
        self._embeddings, self._of_sentences = embeddings, of_sentences
        computed = {*wanted.within, *wanted.cross} - wanted.unavailable.keys()
        self._metrics = tuple(name for name in LIVE if name in computed)
        self._null_values = {name: Value(None, 0, reason) for name, reason in wanted.unavailable.items()}
        self._null_cross = {name: Cross(None, 0, None, reason, reason) for name, reason in wanted.unavailable.items()}

    def all(self, progress: Progress) -> dict[str, PromptScores]:
        """By prompt. Prompts go round in a shuffled cycle: the answers to the next one are the null of each.

        So the null needs no text twice, and no more than three of the reference's cells at a time.
        """
        cycle = shuffled_cycle(self._responses.prompts, self._wanted.seed)
        reference = self._wanted.reference
        scores: dict[str, PromptScores] = {}
        nulls: dict[str, Mapping[str, Cross]] = {}
        first: CellScores | None = None
        before: CellScores | None = None
        for i, prompt in enumerate(cycle):
            cells = self._cells(prompt)
            scores[prompt] = self._prompt(prompt, cells)
            if reference is not None:
                own = cells[reference].scores
                if before is not None:
                    nulls[cycle[i - 1]] = CellPair(before, own).cross()
                first, before = first or own, own
            progress("scoring", i + 1, len(cycle))
        if first is not None and before is not None and first is not before:
            nulls[cycle[-1]] = CellPair(before, first).cross()
        return {
            prompt: replace(found, null={**nulls.get(prompt, {}), **self._given.null.get(prompt, {})})
            for prompt, found in scores.items()
        }

    def jackknifed(self, prompt: str) -> dict[Place, Interval]:
        """Intervals of one prompt's scores from leaving out its samples in turn."""
        texts = self._texts(prompt)
        whole = {condition: self._cell(cell).scores for condition, cell in texts.items()}
        without = {condition: [self._cell(rest).scores for rest in left_out(cell)] for condition, cell in texts.items()}
        return jackknife_intervals(whole, without, self._wanted.reference)

    def _prompt(self, prompt: str, cells: Mapping[str, _Cell]) -> PromptScores:
        within = {
            condition: {
                **cell.scores.within(),
                **self._null_values,
                **self._given.within.get((prompt, condition), {}),
            }
            for condition, cell in cells.items()
        }
        if _SURPRISAL in self._wanted.within:
            for condition, value in self._responses.surprisals(prompt).items():
                within[condition][_SURPRISAL] = value
        if self._wanted.reference is None:
            return PromptScores(within)
        own = cells[self._wanted.reference]
        pairs = {condition: CellPair(own.scores, cell.scores) for condition, cell in cells.items()}
        cross = {
            condition: {**pair.cross(), **self._null_cross, **self._given.cross.get((prompt, condition), {})}
            for condition, pair in pairs.items()
        }
        if self._of_sentences is not None:
            for condition, cell in cells.items():
                why_not = self._of_sentences.why_not
                cross[condition][_COVERAGE] = cross_coverage(own.sentences, cell.sentences, why_not)
        return PromptScores(within, cross, max_matched=self._max_matched(own, cells, pairs))

    def _max_matched(
        self, own: _Cell, cells: Mapping[str, _Cell], pairs: Mapping[str, CellPair]
    ) -> dict[str, dict[str, float]]:
        """The more pairs, the larger their maximum; so all get the number of pairs that the smallest set has."""
        found: dict[str, dict[str, float]] = {condition: {} for condition in pairs}
        for metric in self._wanted.cross:
            if metric not in self._metrics:
                continue
            values = {
                condition: _cosines(own, cells[condition]) if metric == _COSINE else pair.similarities(metric)
                for condition, pair in pairs.items()
            }
            matched = min((len(similarities) for similarities in values.values() if len(similarities)), default=0)
            for condition, similarities in values.items():
                if len(similarities):
                    found[condition][metric] = expected_maximum(similarities, matched)
        return found

    def _cells(self, prompt: str) -> dict[str, _Cell]:
        return {condition: self._cell(cell) for condition, cell in self._texts(prompt).items()}

    def _texts(self, prompt: str) -> dict[str, dict[int, str]]:
        """Of every condition, also of those without a response to this prompt."""
        there = self._responses.cells(prompt)
        return {condition: there.get(condition, {}) for condition in self._responses.conditions}

    def _cell(self, texts: Mapping[int, str]) -> _Cell:
        cell = CellScores(self._metrics, mode=self._wanted.mode)
        for sample, text in texts.items():
            cell.add(sample, text)
        vectors = []
        kept = {} if self._embeddings is None else self._embeddings.vectors(texts.values())
        for sample, text in texts.items():
            vector = kept.get(content_hash(text))
            if vector is not None and vector.any():
                cell.add_embedding(sample, vector)
                vectors.append(vector)
            elif text.strip() and self._embeddings is not None:
                cell.without_embeddings(self._embeddings.why_not if vector is None else _NO_TOKEN)
        return _Cell(cell, np.array(vectors, np.float32), self._sentences(texts))

    def _sentences(self, texts: Mapping[int, str]) -> Sentences:
        if self._of_sentences is None:
            return {}
        pieces = {sample: [content_hash(sentence) for sentence in sentences(text)] for sample, text in texts.items()}
        kept = self._of_sentences.vectors(sentence for text in texts.values() for sentence in sentences(text))
        return {
            sample: np.array([kept[key] for key in keys if key in kept and kept[key].any()], np.float32)
            for sample, keys in pieces.items()
        }


def _texts(responses: Responses) -> Iterator[str]:
    for prompt in responses.prompts:
        for cell in responses.cells(prompt).values():
            yield from cell.values()


def _cosines(own: _Cell, other: _Cell) -> NDArray[np.float64]:
    """Of every pair; of a cell with itself, of every pair of different samples."""
    if not len(own.vectors) or not len(other.vectors):
        return np.empty(0)
    cosines = cosine_matrix(own.vectors, other.vectors)
    return cosines[np.triu_indices(len(cosines), 1)] if own is other else cosines.ravel()
