"""How sure conditions were of what they drew, in sentences."""

from __future__ import annotations

from alignbench.reports.caveats import cut
from alignbench.reports.entropies import DRAWN, Entropies
from alignbench.reports.evidence import evidence
from alignbench.reports.finding import Claim, Finding
from alignbench.reports.section import shown_number
from alignbench.scoring.truncation import Truncations


def entropy_findings(of: Entropies, truncations: Truncations) -> list[Finding]:
    """What each condition drew from beside the reference; a claim where bits of a byte differ, and few responses were
    cut: how sure a model is at the beginning of a response is not how sure it is over all of it."""
    own = of.conditions.get(of.reference or "")
    if own is None or own.drawn.value is None:
        return []
    found = []
    for name, one in of.conditions.items():
        if name == of.reference or one.drawn.value is None or one.difference is None:
            continue
        per_byte = one.difference.means or (one.per_byte.value, own.per_byte.value)
        a_token = one.drawn_means or (one.drawn.value, own.drawn.value)
        there = ", ".join(
            f"{who} {shown_number(byte)} ({shown_number(token)})"
            for who, byte, token in zip((name, of.reference), per_byte, a_token, strict=True)
        )
        shown = f"Entropy of what was drawn from, in bits a byte (a token): {there}"
        told = evidence(shown, one.difference, cut(truncations, name, of.reference or ""))
        if not told.sign:
            found.append(Finding(told.text, name, caveats=told.caveats))
            continue
        says = "wider" if told.sign > 0 else "narrower"
        text = f"{told.text}: {name} draws from a {says} distribution."
        if one.temperature is not None and one.temperature == own.temperature:
            text += f" Equal temperatures ({own.temperature:g}) are not equal entropies."
        found.append(Finding(text, name, (Claim("entropy", DRAWN, says),)))
    return found
