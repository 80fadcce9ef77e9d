"""The search for a cheap context, on gaps that are known."""

from __future__ import annotations

import pytest

from alignbench.ledger.ablation import ContextPart
from alignbench.ledger.accounts import Account, PieceAccount, Split
from alignbench.ledger.search import SearchResult, SearchTarget, search
from alignbench.metrics.bits import Bits, Cost
from alignbench.scoring.null import shuffled_cycle

PROMPTS = [f"p{i}" for i in range(8)]
HELD_OUT = frozenset({1, 2})
CHOSEN_ON = shuffled_cycle(PROMPTS, seed=0)[:4]
NOTHING = Split(None, None)


def account(name: str, tokens: float | None, chosen_on: float, reported_on: float) -> Account:
    """A context with one piece; its gap on held-out responses is this on either half, and 0 on the source."""
    gaps = {
        (prompt, i): Bits(10 * (0.0 if i == 0 else chosen_on if prompt in CHOSEN_ON else reported_on), 10, 5)
        for prompt in PROMPTS
        for i in (0, 1, 2)
    }
    cost = None if tokens is None else Cost(2 * tokens, None, tokens)
    pieces: dict[ContextPart, PieceAccount] = {} if tokens == 0 else {"hint": PieceAccount(NOTHING, cost)}
    return Account(name, NOTHING, NOTHING, pieces, gaps, frozenset({0}))


ACCOUNTS = [
    account("bare", 0, 0.9, 0.9),
    account("short", 20, 0.5, 0.7),
    account("middle", 60, 0.3, 0.6),
    account("long", 400, 0.1, 0.1),
    account("unknown length", None, 0.0, 0.0),
]


def search_result(tokens: int, reach: float | None = None) -> SearchResult | None:
    return search(ACCOUNTS, PROMPTS, HELD_OUT, SearchTarget(tokens, reach))


@pytest.mark.parametrize(
    ("tokens", "reach", "name"),
    [
        (100, None, "middle"),
        (30, None, "short"),
        (0, None, "bare"),
        (1000, None, "long"),
        (1000, 0.6, "short"),
        (1000, 0.4, "middle"),
        (1000, 2.0, "bare"),
    ],
)
def test_what_is_chosen(tokens: int, reach: float | None, name: str) -> None:
    chosen = search_result(tokens, reach)
    assert chosen is not None
    assert chosen.name == name


def test_it_is_chosen_on_one_half_and_reported_on_the_other() -> None:
    chosen = search_result(100)
    assert chosen is not None
    assert chosen.chosen_on.per_byte == pytest.approx(0.3)
    assert chosen.reported_on.per_byte == pytest.approx(0.6)
    assert (chosen.chosen_on.n_prompts, chosen.reported_on.n_prompts) == (4, 4)
    assert chosen.reported_on.n_responses == 8  # the source takes no part
    assert chosen.tokens == 60


def test_nothing_may_be_found() -> None:
    assert search_result(30, 0.4) is None
    alone = account("alone", 20, 0.5, 0.5)
    one = Account("alone", NOTHING, NOTHING, alone.pieces, {("p0", 1): Bits(5.0, 10, 5)}, frozenset({0}))
    assert search([one], PROMPTS, HELD_OUT, SearchTarget(100)) is None
