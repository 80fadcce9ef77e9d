"""When a difference over prompts is told from none, and how a sentence shows what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.metrics.statistics import MIN_PROMPTS, PairedDifference
from alignbench.reports.finding import Caveat
from alignbench.reports.numbers import DIGITS, counted, interval, number, p_value


@dataclass(frozen=True, slots=True)
class Evidence:
    """A difference in words.

    Attributes:
        text: a sentence without its end where something may be claimed, else a whole one.
        sign: 1 or -1 where the difference is told from 0, which a claim needs; else 0.
        caveats: why nothing may be claimed.
    """

    text: str
    sign: int
    caveats: tuple[Caveat, ...] = ()


def evidence(
    shown: str, difference: PairedDifference, no_claim: Caveat | None = None, digits: int = DIGITS
) -> Evidence:
    """Of a difference that has a value.

    Args:
        shown: What the sentence begins with.
        difference: Of what it shows.
        no_claim: Why nothing may be claimed from it, however clear it is.
        digits: Decimals of what is compared.
    """
    value, ci, p = difference.value or 0.0, difference.ci, difference.p_holm
    prompts = f"over {counted(difference.n, 'prompt')}" if difference.n != 1 else "on the one prompt both have"
    gap = f"{shown}; a difference of {number(value, digits, sign=True)}"
    if difference.n < MIN_PROMPTS or ci is None:
        return Evidence(f"{gap} {prompts}.", 0, ("few prompts",))
    tested = f"{gap} {interval(ci, digits)} {prompts}" + ("" if p is None else f", Holm {p_value(p)}")
    if no_claim:
        return Evidence(f"{tested}: no claim.", 0, (no_claim,))
    if not difference.clear:
        return Evidence(f"{tested}: not told from no difference.", 0)
    return Evidence(tested, 1 if value > 0 else -1)
