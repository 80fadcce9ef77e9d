"""A sentence of a report as a value: what it says, and what of that is a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ClaimKind = Literal[
    "length",
    "diversity",
    "matched diversity",
    "gate",
    "aggregation",
    "recovery",
    "distribution",
    "entropy",
    "stance spread",
    "sides",
    "both sides",
    "anchors",
]
CLAIM_KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)

Caveat = Literal[
    "few prompts", "cut", "copies", "lengths", "anchor lengths", "passing", "few responses", "empty", "endings"
]
"""What sentences have to be read with: `caveats` says each once above them."""
CAVEATS: tuple[Caveat, ...] = get_args(Caveat)


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
        claims: none where it shows numbers.
        caveats: what it has to be read with.
    """

    text: str
    condition: str = ""
    claims: tuple[Claim, ...] = ()
    caveats: tuple[Caveat, ...] = ()
