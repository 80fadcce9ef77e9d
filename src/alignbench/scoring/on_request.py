"""All live scores of a session's prompts, for a view that asks for them: cells are kept, and grow as samples come.

`live.LiveScores` has the few scores that are always on the screen.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alignbench.contexts.source_samples import SourceSamples
from alignbench.metrics import registry
from alignbench.metrics.counted_cell import counted_cells
from alignbench.metrics.intervals import Interval
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.semantic import CLASS_THRESHOLD, CalibratedThreshold
from alignbench.metrics.values import WORKBENCH, Cross, Value
from alignbench.metrics.word_table import Documents
from alignbench.metrics.words import is_empty
from alignbench.scoring.aggregate import ScoreKey
from alignbench.scoring.embedding_cache import Vector
from alignbench.scoring.equivalence import calibrated_classes
from alignbench.scoring.held_out import ANOTHER_PROMPT, WHOLE, HeldOut, ReferencePart, Similarities
from alignbench.scoring.jackknife import gap_intervals, jackknife_intervals, left_out
from alignbench.scoring.matched import MatchedValues, matched_values
from alignbench.scoring.matched_recovery import MatchedRecoveries, matched_recoveries
from alignbench.scoring.null import other_prompts
from alignbench.scoring.prompt_scores import PromptScores, completed
from alignbench.scoring.responses import CellTexts, Texts
from alignbench.spec import content_hash

KeptVectors = Callable[[Collection[str]], Mapping[str, Vector]]  # text hashes -> the vectors that are there


@dataclass(frozen=True, slots=True)
class Answers:
    """The finished samples of one prompt.

    Attributes:
        cells: By condition.
        within: Scores that do not come from texts, by condition and metric.
        compared: The same, each condition with the reference.
        no_embeddings: By condition, why vectors that are missing will not come.
    """

    cells: Mapping[str, Texts]
    within: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    compared: PromptScores = field(default_factory=PromptScores)
    no_embeddings: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _GrowingCell:
    scores: CellScores
    texts: dict[int, str] = field(default_factory=dict)
    embedded: set[int] = field(default_factory=set)


class OnRequestScores:
    """Scores of prompts under conditions, computed when they are asked for and kept. Not thread-safe."""

    def __init__(self, kept: KeptVectors) -> None:
        """kept: finds the vectors of responses; those it does not have are missing, and scored when they are there."""
        self._kept = kept
        self._cells: dict[tuple[str, str, ReferencePart, tuple[str, ...]], _GrowingCell] = {}
        self._classes = CalibratedThreshold(CLASS_THRESHOLD)
        self._lexicon = Lexicon(WORKBENCH, stem)
        self._matched: dict[tuple[str, str, tuple[str, ...]], tuple[Mapping[str, Texts], MatchedValues]] = {}

    def scores(
        self,
        prompts: Mapping[str, Answers],
        shown: Collection[str],
        conditions: Sequence[str],
        metrics: Sequence[str],
        reference: str | None,
        *,
        floor: str | None = None,
        sources: SourceSamples | None = None,
        contested: Collection[str] = (),
        nulls: int = 1,
        matched: bool = True,
    ) -> dict[str, PromptScores]:
        """Scores of some prompts.

        Args:
            prompts: The answers to each of them, and to others.
            shown: Prompts that are scored, each with the reference's answers to others of `prompts` as its null.
            conditions: Names of those that are scored.
            metrics: Names of scores, of one set and of two; those that are not live are taken from the answers.
            reference: Name of the condition that they are compared with; None compares nothing.
            floor: Name of the zero-shot condition; None without one.
            sources: By condition, the reference's samples that its context is made from.
            contested: Prompts whose answers differ in stance.
            nulls: To how many other prompts, at most.
            matched: Whether lexical scores are compared at matched length too.
        """
        others = other_prompts(prompts, nulls) if reference is not None else {}
        scores = {}
        for prompt in sorted(shown):
            answers = prompts[prompt]
            cells = {name: self.cell(prompt, name, answers, metrics) for name in conditions}
            computed = PromptScores({name: cell.within() for name, cell in cells.items()})
            if reference is not None:
                nulls_of = [self.cell(q, reference, prompts[q], metrics) for q in others.get(prompt, ())]
                similarities = self._similarities(prompt, answers, metrics, reference, cells, nulls_of)
                own = answers.cells.get(reference, {})
                computed |= HeldOut(reference, floor, sources or {}).compared(conditions, own, similarities)
                if matched:
                    at_length = self._at_matched_length(prompt, answers, cells, metrics, reference)
                    computed = replace(computed, matched=at_length)
            given = PromptScores(answers.within) | answers.compared
            scores[prompt] = completed(computed, given, contested=prompt in contested)
        return scores

    def _at_matched_length(
        self, prompt: str, answers: Answers, conditions: Collection[str], metrics: Sequence[str], reference: str
    ) -> MatchedValues:
        """Anew only where a sample has come."""
        texts = {name: dict(sorted(answers.cells.get(name, {}).items())) for name in {*conditions, reference}}
        key = (prompt, reference, (*metrics,))
        if key not in self._matched or self._matched[key][0] != texts:
            self._matched[key] = texts, matched_values(texts, reference, metrics, self._lexicon)
        return self._matched[key][1]

    def _similarities(
        self,
        prompt: str,
        answers: Answers,
        metrics: Collection[str],
        reference: str,
        cells: Mapping[str, CellScores],
        nulls: Sequence[CellScores],
    ) -> Similarities:
        whole = self.cell(prompt, reference, answers, metrics)

        def similarities(name: str, part: ReferencePart) -> Mapping[str, Cross]:
            own = self.cell(prompt, reference, answers, metrics, part)
            if name == ANOTHER_PROMPT:
                return _means([CellPair(own, null, whole).cross() for null in nulls])
            other = cells[name] if name in cells else self.cell(prompt, name, answers, metrics)
            return CellPair(own, other, whole).cross()

        return similarities

    def calibrate(self, prompts: Mapping[str, CellTexts]) -> CalibratedThreshold:
        """The cosine from which two responses are one answer from now on. prompts: the answers to each, by its id."""
        vectors = {}
        for prompt, cells in prompts.items():
            keys = {name: [content_hash(text) for text in texts.values()] for name, texts in cells.items()}
            kept = self._kept({key for of_cell in keys.values() for key in of_cell})
            vectors[prompt] = {name: [kept[key] for key in of if key in kept] for name, of in keys.items()}
        calibrated = calibrated_classes(vectors)
        if calibrated.value != self._classes.value:
            self._cells.clear()  # whose classes are of the threshold before
        self._classes = calibrated
        return calibrated

    def as_answer(
        self,
        prompt: str,
        answers: Answers,
        text: str,
        part: ReferencePart,
        metrics: Collection[str],
        reference: str,
    ) -> dict[str, Cross]:
        """Similarities of a text to a part of the reference's samples, as if it were an answer itself."""
        missing = answers.no_embeddings.get(reference, "")
        own = self.cell(prompt, reference, answers, metrics, part)
        return CellPair(own, self._made({0: text}, metrics, missing).scores).cross()

    def intervals(
        self,
        prompt: str,
        answers: Answers,
        conditions: Sequence[str],
        metrics: Sequence[str],
        rule: HeldOut,
    ) -> dict[ScoreKey, Interval]:
        """Jackknife intervals of one prompt's live similarities to the reference."""
        compared = registry.cross(tuple(metrics))
        whole = {name: self.cell(prompt, name, answers, compared) for name in conditions}
        without = {name: self._without(answers, name, compared) for name in conditions}
        held_out = {
            name: [
                self.cell(prompt, rule.reference, answers, compared, rule.part(name)),
                *self._without(answers, rule.reference, compared, rule.part(name)),
            ]
            for name in conditions
            if name in rule.sources
        }
        computed = jackknife_intervals(whole, without, rule.reference, held_out)
        return {key: interval for key, interval in computed.items() if key[0] == "cross"}

    def gap_intervals(
        self, answers: Answers, conditions: Sequence[str], metrics: Sequence[str], rule: HeldOut
    ) -> dict[ScoreKey, Interval]:
        """Of ceiling minus floor on one prompt, the same for all conditions, in those of these scores that compare
        pairs of responses."""
        sides = (rule.reference, rule.floor or "")
        if not all(answers.cells.get(name) for name in sides):
            return {}
        texts = [_texts(answers, name, WHOLE) for name in sides]
        documents = [Documents.of(of, self._lexicon) for of in texts]
        live = [name for name in registry.cross(tuple(metrics)) if name in registry.runnable()]
        cells = counted_cells(documents, self._lexicon, live)
        for cell, of in zip(cells, texts, strict=True):
            keys = {sample: content_hash(text) for sample, text in of.items() if not is_empty(text)}
            kept = self._kept(set(keys.values()))
            for sample, key in keys.items():
                if key in kept:
                    cell.add_embedding(sample, kept[key])
        own, floor = cells
        gaps = gap_intervals(own, floor).items()
        return {("gap", name, metric): gap for name in conditions for metric, gap in gaps}

    def matched_recoveries(self, answers: Answers, metrics: Collection[str], rule: HeldOut) -> MatchedRecoveries:
        """Of a prompt's conditions, at matched length."""
        cells = {name: _texts(answers, name, WHOLE) for name in answers.cells}
        return matched_recoveries(cells, rule, metrics, self._lexicon)

    def _without(
        self, answers: Answers, condition: str, metrics: Collection[str], part: ReferencePart = WHOLE
    ) -> list[CellScores]:
        """A cell, or a part of it, without each of its samples in turn."""
        texts, missing = _texts(answers, condition, part), answers.no_embeddings.get(condition, "")
        return [self._made(rest, metrics, missing).scores for rest in left_out(texts)]

    def cell(
        self, prompt: str, condition: str, answers: Answers, metrics: Collection[str], part: ReferencePart = WHOLE
    ) -> CellScores:
        """One cell, or a part of it, up to date with its samples; it runs the live ones among these scores."""
        names = tuple(name for name in registry.runnable() if name in metrics)
        texts = _texts(answers, condition, part)
        key = (prompt, condition, part, names)
        cell = self._cells.get(key)
        # A sample that comes before others it was overtaken by: scores that depend on the order are counted afresh.
        if cell is None or list(texts.items())[: len(cell.texts)] != list(cell.texts.items()):
            cell = self._cells[key] = _GrowingCell(CellScores(names, class_threshold=self._classes.value))
        self._grow(cell, texts, answers.no_embeddings.get(condition, ""))
        return cell.scores

    def _made(self, texts: Texts, metrics: Collection[str], no_embeddings: str) -> _GrowingCell:
        names = [name for name in metrics if name in registry.runnable()]
        cell = _GrowingCell(CellScores(names, class_threshold=self._classes.value))
        self._grow(cell, texts, no_embeddings)
        return cell

    def _grow(self, cell: _GrowingCell, texts: Texts, no_embeddings: str) -> None:
        for sample, text in texts.items():
            if sample not in cell.texts:
                cell.scores.add(sample, text)
                cell.texts[sample] = text
        if not any("embeddings" in registry.METRICS[name].needs for name in cell.scores.metrics):
            return
        waiting = {
            sample: content_hash(text)
            for sample, text in texts.items()
            if not is_empty(text) and sample not in cell.embedded
        }
        kept = self._kept(set(waiting.values())) if waiting else {}
        for sample, key in waiting.items():
            if key not in kept:
                if no_embeddings:
                    cell.scores.without_embeddings(no_embeddings)
                continue
            cell.embedded.add(sample)
            cell.scores.add_embedding(sample, kept[key])


def _texts(answers: Answers, condition: str, part: ReferencePart) -> dict[int, str]:
    """By sample, in order."""
    return {sample: text for sample, text in sorted(answers.cells.get(condition, {}).items()) if sample in part}


def _means(nulls: Sequence[Mapping[str, Cross]]) -> dict[str, Cross]:
    """Of several nulls the mean of those that have a value."""
    means = {}
    for name in nulls[0] if nulls else ():
        there = [null[name] for null in nulls if null[name].value is not None]
        value = statistics.fmean(c.value for c in there if c.value is not None) if there else None
        means[name] = replace(nulls[0][name], value=value, n_pairs=sum(c.n_pairs for c in there))
    return means
