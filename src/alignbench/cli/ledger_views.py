"""A ledger as tables and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from alignbench.cli.tables import print_table
from alignbench.ledger.accounts import Account, Split
from alignbench.ledger.asked import Asked
from alignbench.ledger.ledger import Ledger
from alignbench.ledger.search import Found, Wanted, search
from alignbench.scores.bits import Cost, Rate
from alignbench.scores.statistics import LEVEL, MIN_PROMPTS, RESAMPLES

if TYPE_CHECKING:
    from alignbench.ledger.preparing import Progress


def narrated(bar: Progress) -> Progress:
    """The bar of a terminal; elsewhere a line on stderr when each part of the work begins."""
    begun: set[str] = set()

    def show(what: str, done: int, total: int) -> None:
        if what not in begun and not sys.stderr.isatty():
            print(f"{what}: {total}", file=sys.stderr, flush=True)
        begun.add(what)
        bar(what, done, total)

    return show


def as_record(
    ledger: Ledger, asked: Asked, session: int, failures: Sequence[str], wanted: Wanted | None
) -> dict[str, Any]:
    """{"session", "contexts", "curve", "controls", "search", "meta"}, ready for JSON."""
    controls = ledger.controls
    return {
        "session": session,
        "contexts": {account.name: _account(account) for account in (ledger.floor, *ledger.contexts)},
        "curve": [
            {
                "level": context.hint.level,
                "cost": _cost(account.pieces["hint"].cost),
                "saved": asdict(account.pieces["hint"].saved),
                "gap": asdict(account.gap),
            }
            for context, account in zip(asked.curve, ledger.curve, strict=True)
            if context.hint is not None
        ],
        "controls": None
        if controls is None
        else {
            "given_away": {account.name: _account(account) for account in controls.given_away},
            "hidden_examples": {account.name: _account(account) for account in controls.hidden},
        },
        "search": None
        if wanted is None
        else {
            "budget_tokens": wanted.tokens,
            "reach": wanted.reach,
            "found": asdict(found) if (found := _search(ledger, asked, wanted)) else None,
        },
        "meta": {
            "teacher": asked.teacher.name,
            "base": asked.base.name,
            "prompts": ledger.n_prompts,
            "n": asked.n,
            "held_out": sorted(asked.held_out),
            "measure": "cross-entropy" if ledger.cross_entropy else "kl",
            "reason": ledger.cross_entropy,
            "level": LEVEL,
            "resamples": RESAMPLES,
            "few_prompts": ledger.n_prompts < MIN_PROMPTS,
            "empty": ledger.n_empty,
            "failures": list(failures),
        },
    }


def _account(account: Account) -> dict[str, Any]:
    held_out = account.gap.held_out
    return {
        "gap": held_out.per_byte if held_out else None,
        "ci": held_out.ci if held_out else None,
        **asdict(account.gap),
        "saved": asdict(account.saved),
        "bits_saved": {piece: asdict(each.saved) for piece, each in account.pieces.items()},
        "cost": {piece: _cost(each.cost) for piece, each in account.pieces.items()},
        "responses": [
            {"prompt_id": prompt, "sample": sample, "source": sample in account.source, **asdict(bits)}
            for (prompt, sample), bits in account.gaps.items()
        ],
    }


def _cost(cost: Cost | None) -> dict[str, Any] | None:
    return None if cost is None else asdict(cost)


def _search(ledger: Ledger, asked: Asked, wanted: Wanted) -> Found | None:
    return search((ledger.floor, *ledger.contexts, *ledger.curve), asked.held_out, wanted)


def print_ledger(ledger: Ledger, asked: Asked, wanted: Wanted | None) -> None:
    """The gap of each context and of its pieces, the curve of hints, controls, and what a search found."""
    teacher, base = asked.teacher.name, asked.base.name
    what = "Difference of cross-entropies" if ledger.cross_entropy else "Estimate of KL(teacher || base in context)"
    print(f"{what}, bits per byte of {teacher}'s responses under {base} over those under {teacher}")
    if ledger.cross_entropy:
        print(f"({ledger.cross_entropy})")
    _print_accounts([ledger.floor, *ledger.contexts])
    print("\nHints alone: bits of the hint against bits saved a response")
    _print_curve(ledger.curve)
    if ledger.controls is not None:
        print("\nControls: contexts that give away too much, or nothing")
        _print_accounts(ledger.controls.given_away)
        print(f"\nControls: a teacher that is {base} with three hidden examples")
        _print_accounts(ledger.controls.hidden)
    if wanted is not None:
        _print_found(_search(ledger, asked, wanted), wanted)
    few = f"; under {MIN_PROMPTS} prompts they are rough" if ledger.n_prompts < MIN_PROMPTS else ""
    print(f"\n{LEVEL:.0%} intervals from {ledger.n_prompts} prompts, resampled{few}.")
    print("What is saved on the source alone is leakage; what is saved on held-out responses is elicitation.")


def _print_accounts(accounts: Sequence[Account]) -> None:
    rows = []
    for account in accounts:
        rows.append([account.name, *_split(account.gap), *_split(account.saved), "", ""])
        rows += [
            [f"- {piece}", "", "", *_split(each.saved), *_costs(each.cost)] for piece, each in account.pieces.items()
        ]
    print_table(["context", "gap, held out", "on source", "saved, held out", "on source", "costs bits", "tokens"], rows)


def _print_found(found: Found | None, wanted: Wanted) -> None:
    reach = "" if wanted.reach is None else f" that leaves a gap of {wanted.reach:g} or less"
    print(f"\nThe {'best' if wanted.reach is None else 'cheapest'} context of {wanted.tokens} tokens or less{reach}")
    if found is None:
        print("none, on the half of the prompts that it is chosen on")
        return
    columns = ["context", "tokens", "gap, prompts chosen on", "gap, the other prompts"]
    print_table(columns, [[found.name, f"{found.tokens:.0f}", _rate(found.chosen_on), _rate(found.reported_on)]])


def _print_curve(curve: Sequence[Account]) -> None:
    rows = []
    for account in curve:
        hint = account.pieces["hint"]
        rows.append(
            [
                account.name,
                *_costs(hint.cost),
                *(_per_response(rate) for rate in (hint.saved.held_out, hint.saved.source)),
                *_split(hint.saved),
            ]
        )
    print_table(
        ["hint", "costs bits", "tokens", "bits saved, held out", "on source", "per byte, held out", "on source"], rows
    )


def _split(split: Split) -> list[str]:
    return [_rate(split.held_out), _rate(split.source)]


def _rate(rate: Rate | None) -> str:
    return "-" if rate is None else _with_interval(rate.per_byte, rate.ci, ".3f")


def _per_response(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate.per_response:.1f}"


def _costs(cost: Cost | None) -> list[str]:
    return ["-", "-"] if cost is None else [_with_interval(cost.bits, cost.ci, ".0f"), f"{cost.tokens:.0f}"]


def _with_interval(value: float, ci: tuple[float, float] | None, form: str) -> str:
    """The interval is left out where all prompts have one value, as the cost of a text that they share."""
    return f"{value:{form}}" + (f" [{ci[0]:{form}}, {ci[1]:{form}}]" if ci and ci[0] < ci[1] else "")
