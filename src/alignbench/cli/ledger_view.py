"""A ledger as tables on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from alignbench.cli import printing
from alignbench.cli.tables import print_table
from alignbench.ledger.accounts import Account
from alignbench.ledger.ledger import Ledger
from alignbench.ledger.request import LedgerRequest
from alignbench.ledger.search import SearchResult, SearchTarget, n_tokens
from alignbench.metrics.bits import BitRate, Part, PartRate
from alignbench.metrics.intervals import LEVEL
from alignbench.metrics.statistics import MIN_PROMPTS


def print_ledger(ledger: Ledger, asked: LedgerRequest, wanted: SearchTarget | None) -> None:
    """The gap of each context and of its pieces, the curve of hints, controls, and what a search found.

    Every table fits 80 columns.
    """
    printing.show(f"Gap of {asked.teacher.name} under {asked.base.name}, bits per byte")
    if ledger.cross_entropy:
        printing.show(f"(a difference of cross-entropies: {ledger.cross_entropy})")
    else:
        printing.show("(an estimate of KL(teacher || base in context))")
    if ledger.ends.so_far:
        printing.show(f"({ledger.ends.so_far})")
    _print_gaps([ledger.floor, *ledger.contexts])
    _print_parts([ledger.floor, *ledger.contexts])
    _print_pieces(ledger.contexts, "\nWhat each piece of a context saves, bits per byte")
    printing.show("\nHints alone: what a hint costs against what it saves of a response")
    _print_curve(ledger.curve, asked)
    if ledger.controls is not None:
        printing.show("\nControls: contexts that give away too much, or nothing")
        _print_gaps(ledger.controls.given_away)
        _print_pieces(ledger.controls.given_away, "what they save, bits per byte")
        printing.show(f"\nControls: a teacher that is {asked.base.name} with three hidden examples")
        _print_gaps(ledger.controls.hidden)
    if wanted is not None:
        if ledger.tried:
            printing.show("\nFewer examples, tried by the search")
            _print_gaps(ledger.tried)
        _print_search(ledger.found, wanted)
    few = f"; under {MIN_PROMPTS} prompts none carries a claim" if ledger.n_prompts < MIN_PROMPTS else ""
    printing.show(f"\n{LEVEL:.0%} intervals over {ledger.n_prompts} prompts{few}.")
    printing.show("What is saved on the source alone is leakage, on held-out responses elicitation.")


def _print_gaps(accounts: Sequence[Account]) -> None:
    rows = []
    for account in accounts:
        tokens = n_tokens(account)
        known = "-" if tokens is None else f"{tokens:.0f}"
        rows.append([account.name, known, _rate(account.gap.held_out), _rate(account.gap.source)])
    print_table(["context", "tokens", "gap, held out", "on source"], rows)


def _print_parts(accounts: Sequence[Account]) -> None:
    if not any(account.parts for account in accounts):
        printing.show(f"\nWhere the gap is: not known ({accounts[0].parts_reason})")
        return
    printing.show("\nWhere the gap is, held out: bits per byte, and share of the gap")
    rows = []
    for account in accounts:
        gap, parts = account.gap.held_out, [_part(account.parts.get(part)) for part in get_args(Part)]
        rows.append([account.name, "-" if gap is None else f"{gap.per_byte:.3f}", *parts])
    print_table(["context", "gap", *get_args(Part)], rows)


def _part(rate: PartRate | None) -> str:
    """The share is left out where the gap is not told from none."""
    if rate is None:
        return "-"
    share = rate.share.value
    return f"{rate.per_byte:z.3f}" + ("" if share is None else f" {share:z4.0%}")


def _print_pieces(accounts: Sequence[Account], title: str) -> None:
    rows = []
    for account in accounts:
        for piece, each in account.pieces.items():
            name = account.name if len(account.pieces) == 1 else f"{account.name}, {piece}"
            bits = "-" if each.cost is None else f"{each.cost.bits:.0f}"
            rows.append([name, bits, _rate(each.saved.held_out), _rate(each.saved.source)])
    if rows:
        printing.show(title)
        print_table(["piece", "bits", "saves, held out", "on source"], rows)


def _print_curve(curve: Sequence[Account], asked: LedgerRequest) -> None:
    rows = []
    for context, account in zip(asked.curve, curve, strict=True):
        hint, cost = account.pieces["hint"], account.pieces["hint"].cost
        costs = "-" if cost is None else _with_interval(cost.bits, cost.ci, ".0f")
        for responses, rate in (("held out", hint.saved.held_out), ("source", hint.saved.source)):
            saves = "-" if rate is None else f"{rate.per_response:.1f}"
            rows.append([context.hint.level if context.hint else "", costs, responses, saves, _rate(rate)])
    print_table(["hint", "costs bits", "responses", "saves bits", "bits per byte"], rows)


def _print_search(chosen: SearchResult | None, wanted: SearchTarget) -> None:
    reach = "" if wanted.reach is None else f" that leaves a gap of {wanted.reach:g} or less"
    printing.show(
        f"\nThe {'best' if wanted.reach is None else 'cheapest'} context of {wanted.tokens} tokens or less{reach}"
    )
    if chosen is None:
        printing.show("none, on the half of the prompts that it is chosen on")
        return
    columns = ["context", "tokens", "gap, chosen on", "on other prompts"]
    print_table(columns, [[chosen.name, f"{chosen.tokens:.0f}", _rate(chosen.chosen_on), _rate(chosen.reported_on)]])


def _rate(rate: BitRate | None) -> str:
    return "-" if rate is None else _with_interval(rate.per_byte, rate.ci, ".3f")


def _with_interval(value: float, ci: tuple[float, float] | None, form: str) -> str:
    """The interval is left out where all prompts have one value, as the cost of a text that they share."""
    return f"{value:{form}}" + (f" [{ci[0]:{form}}, {ci[1]:{form}}]" if ci and ci[0] < ci[1] else "")
