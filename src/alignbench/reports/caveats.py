"""What a sentence about two conditions has to say of the responses that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alignbench.reports.finding import Finding
from alignbench.scoring.score_tables import ConditionSize, ScoreTables
from alignbench.scoring.truncation import Truncations, not_recorded, too_many_cut

LENGTHS_APART = 0.1  # of the reference's mean length: how far apart two conditions may be whose embeddings compare
MOST_COPIES = 0.1  # of a condition's responses: how many may equal another one of their prompt


def with_caveats(
    finding: Finding, sizes: Mapping[str, ConditionSize], truncations: Truncations, reference: str
) -> Finding:
    """The finding, saying so where different shares of responses are empty; and of what it claims, where too many were
    cut by length, or where it is not known how they ended."""
    if finding.condition == reference or not finding.condition:
        return finding
    caveats = [*_empty(finding.condition, reference, sizes)]
    if finding.claims:
        caveats += [
            too_many_cut(truncations, finding.condition, reference),
            not_recorded(truncations, finding.condition, reference),
        ]
    said = "; ".join(filter(None, caveats))
    return replace(finding, text=f"{finding.text.removesuffix('.')} ({said}).") if said else finding


def lengths_apart(scores: ScoreTables, condition: str, reference: str) -> str:
    """Why their embeddings do not compare; empty where their lengths do, or were not scored."""
    length, own = (scores.within.get(name, {}).get("words") for name in (condition, reference))
    if length is None or own is None or length.difference is None or own.value is None:
        return ""
    if length.difference.clear or abs(length.difference.value or 0.0) > LENGTHS_APART * own.value:
        return "lengths differ, and embeddings of longer responses are more alike"
    return ""


def too_many_copies(scores: ScoreTables, condition: str, reference: str) -> str:
    """Why neither MMD² nor coverage tells them apart; empty where there are few equal texts."""
    for name in (condition, reference):
        copies = scores.within.get(name, {}).get("duplicates")
        if copies is not None and (copies.value or 0.0) * copies.n > MOST_COPIES * copies.samples:
            return f"over {MOST_COPIES:.0%} of the responses of {name} are copies, which bring a set closer to itself"
    return ""


def _empty(condition: str, reference: str, sizes: Mapping[str, ConditionSize]) -> Iterator[str]:
    if not {condition, reference} <= sizes.keys():
        return
    size, own = sizes[condition], sizes[reference]
    if size.empty * own.samples != own.empty * size.samples:
        empty = f"{size.empty} of {size.samples} responses of {condition} are empty"
        yield f"{empty}, {own.empty} of {own.samples} of {reference}"
