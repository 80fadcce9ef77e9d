"""How often a thing happened in repetitions, and what the repetitions of all experiments come to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alignbench.metrics.intervals import Interval
from alignbench.reports.finding import ClaimKind

_Z = 1.959964  # of a normal distribution, 95% of it lie within


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of n repetitions."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n

    @property
    def ci(self) -> Interval:
        """95% interval (Wilson 1927)."""
        share, n, z2 = self.value, self.n, _Z**2
        middle, reach = share + z2 / (2 * n), _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
        return max(0.0, (middle - reach) / (1 + z2 / n)), min(1.0, (middle + reach) / (1 + z2 / n))


@dataclass(frozen=True, slots=True)
class ClaimRate:
    """How often a report made a claim.

    Attributes:
        experiment: its name.
        prompts: of a repetition.
        kind, metric: see `Claim`.
        due: whether the claim is true, so that the rate is power; else it is an error.
    """

    experiment: str
    prompts: int
    kind: ClaimKind
    metric: str
    due: bool
    rate: Rate


@dataclass(frozen=True, slots=True)
class CoverageRate:
    """How often an interval held the number that it is around.

    Attributes:
        experiment: its name.
        prompts: of a repetition.
        number: what the interval is around.
        rate: of the repetitions in which there was an interval.
    """

    experiment: str
    prompts: int
    number: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Calibration:
    """All experiments.

    Attributes:
        source: where the responses come from.
        prompts: of a repetition, in rising order.
        n: samples of a prompt.
        repetitions: of each experiment at each number of prompts.
        claims, coverages: in the order of the experiments.
        skipped: by experiment, why it was not made.
    """

    source: str
    prompts: Sequence[int]
    n: int
    repetitions: int
    seed: int
    claims: Sequence[ClaimRate] = ()
    coverages: Sequence[CoverageRate] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[ClaimRate]:
        return [claim for claim in self.claims if not claim.due]

    @property
    def worst(self) -> ClaimRate | None:
        """The error that is made most often."""
        return max(self.errors, key=lambda claim: claim.rate.value, default=None)
