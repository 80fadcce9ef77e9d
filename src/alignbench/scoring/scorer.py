"""The scores of single prompts, from their responses and vectors alone: what one process of `batch` does."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.counted_cell import CountedCell, counted_cells
from alignbench.metrics.intervals import Interval
from alignbench.metrics.length_matched import MatchedValue
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.registry import METRICS, runnable
from alignbench.metrics.running_cell import CellPair
from alignbench.metrics.semantic import CLASS_THRESHOLD
from alignbench.metrics.statistics import RESAMPLES, expected_maximum
from alignbench.metrics.values import WORKBENCH, Cross, Value, WordMode
from alignbench.metrics.word_table import Documents
from alignbench.scoring.aggregate import EQUAL_N, ScoreKey
from alignbench.scoring.coverage import COVERAGE, SentenceVectors, cross_coverage
from alignbench.scoring.floor import NOT_GIVEN
from alignbench.scoring.held_out import ANOTHER_PROMPT, WHOLE, HeldOut, ReferencePart
from alignbench.scoring.jackknife import gap_intervals, jackknife_intervals, left_out
from alignbench.scoring.matched import matched_values
from alignbench.scoring.prompt_scores import PromptScores

_HELD_OUT = "held out of "
_DRAWS = 5  # sets of samples that a value at equal n is the mean over


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """What to compute.

    Attributes:
        within: Names of metrics of one set.
        cross: Names of metrics of two sets.
        unavailable: By metric, why it is null.
        reference: Name of a condition, None without one.
        floor: The same.
        no_floor: Why there is no floor, where there is none.
        mode: How texts become words.
        resamples: Of the prompts, for intervals.
        seed: Of the resamples, of the shuffled null, and of the sentences that are drawn at matched length.
        class_threshold: Cosine from which two responses are one answer.
    """

    within: tuple[str, ...]
    cross: tuple[str, ...]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    floor: str | None = None
    no_floor: str = NOT_GIVEN
    mode: WordMode = WORKBENCH
    resamples: int = RESAMPLES
    seed: int = 0
    class_threshold: float = CLASS_THRESHOLD


@dataclass(frozen=True, slots=True)
class CellResponses:
    """One prompt's responses under one condition.

    Attributes:
        texts: By sample index.
        vectors: Of whole responses, of those samples that have one; zero for a text without a token.
        why_not: Why the others have none, where some may be missing.
        sentences: The vectors of their sentences, None where they are not wanted.
        no_sentences: Why sentences have no vector.
        source_samples: Of the reference, those that the condition's context is made from.
    """

    texts: Mapping[int, str]
    vectors: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    why_not: str = ""
    sentences: SentenceVectors | None = None
    no_sentences: str = ""
    source_samples: Collection[int] = ()


PromptResponses = Mapping[str, CellResponses]  # by condition, all of them


class Scorer:
    """Scores prompts one after the other; the words it has met stay numbered."""

    def __init__(self, request: ScoreRequest) -> None:
        computed = {*request.within, *request.cross} - request.unavailable.keys()
        self._wanted = request
        self._metrics = tuple(name for name in runnable() if name in computed)
        self._lexicon = Lexicon(request.mode, stem)

    def scores(self, prompts: Sequence[PromptResponses], following: CellResponses | None) -> list[PromptScores]:
        """Of each prompt. Its null is the reference's answers to the next one; following: to the one after the last."""
        documents = [{name: self._documents(cell) for name, cell in prompt.items()} for prompt in prompts]
        reference = self._wanted.reference
        others: list[tuple[CellResponses, Documents]] = []
        if reference is not None:
            others = [(prompts[i][reference], documents[i][reference]) for i in range(1, len(prompts))]
        if following is not None:
            others.append((following, self._documents(following)))
        return [
            self._prompt(prompt, documents[i], others[i] if i < len(others) else None)
            for i, prompt in enumerate(prompts)
        ]

    def jackknifed(self, prompt: PromptResponses) -> dict[ScoreKey, Interval]:
        """Intervals of one prompt's scores from leaving out its samples in turn."""
        reference, rule, held_out = self._wanted.reference, self._held_out(prompt), {}
        if reference is not None:
            held_out = {_HELD_OUT + name: _in(rule.part(name), prompt[reference]) for name in rule.sources}
        cells = self._left_out({**prompt, **held_out})
        references = {name: cells.pop(_HELD_OUT + name) for name in prompt if _HELD_OUT + name in cells}
        whole, without = ({name: of[0] for name, of in cells.items()}, {name: of[1:] for name, of in cells.items()})
        intervals = jackknife_intervals(whole, without, reference, references)
        floor = self._wanted.floor
        if reference is None or floor is None or floor not in prompt:
            return intervals
        own, other = self._cells(
            [prompt[reference], prompt[floor]], [self._documents(prompt[n]) for n in (reference, floor)]
        )
        gaps = gap_intervals(own, other).items()
        return intervals | {("gap", name, metric): gap for name in prompt for metric, gap in gaps}

    def left_out(self, prompt: PromptResponses) -> dict[str, list[Mapping[str, Value]]]:
        """Of each condition the scores of its set, and those without each of its samples (see `jackknife.left_out`)."""
        return {name: [cell.within() for cell in cells] for name, cells in self._left_out(prompt).items()}

    def _left_out(self, cells: Mapping[str, CellResponses]) -> dict[str, list[CountedCell]]:
        """By name each cell, and it without each of its samples."""
        parts = {name: [cell, *(_part(cell, texts) for texts in left_out(cell.texts))] for name, cell in cells.items()}
        flat = [part for of in parts.values() for part in of]
        counted = iter(self._cells(flat, [self._documents(part) for part in flat]))
        return {name: [next(counted) for _ in of] for name, of in parts.items()}

    def matched(self, prompt: PromptResponses, reference: str) -> dict[str, dict[str, MatchedValue]]:
        """Every other condition against the reference at matched length, in the lexical scores of one set."""
        metrics = [metric for metric in self._wanted.within if metric in self._metrics]
        cells = {name: cell.texts for name, cell in prompt.items()}
        return matched_values(cells, reference, metrics, self._lexicon, self._wanted.seed)

    def _prompt(
        self,
        prompt: PromptResponses,
        documents: Mapping[str, Documents],
        other: tuple[CellResponses, Documents] | None,
    ) -> PromptScores:
        """other: the reference's answers to another prompt."""
        responses, words = {**prompt}, {**documents}
        if other is not None:
            responses[ANOTHER_PROMPT], words[ANOTHER_PROMPT] = other
        reference, rule = self._wanted.reference, self._held_out(prompt)
        parts: dict[ReferencePart, CellResponses] = {}
        if reference is not None:
            own = prompt[reference]
            parts = {part: _in(part, own) for part in rule.parts()}
        part_words = [documents[reference or ""].part([*part.texts]) for part in parts.values()]
        counted = iter(self._cells([*responses.values(), *parts.values()], [*words.values(), *part_words]))
        cells = {name: next(counted) for name in responses}
        within = self._with_equal_n({name: cells[name].within() for name in prompt}, prompt, documents)
        if reference is None:
            return PromptScores(within)
        pairs = _Pairs(cells, reference, {part: next(counted) for part in parts})

        def similarities(name: str, part: ReferencePart) -> Mapping[str, Cross]:
            if name not in cells:
                return {}
            return {**pairs.of(name, part).cross(), **_coverage(prompt, reference, name, part)}

        compared = rule.compared(prompt, own.texts, similarities)
        held_out = {name: pairs.of(name, rule.part(name)) for name in prompt}
        with_source = {name: pairs.of(name, WHOLE) for name in compared.with_source.cross}
        n_pairs = self._fewest_pairs(held_out.values())
        return PromptScores(
            within,
            replace(compared.held_out, max_matched=self._max_matched(held_out, n_pairs)),
            replace(compared.with_source, max_matched=self._max_matched(with_source, n_pairs)),
            compared.source,
            self.matched(prompt, reference),
        )

    def _held_out(self, prompt: PromptResponses) -> HeldOut:
        sources = {name: cell.source_samples for name, cell in prompt.items() if cell.source_samples}
        return HeldOut(self._wanted.reference or "", self._wanted.floor, sources)

    def _with_equal_n(
        self,
        within: Mapping[str, Mapping[str, Value]],
        prompt: PromptResponses,
        documents: Mapping[str, Documents],
    ) -> Mapping[str, Mapping[str, Value]]:
        """Scores that move with n get their value at the smallest number of samples too, where conditions differ.

        It is the mean over some draws, the same samples of each prompt.
        """
        moving = tuple(name for name in self._metrics if METRICS[name].moves_with_n)
        compared = {name: words.compared(self._wanted.mode) for name, words in documents.items()}
        sizes = {name: len(of.texts) for name, of in compared.items() if of.texts}
        n = min(sizes.values(), default=0)
        larger = [name for name, size in sizes.items() if size > n]
        if not moving or not larger:
            return within
        with_equal_n = {name: dict(values) for name, values in within.items()}
        for name in larger:
            cell, samples = prompt[name], [*compared[name].texts]
            drawn = []
            for draw in range(_DRAWS):
                rng = np.random.default_rng([self._wanted.seed, draw])
                picks = rng.choice(len(samples), n, replace=False).tolist()
                drawn.append(compared[name].part({samples[i] for i in picks}))
            parts = self._cells([_part(cell, of.texts) for of in drawn], drawn, moving)
            values = [part.within() for part in parts]
            for metric in moving:
                there = [v for part in values if (v := part[metric].value) is not None]
                at_n = statistics.fmean(there) if there else math.nan
                value = with_equal_n[name][metric]
                with_equal_n[name][metric] = replace(value, extra={**value.extra, EQUAL_N: at_n})
        return with_equal_n

    def _documents(self, cell: CellResponses) -> Documents:
        return Documents.of(cell.texts, self._lexicon)

    def _cells(
        self, responses: Sequence[CellResponses], documents: Sequence[Documents], metrics: tuple[str, ...] | None = None
    ) -> list[CountedCell]:
        """metrics: all that are wanted by default."""
        names = self._metrics if metrics is None else metrics
        cells = counted_cells(documents, self._lexicon, names, class_threshold=self._wanted.class_threshold)
        for cell, of in zip(cells, responses, strict=True):
            if of.why_not:
                cell.without_embeddings(of.why_not)
            for sample, vector in of.vectors.items():
                cell.add_embedding(sample, vector)
        return cells

    def _fewest_pairs(self, pairs: Collection[CellPair]) -> dict[str, int]:
        """By metric, of the sets that have any."""
        compared = [metric for metric in self._wanted.cross if metric in self._metrics]
        sizes = {metric: [len(pair.similarities(metric)) for pair in pairs] for metric in compared}
        return {metric: min(filter(None, of), default=0) for metric, of in sizes.items()}

    def _max_matched(self, pairs: Mapping[str, CellPair], n_pairs: Mapping[str, int]) -> dict[str, dict[str, float]]:
        """The more pairs, the larger their maximum; so all get the number of pairs that the smallest set has."""
        maxima: dict[str, dict[str, float]] = {name: {} for name in pairs}
        for name, pair in pairs.items():
            for metric, n in n_pairs.items():
                similarities = pair.similarities(metric)
                if n and len(similarities):
                    sign = -1.0 if METRICS[metric].is_distance else 1.0  # of distances the least is most alike
                    maxima[name][metric] = sign * expected_maximum(sign * similarities, min(n, len(similarities)))
        return maxima


class _Pairs:
    """A prompt's cells compared with parts of the reference's."""

    def __init__(
        self, cells: Mapping[str, CountedCell], reference: str, parts: Mapping[ReferencePart, CountedCell]
    ) -> None:
        self._cells, self._whole = cells, cells[reference]
        self._parts = {**parts, WHOLE: self._whole}
        self._pairs: dict[tuple[str, ReferencePart], CellPair] = {}

    def of(self, name: str, part: ReferencePart) -> CellPair:
        if (name, part) not in self._pairs:
            self._pairs[name, part] = CellPair(self._parts[part], self._cells[name], self._whole)
        return self._pairs[name, part]


def _coverage(prompt: PromptResponses, reference: str, name: str, part: ReferencePart) -> dict[str, Cross]:
    """Where the sentences of both have vectors."""
    own, cell = prompt[reference].sentences, prompt[name].sentences if name in prompt else None
    if own is None or cell is None:
        return {}
    return {COVERAGE: cross_coverage(own, cell, prompt[name].no_sentences, part)}


def _in(part: ReferencePart, reference: CellResponses) -> CellResponses:
    return _part(reference, {sample: text for sample, text in reference.texts.items() if sample in part})


def _part(cell: CellResponses, texts: Mapping[int, str]) -> CellResponses:
    """The cell with these of its samples."""
    vectors = {sample: vector for sample, vector in cell.vectors.items() if sample in texts}
    return CellResponses(texts, vectors, cell.why_not)
