"""Which samples of the reference a condition is compared with: those that its context is not made from.

A hint is made of a sample, so a response under it is compared with the reference's other samples: what is similar to
these is what the hint brought out of the model rather than what it gave away. Floor and null are taken against the same
samples. The ceiling is the reference's own, over pairs of different samples. Every scorer asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from alignbench.contexts.source_samples import NOTHING_HELD_OUT, SourceSamples
from alignbench.metrics.values import Cross
from alignbench.scoring.prompt_scores import Comparisons, PromptScores

ANOTHER_PROMPT = ""  # in a condition's place: the reference's answers to another prompt


@dataclass(frozen=True, slots=True)
class ReferencePart:
    """Samples of the reference, by index: all but some, or only some."""

    samples: frozenset[int] = frozenset()
    only: bool = False

    def __contains__(self, sample: object) -> bool:
        return (sample in self.samples) is self.only


WHOLE = ReferencePart()

Similarities = Callable[[str, ReferencePart], Mapping[str, Cross]]
"""Of a condition, or of `ANOTHER_PROMPT`, with a part of the reference's samples, by metric."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What is held out of the comparisons of one prompt.

    Attributes:
        reference: Name of the condition that the others are compared with.
        floor: Name of the zero-shot condition; None without one.
        sources: Of the conditions whose context is made from samples of the reference.
    """

    reference: str
    floor: str | None = None
    sources: SourceSamples = field(default_factory=dict)

    def part(self, condition: str) -> ReferencePart:
        """What a condition is compared with."""
        return ReferencePart(frozenset(self.sources.get(condition, ())))

    def parts(self) -> set[ReferencePart]:
        """All that `compared` compares with."""
        sourced = [name for name in self.sources if self.sources[name]]
        held_out = {self.part(name) for name in sourced}
        with_floor = {self._floor_part(part) for part in (WHOLE, *held_out)}
        return {WHOLE, *held_out, *with_floor, *(self._source(name) for name in sourced)}

    def compared(self, conditions: Iterable[str], samples: Collection[int], similarities: Similarities) -> PromptScores:
        """The conditions compared with the reference. samples: the reference's, by index."""
        known: dict[tuple[str, ReferencePart], Mapping[str, Cross]] = {}

        def similar(name: str, part: ReferencePart) -> Mapping[str, Cross]:
            key = name, WHOLE if name == self.reference else part
            if key not in known:
                known[key] = similarities(*key)
            return known[key]

        def held_out(name: str) -> Mapping[str, Cross]:
            part = self.part(name)
            if not samples or any(sample in part for sample in samples):
                return similar(name, part)
            return {
                metric: replace(cross, value=None, n_pairs=0, mmd2=None, extra={}, reason=NOTHING_HELD_OUT)
                for metric, cross in similar(name, WHOLE).items()
            }

        names = [*conditions]
        parts = {name: self.part(name) for name in names}
        sourced = [name for name in names if parts[name] != WHOLE]
        return PromptScores(
            held_out=Comparisons(
                {name: held_out(name) for name in names},
                {name: similar(self.floor, self._floor_part(parts[name])) for name in names}
                if self.floor is not None
                else {},
                {name: similar(ANOTHER_PROMPT, parts[name]) for name in names},
            ),
            with_source=Comparisons(
                {name: similar(name, WHOLE) for name in sourced},
                {name: similar(self.floor, WHOLE) for name in sourced} if self.floor is not None else {},
                {name: similar(ANOTHER_PROMPT, WHOLE) for name in sourced},
            ),
            source={name: similar(name, self._source(name)) for name in sourced},
        )

    def _floor_part(self, part: ReferencePart) -> ReferencePart:
        """What the floor in a condition's place is compared with."""
        own = () if self.floor is None else self.sources.get(self.floor, ())
        return ReferencePart(part.samples | frozenset(own))

    def _source(self, condition: str) -> ReferencePart:
        return ReferencePart(frozenset(self.sources.get(condition, ())), only=True)
