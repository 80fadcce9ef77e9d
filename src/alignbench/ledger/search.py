"""The cheapest context that leaves a small enough gap within a token budget; chosen and reported on other prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alignbench.ledger.accounts import Account
from alignbench.metrics.bits import BitRate, Bits, rate
from alignbench.metrics.statistics import Bootstrap
from alignbench.scoring.null import shuffled_cycle


@dataclass(frozen=True, slots=True)
class SearchTarget:
    """tokens: the most that a context may be longer than a bare prompt, a mean over prompts. reach: the gap that is
    enough, in bits per byte; None asks for the smallest one."""

    tokens: int
    reach: float | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """name, tokens: of the context. chosen_on, reported_on: its gap on held-out responses to the half of the prompts
    that it was chosen on, and to the other half, which took no part in choosing."""

    name: str
    tokens: float
    chosen_on: BitRate
    reported_on: BitRate


def halves(prompts: Iterable[str]) -> tuple[list[str], list[str]]:
    """The prompts, by id, that a context is chosen on, and those that it is reported on."""
    dealt = shuffled_cycle(prompts, seed=0)
    return dealt[: len(dealt) // 2], dealt[len(dealt) // 2 :]


def search(
    accounts: Sequence[Account], prompts: Iterable[str], held_out: frozenset[int], wanted: SearchTarget
) -> SearchResult | None:
    """Among contexts whose length is known; None where none is short enough, reaches the gap, or has two prompts.

    With a gap to be reached, the shortest context that does; else the one that leaves the smallest gap.
    """
    parts = halves(prompts)
    candidates = []
    for account in accounts:
        tokens = n_tokens(account)
        if tokens is None or tokens > wanted.tokens:
            continue
        chosen_on, reported_on = (_gap(account, held_out, part) for part in parts)
        if chosen_on is not None and reported_on is not None:
            candidates.append(SearchResult(account.name, tokens, chosen_on, reported_on))
    if wanted.reach is None:
        return min(candidates, key=lambda found: (found.chosen_on.per_byte, found.tokens), default=None)
    enough = [found for found in candidates if found.chosen_on.per_byte <= wanted.reach]
    return min(enough, key=lambda found: (found.tokens, found.chosen_on.per_byte), default=None)


def n_tokens(account: Account) -> float | None:
    """How many tokens the pieces of a context have together, a mean over prompts; None where that is not known."""
    costs = [piece.cost for piece in account.pieces.values()]
    known = [cost.tokens for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _gap(account: Account, held_out: frozenset[int], prompts: Sequence[str]) -> BitRate | None:
    said: dict[str, list[Bits]] = {}
    for (prompt, sample), bits in account.gaps.items():
        if prompt in prompts and sample in held_out:
            said.setdefault(prompt, []).append(bits)
    return rate(list(said.values()), Bootstrap())
