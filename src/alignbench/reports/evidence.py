"""When a difference over prompts is told from none, and how a sentence shows what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.metrics.statistics import MIN_PROMPTS, PairedDifference
from alignbench.reports.numbers import interval, number, p_value


@dataclass(frozen=True, slots=True)
class Evidence:
    """A difference in words.

    Attributes:
        text: a sentence without its end where something may be claimed, else a whole one that says why not.
        sign: 1 or -1 where the difference is told from 0, which a claim needs; else 0.
    """

    text: str
    sign: int


def evidence(shown: str, difference: PairedDifference, no_claim: str = "") -> Evidence:
    """Of a difference that has a value.

    shown: what the sentence begins with. no_claim: why nothing may be claimed from it, however clear it is.
    """
    value, ci, p = difference.value or 0.0, difference.ci, difference.p_holm
    prompts = f"over {difference.n} prompts" if difference.n != 1 else "on the one prompt both have"
    gap = f"{shown}; a difference of {number(value, sign=True)}"
    if difference.n < MIN_PROMPTS or ci is None:
        return Evidence(f"{gap} {prompts}, and under {MIN_PROMPTS} prompts carry no claim.", 0)
    tested = f"{gap} {interval(ci)} {prompts}" + ("" if p is None else f", Holm {p_value(p)}")
    if no_claim:
        return Evidence(f"{tested}: no claim, since {no_claim}.", 0)
    if not difference.clear:
        return Evidence(f"{tested}: not told from no difference.", 0)
    return Evidence(tested, 1 if value > 0 else -1)
