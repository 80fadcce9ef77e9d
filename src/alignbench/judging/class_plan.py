"""Which pairs of responses a judge has still to compare until every response is in a class of the same answer.

A response is compared with the first response of each class, in their order, until one is the same: the greedy
partition of NoveltyBench (Zhang et al. 2025, arXiv 2504.05228). So a pair is asked about only once those before it are
known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alignbench.metrics.semantic import classes

Pair = tuple[int, int]  # indices of two samples of a cell, the lower one first
Cell = tuple[str, str]  # prompt id and condition


@dataclass(slots=True)
class CellClasses:
    """The responses to one prompt under one condition on their way into classes.

    Attributes:
        samples: Indices of the responses that are not empty, in order.
        known: What is judged of pairs; None where no reply could be read.
        asked: Pairs that the judge has been given.
    """

    samples: Sequence[int]
    known: dict[Pair, bool | None] = field(default_factory=dict)
    asked: set[Pair] = field(default_factory=set)

    def needed(self) -> list[Pair]:
        """The pairs to ask about next; none where all is decided, or asked about, or cannot be decided."""
        left = [*self.samples]
        while left:
            first, *others = left
            unknown = [other for other in others if (first, other) not in self.known]
            if unknown:
                new = [(first, other) for other in unknown if (first, other) not in self.asked]
                self.asked.update(new)
                return new
            if any(self.known[first, other] is None for other in others):
                return []
            left = [other for other in others if not self.known[first, other]]
        return []

    def bounds(self) -> tuple[int, int]:
        """How many pairs are asked about from here on, at least and at most."""
        left = [*self.samples]
        while left:
            first, *others = left
            said = {other: self.known[first, other] for other in others if (first, other) in self.known}
            if len(said) < len(others):
                unknown = len(others) - len(said)
                rest = [other for other in others if not said.get(other, False)]  # those that may be another answer
                surely = [other for other in rest if other in said]
                least = max(0, len(surely) - 1 - self._n_known(surely))
                return unknown + least, unknown + _n_pairs(rest) - self._n_known(rest)
            if None in said.values():
                return 0, 0
            left = [other for other in others if not said[other]]
        return 0, 0

    def _n_known(self, samples: Sequence[int]) -> int:
        return sum((a, b) in self.known for at, a in enumerate(samples) for b in samples[at + 1 :])


def _n_pairs(samples: Sequence[int]) -> int:
    return len(samples) * (len(samples) - 1) // 2


def class_labels(samples: Sequence[int], known: Mapping[Pair, bool | None]) -> tuple[int, ...] | None:
    """The class of each of these samples, numbered from 0; None where a pair that decides is not known."""

    def same(i: int, j: int) -> bool:
        decided = known.get((samples[i], samples[j]))
        if decided is None:
            raise LookupError
        return decided

    try:
        return classes(len(samples), same)
    except LookupError:
        return None


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """The cells of a session on their way into classes."""

    cells: Mapping[Cell, CellClasses]

    def first(self) -> list[tuple[Cell, Pair]]:
        """What is asked about at once."""
        return [(name, pair) for name, cell in self.cells.items() for pair in cell.needed()]

    def after(self, name: Cell, pair: Pair, same: bool | None) -> list[tuple[Cell, Pair]]:
        """What a judgment leads to. same: None where its reply could not be read."""
        cell = self.cells[name]
        cell.known[pair] = same
        return [(name, more) for more in cell.needed()]

    @property
    def bounds(self) -> tuple[int, int]:
        """How many pairs are asked about from here on, at least and at most."""
        each = [cell.bounds() for cell in self.cells.values()]
        return sum(least for least, _ in each), sum(most for _, most in each)
