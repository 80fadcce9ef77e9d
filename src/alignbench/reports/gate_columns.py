"""What a quality gate leaves of conditions, prompt by prompt: rows that `gate` takes means and differences of.

Responses that pass are longer than those that fail, so lexical scores are taken at matched length (see
`metrics.length_matched`): of a condition, those that pass against all that were graded; of its gap to the reference,
both sides before the gate, and both after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from alignbench.judging.qualities import Qualities
from alignbench.metrics.estimates import PromptValues
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import WordMode
from alignbench.reports.cells import cell_values
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.matched import MatchedTexts
from alignbench.scoring.model_based.judge import EFFECTIVE, PASSING, JudgedScores
from alignbench.scoring.responses import Responses, Texts

T = TypeVar("T")

Rows = Mapping[str, tuple[float, ...]]
"""By prompt, of those that have all of the numbers."""

_OWN, _REFERENCE = "own", "reference"  # sides of a comparison


@dataclass(frozen=True, slots=True)
class GatedCell:
    """The responses to a prompt under a condition: those that were graded, and those of them that pass."""

    graded: Texts
    passed: Texts


def gated_cells(condition: str, responses: Responses, qualities: Qualities, threshold: float) -> dict[str, GatedCell]:
    """Of the prompts with a graded response. threshold: least quality that passes."""
    cells = {}
    for prompt in responses.prompts:
        texts = responses.cells(prompt).get(condition, {})
        graded = {i: text for i, text in texts.items() if (condition, prompt, i) in qualities.of}
        passed = {i: text for i, text in graded.items() if qualities.of[condition, prompt, i] >= threshold}
        if graded:
            cells[prompt] = GatedCell(graded, passed)
    return cells


class GateScores:
    """Scores of cells before and after the gate, over the prompts on which two responses pass."""

    def __init__(
        self,
        metrics: Sequence[str],
        mode: WordMode,
        embeddings: Embeddings | None,
        unseen: frozenset[str],
        seed: int,
    ) -> None:
        """
        Args:
            metrics: names of scores of one set.
            mode: how texts become words.
            embeddings: of the responses; None without.
            unseen: prompts on which embeddings say nothing.
            seed: draws the sentences at matched length.
        """
        self.metrics = (*metrics,)
        self._plain = [name for name in metrics if not METRICS[name].lexical]
        self._lexical = [name for name in metrics if METRICS[name].lexical]
        self._lexicon, self._embeddings, self._unseen, self._seed = Lexicon(mode, stem), embeddings, unseen, seed

    def sides(self, cells: Mapping[str, GatedCell]) -> dict[str, Rows]:
        """Of one condition by metric: before the gate, after it."""
        rows: dict[str, dict[str, tuple[float, ...]]] = {metric: {} for metric in self.metrics}
        for prompt, cell in cells.items():
            if len(cell.passed) < 2:
                continue
            before = self._values(prompt, cell.graded)
            after = before if len(cell.passed) == len(cell.graded) else self._values(prompt, cell.passed)
            for metric in self._plain:
                _add(rows[metric], prompt, before[metric], after[metric])
            for metric, of in self._cut({_OWN: cell.graded}).values(_OWN, _OWN, cell.passed).items():
                _add(rows[metric], prompt, of.reference, of.value)
        return {**rows}

    def gaps(
        self,
        cells: Mapping[str, GatedCell],
        reference: Mapping[str, GatedCell],
        sides: tuple[Mapping[str, Rows], Mapping[str, Rows]],
    ) -> dict[str, Rows]:
        """Of a condition and the reference by metric: of both before the gate, of both after it. sides: of each."""
        rows: dict[str, dict[str, tuple[float, ...]]] = {metric: {} for metric in self.metrics}
        for prompt, cell in cells.items():
            other = reference.get(prompt)
            if other is None or min(len(cell.passed), len(other.passed)) < 2:
                continue
            texts = self._cut({_OWN: cell.graded, _REFERENCE: other.graded})
            before = after = texts.values(_OWN, _REFERENCE)
            if len(cell.passed) + len(other.passed) < len(cell.graded) + len(other.graded):
                after = texts.values(_OWN, _REFERENCE, cell.passed, other.passed)
            for metric in before:
                both = before[metric], after[metric]
                _add(rows[metric], prompt, *(number for of in both for number in (of.value, of.reference)))
            for metric in self._plain:
                own, others = (of[metric].get(prompt, (None, None)) for of in sides)
                _add(rows[metric], prompt, own[0], others[0], own[1], others[1])
        return {**rows}

    def seen(self, prompt: str, value: float | None) -> float | None:
        """A score of embeddings, where they say something."""
        return None if prompt in self._unseen else value

    def _values(self, prompt: str, texts: Texts) -> dict[str, float | None]:
        embeddings = None if prompt in self._unseen else self._embeddings
        values = cell_values(texts, self._plain, self._lexicon.mode, embeddings)
        return {metric: values[metric].value for metric in self._plain}

    def _cut(self, cells: Mapping[str, Texts]) -> MatchedTexts:
        return MatchedTexts(cells, self._lexical, self._lexicon, self._seed)


@dataclass(frozen=True, slots=True)
class GateRows:
    """Of the conditions that were judged.

    Attributes:
        cells: by condition and prompt.
        sides: by condition and metric, before the gate and after it.
        gaps: by condition and metric, see `GateScores.gaps`; none without the reference.
        judged: by condition and score, of every prompt that was judged.
    """

    cells: Mapping[str, Mapping[str, GatedCell]]
    sides: Mapping[str, Mapping[str, Rows]]
    gaps: Mapping[str, Mapping[str, Rows]]
    judged: Mapping[str, Mapping[str, PromptValues]]

    def among(self, prompts: Collection[str]) -> GateRows:
        """Of these prompts."""

        def chosen(column: Mapping[str, T]) -> dict[str, T]:
            return {prompt: column[prompt] for prompt in prompts if prompt in column}

        def all_chosen(columns: Mapping[str, Mapping[str, Mapping[str, T]]]) -> dict[str, dict[str, dict[str, T]]]:
            return {name: {score: chosen(column) for score, column in of.items()} for name, of in columns.items()}

        cells = {name: chosen(of) for name, of in self.cells.items()}
        return GateRows(cells, all_chosen(self.sides), all_chosen(self.gaps), all_chosen(self.judged))


def gate_rows(responses: Responses, judged: JudgedScores, scores: GateScores, reference: str | None) -> GateRows:
    """Of every prompt. reference: the condition that gaps are to."""
    qualities = judged.qualities
    names = {condition for condition, _, _ in qualities.of}
    cells = {
        name: gated_cells(name, responses, qualities, judged.threshold)
        for name in responses.conditions
        if name in names
    }
    own = cells.get(reference or "")
    of_cells = judged.within(responses)
    sides = {name: scores.sides(of) for name, of in cells.items()}
    gaps = {}
    if reference is not None and own is not None:
        others = {name: of for name, of in cells.items() if name != reference}
        gaps = {name: scores.gaps(of, own, (sides[name], sides[reference])) for name, of in others.items()}
    return GateRows(
        cells,
        sides,
        gaps,
        {
            name: {
                score: {p: scores.seen(p, of_cells[p, name][score].value) for p in of} for score in (PASSING, EFFECTIVE)
            }
            for name, of in cells.items()
        },
    )


def _add(rows: dict[str, tuple[float, ...]], prompt: str, *numbers: float | None) -> None:
    there = tuple(number for number in numbers if number is not None)
    if len(there) == len(numbers):
        rows[prompt] = there
