"""What `ledger --json` prints. Every key here is public."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from alignbench.ledger.accounts import Account
from alignbench.ledger.ledger import Ledger
from alignbench.ledger.request import LedgerRequest
from alignbench.ledger.search import SearchTarget
from alignbench.metrics.bits import Cost
from alignbench.metrics.intervals import LEVEL
from alignbench.metrics.statistics import MIN_PROMPTS, RESAMPLES
from alignbench.reports.json_values import JsonObject


def ledger_json(
    ledger: Ledger, asked: LedgerRequest, session: int, failures: Sequence[str], wanted: SearchTarget | None
) -> JsonObject:
    """{"session", "contexts", "curve", "controls", "search", "meta"}."""
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
            "tried": {account.name: _account(account) for account in ledger.tried},
            "found": None if ledger.found is None else asdict(ledger.found),
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
            "ends": asdict(ledger.ends),
            "failures": list(failures),
        },
    }


def _account(account: Account) -> JsonObject:
    held_out = account.gap.held_out
    return {
        "gap": held_out.per_byte if held_out else None,
        "ci": held_out.ci if held_out else None,
        **asdict(account.gap),
        "saved": asdict(account.saved),
        "bits_saved": {piece: asdict(each.saved) for piece, each in account.pieces.items()},
        "cost": {piece: _cost(each.cost) for piece, each in account.pieces.items()},
        "parts": {part: asdict(each) for part, each in account.parts.items()} or None,
        "parts_reason": account.parts_reason,
        "responses": [
            {"prompt_id": prompt, "sample": sample, "source": sample in account.source, **asdict(bits)}
            for (prompt, sample), bits in account.gaps.items()
        ],
    }


def _cost(cost: Cost | None) -> JsonObject | None:
    return None if cost is None else asdict(cost)
