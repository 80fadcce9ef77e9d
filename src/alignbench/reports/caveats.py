"""What a sentence about two conditions has to say of the responses that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alignbench.reports.finding import Finding
from alignbench.scoring.score_tables import ConditionSize
from alignbench.scoring.truncation import Truncations, not_recorded, too_many_cut


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


def _empty(condition: str, reference: str, sizes: Mapping[str, ConditionSize]) -> Iterator[str]:
    if not {condition, reference} <= sizes.keys():
        return
    size, own = sizes[condition], sizes[reference]
    if size.empty * own.samples != own.empty * size.samples:
        empty = f"{size.empty} of {size.samples} responses of {condition} are empty"
        yield f"{empty}, {own.empty} of {own.samples} of {reference}"
