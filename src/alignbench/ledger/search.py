"""The cheapest context that leaves a small enough gap within a token budget; chosen and reported on other prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alignbench.ledger.accounts import Account
from alignbench.metrics.bits import BitRate, Bits, rate
from alignbench.metrics.statistics import Uncertainty
from alignbench.scoring.null import shuffled_cycle


@dataclass(frozen=True, slots=True)
class SearchTarget:
    """What a search looks for."""

    tokens: int  # the most that a context may be longer than a bare prompt, a mean over prompts
    reach: float | None = None  # the gap that is enough, in bits per byte; None: the smallest one


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The context that a search chose, and its gap on held-out responses."""

    name: str
    tokens: float  # of the context, a mean over prompts
    chosen_on: BitRate  # over the half of the prompts that it was chosen on
    reported_on: BitRate  # over the other half


def halves(prompts: Iterable[str]) -> tuple[list[str], list[str]]:
    """The prompts, by id, that a context is chosen on, and those that it is reported on."""
    dealt = shuffled_cycle(prompts, seed=0)
    return dealt[: len(dealt) // 2], dealt[len(dealt) // 2 :]


def search(
    accounts: Sequence[Account], prompts: Iterable[str], held_out: frozenset[int], wanted: SearchTarget
) -> SearchResult | None:
    """The shortest context that reaches the gap of the target; without such a gap, the one that leaves the smallest.

    None where no context is short enough, reaches the gap, or has two prompts.

    Args:
        accounts: of the contexts to choose among; those of unknown length are passed over
        prompts: ids, dealt into a half to choose on and a half to report on
        held_out: the samples, by index, that gaps are taken over
        wanted: the target
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
        return min(candidates, key=lambda result: (result.chosen_on.per_byte, result.tokens), default=None)
    enough = [result for result in candidates if result.chosen_on.per_byte <= wanted.reach]
    return min(enough, key=lambda result: (result.tokens, result.chosen_on.per_byte), default=None)


def n_tokens(account: Account) -> float | None:
    """How many tokens the pieces of a context have together, a mean over prompts; None where that is not known."""
    costs = [piece.cost for piece in account.pieces.values()]
    known = [cost.tokens for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _gap(account: Account, held_out: frozenset[int], prompts: Sequence[str]) -> BitRate | None:
    by_prompt: dict[str, list[Bits]] = {}
    for (prompt, sample), bits in account.gaps.items():
        if prompt in prompts and sample in held_out:
            by_prompt.setdefault(prompt, []).append(bits)
    return rate(list(by_prompt.values()), Uncertainty())
