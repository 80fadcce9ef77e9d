"""Similarity to the reference's samples that a context is not made from, and to those that it is.

A hint is made of a sample, so a response under it is compared with the reference's other samples: the figure that stays
is what the hint brought out of the model rather than what it gave away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from alignbench.contexts.source_samples import samples_in_context
from alignbench.metrics.cell import ScoredCell
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import WORKBENCH, WordMode
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.prompt_scores import HeldOut
from alignbench.scoring.responses import Responses
from alignbench.spec import Condition

Cell = TypeVar("Cell", bound=ScoredCell)


@dataclass(frozen=True, slots=True)
class SplitReference(Generic[Cell]):
    """The reference's cell of one prompt in two parts.

    Attributes:
        source_samples: Indices of the samples that a context is made from.
        source: The cell of these.
        rest: The cell of the others.
    """

    source_samples: Collection[int]
    source: Cell
    rest: Cell

    @classmethod
    def of(
        cls,
        reference: Mapping[int, str],
        source_samples: Collection[int],
        cell_of: Callable[[Mapping[int, str]], Cell],
    ) -> Self:
        """cell_of: makes a cell of some of the reference's texts, by sample."""
        source = {sample: text for sample, text in reference.items() if sample in source_samples}
        rest = {sample: text for sample, text in reference.items() if sample not in source_samples}
        return cls(source_samples, cell_of(source), cell_of(rest))

    def part(self, sample: int) -> Cell:
        """The cell that a sample of the reference belongs to."""
        return self.source if sample in self.source_samples else self.rest

    def similarities(self, cell: ScoredCell) -> dict[str, HeldOut]:
        """Of the cell under that context to both parts, by metric."""
        rest, source = (CellPair(part, cell).cross() for part in (self.rest, self.source))
        return {name: HeldOut(cross.value, source[name].value, cross.reason) for name, cross in rest.items()}


def held_out(
    responses: Responses,
    prompt: str,
    embeddings: Embeddings | None,
    reference: str,
    sources: Mapping[str, Collection[int]],
    metrics: Collection[str],
    mode: WordMode = WORKBENCH,
) -> dict[str, dict[str, HeldOut]]:
    """Of one prompt, by condition and metric.

    Args:
        responses: Of all conditions.
        prompt: Its id.
        embeddings: Whose vectors are used where they are kept.
        reference: Name of a condition.
        sources: By condition, the reference's samples that its context is made from.
        metrics: Live similarities.
        mode: How texts become words.
    """

    def cell_of(texts: Mapping[int, str]) -> CellScores:
        cell = CellScores(metrics, mode)
        vectors = embeddings.vectors(texts.values()) if embeddings is not None else {}
        for sample, text in texts.items():
            cell.add(sample, text)
            if text in vectors:
                cell.add_embedding(sample, vectors[text])
        return cell

    cells = responses.cells(prompt)
    return {
        condition: SplitReference.of(cells.get(reference, {}), source_samples, cell_of).similarities(
            cell_of(cells.get(condition, {}))
        )
        for condition, source_samples in sources.items()
    }


def source_conditions(conditions: Iterable[Condition], reference: str | None) -> dict[str, frozenset[int]]:
    """The conditions whose contexts are made from samples of the reference, with the indices of these."""
    if reference is None:
        return {}
    sources = {c.name: samples_in_context(c.context, reference) for c in conditions if c.name != reference}
    return {name: indices for name, indices in sources.items() if indices}
