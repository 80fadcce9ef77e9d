"""A sentence of a report as a value: what it says, and what of that is a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ClaimKind = Literal[
    "length", "diversity", "matched diversity", "gate", "aggregation", "recovery", "distribution", "entropy"
]
CLAIM_KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence says of a model beyond the numbers it shows, and what `alignbench calibrate` measures errors of.

    Attributes:
        metric: name of the score that it rests on.
        says: which way, as "longer"; claims of one kind that say different things contradict each other.
    """

    kind: ClaimKind
    metric: str
    says: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence.

    Attributes:
        condition: whom it is about; empty where it is about several or none.
        claims: none where it shows numbers, or says why nothing is told from them.
    """

    text: str
    condition: str = ""
    claims: tuple[Claim, ...] = ()
