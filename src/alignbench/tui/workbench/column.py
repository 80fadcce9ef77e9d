"""A column of the Bench, and what it is called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from alignbench.spec import DEFAULT_SAMPLES, Condition


@dataclass(frozen=True, slots=True)
class Column:
    """A condition and how many samples of it are asked for.

    Attributes:
        condition: The one on the Bench.
        n: Samples.
        versions: The conditions that the column has been, oldest first, this one among them; empty where it has been
            no other.
        hash: The condition's, computed once.
    """

    condition: Condition
    n: int = DEFAULT_SAMPLES
    versions: tuple[Condition, ...] = ()
    hash: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", self.condition.hash)

    @property
    def name(self) -> str:
        return self.condition.name

    @property
    def asked(self) -> int:
        """Samples that can be drawn, done or not: none of imported responses."""
        return 0 if self.condition.model.is_imported else self.n

    @property
    def history(self) -> tuple[Condition, ...]:
        return self.versions or (self.condition,)

    @property
    def version(self) -> int:
        """Where the condition stands in the history, from 0."""
        return [condition.hash for condition in self.history].index(self.hash)


def letter(index: int) -> str:
    """A, B, ..., Z, AA, ...: how a column is called where its name is too long."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or the first of `wanted 2`, `wanted 3`, ... that nobody has."""
    names = set(taken)
    if wanted not in names:
        return wanted
    stem, _, number = wanted.rpartition(" ")
    if stem and number.isdigit():
        wanted = stem
    count = 2
    while f"{wanted} {count}" in names:
        count += 1
    return f"{wanted} {count}"
