"""What the sentences about conditions have to be read with: found for each of them, said once above all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.contents import Report
from alignbench.reports.coverage_curves import Coverage
from alignbench.reports.finding import CAVEATS, Caveat, Finding
from alignbench.scoring.score_tables import ConditionSize, ScoreTables
from alignbench.scoring.truncation import Truncations, not_recorded, too_many_cut

LENGTHS_APART = 0.1  # of the reference's mean length: how far apart two conditions may be whose embeddings compare
MOST_COPIES = 0.1  # of a condition's responses: how many may equal another one of their prompt
FEW_RESPONSES = 10  # responses a prompt under which coverage carries no claim


def with_caveats(
    finding: Finding, sizes: Mapping[str, ConditionSize], truncations: Truncations, reference: str
) -> Finding:
    """The finding, marked where different shares of responses are empty; and where it claims something, too many were
    cut by length, or it is not known how they ended."""
    condition = finding.condition
    if condition in (reference, ""):
        return finding
    caveats = [*finding.caveats]
    if _unequally_empty(condition, reference, sizes):
        caveats.append("empty")
    if finding.claims and too_many_cut(truncations, condition, reference):
        caveats.append("cut")
    if finding.claims and not_recorded(truncations, condition, reference):
        caveats.append("endings")
    return replace(finding, caveats=tuple(caveats))


def cut(truncations: Truncations, condition: str, reference: str) -> Caveat | None:
    """Where too many responses of either were cut by length."""
    return "cut" if too_many_cut(truncations, condition, reference) else None


def lengths_apart(scores: ScoreTables, condition: str, reference: str) -> Caveat | None:
    """Where their embeddings do not compare; None where their lengths do, or were not scored."""
    length, own = (scores.within.get(name, {}).get("words") for name in (condition, reference))
    if length is None or own is None or length.difference is None or own.value is None:
        return None
    apart = length.difference.clear or abs(length.difference.value or 0.0) > LENGTHS_APART * own.value
    return "lengths" if apart else None


def too_many_copies(scores: ScoreTables, condition: str, reference: str) -> Caveat | None:
    """Where neither MMD² nor coverage tells them apart; None where there are few equal texts."""
    return "copies" if [*_copied(scores, (condition, reference))] else None


def said_first(findings: Sequence[Finding], report: Report, coverage: Coverage | None = None) -> list[Finding]:
    """What these sentences have to be read with, each thing once."""
    about: dict[Caveat, dict[str, None]] = {}
    for finding in findings:
        for caveat in finding.caveats:
            about.setdefault(caveat, {})[finding.condition] = None
    first = (_words(caveat, [*about[caveat]], report, coverage) for caveat in CAVEATS if caveat in about)
    return [Finding(text) for text in first if text]


def _words(caveat: Caveat, conditions: Sequence[str], report: Report, coverage: Coverage | None) -> str:
    """conditions: that sentences with this caveat are about."""
    both = [*dict.fromkeys((*conditions, report.meta.reference or ""))]
    match caveat:
        case "few prompts":
            return (
                f"Numbers, not results: under {MIN_PROMPTS} prompts carry no claim, and a recovery over them has no "
                "interval."
            )
        case "cut":
            return f"Lengths and texts: {too_many_cut(report.truncations, *both)}."
        case "copies":
            copied = " and ".join(_copied(report.scores, both))
            return (
                f"MMD² and coverage: over {MOST_COPIES:.0%} of the responses of {copied} are copies, which bring a set "
                "closer to itself."
            )
        case "lengths":
            names = ", ".join(conditions)
            return f"Embeddings of {names}: lengths differ, and embeddings of longer responses are more alike."
        case "anchor lengths":
            return f"Anchor spans of {', '.join(conditions)}: lengths differ, and longer responses have more of them."
        case "passing":
            return "Behind the gate: what passes may be longer, and embeddings of longer responses are more alike."
        case "few responses":
            return "" if coverage is None else few_responses(coverage)
        case "empty":
            return f"Unequal shares of responses are empty: {_empty(both, report.scores.sizes)}."
        case "endings":
            return f"Not known: {not_recorded(report.truncations, *both)}."


def few_responses(coverage: Coverage) -> str:
    """On how few responses it rests."""
    if not any(covered.of_reference for covered in coverage.conditions.values()):
        return ""
    sizes = [coverage.n, *(covered.n for covered in coverage.conditions.values() if covered.of_reference)]
    few = [size for size in sizes if size < FEW_RESPONSES]
    if not few:
        return ""
    said = f"{min(few)} to {max(few)} responses" if len({*few}) > 1 else f"{few[0]} response{'s' * (few[0] != 1)}"
    return f"Coverage rests on {said} a prompt, under {FEW_RESPONSES}, which is too few for a claim about it."


def _copied(scores: ScoreTables, conditions: Sequence[str]) -> Iterator[str]:
    for name in conditions:
        copies = scores.within.get(name, {}).get("duplicates")
        if copies is not None and (copies.value or 0.0) * copies.n > MOST_COPIES * copies.samples:
            yield name


def _unequally_empty(condition: str, reference: str, sizes: Mapping[str, ConditionSize]) -> bool:
    if not {condition, reference} <= sizes.keys():
        return False
    size, own = sizes[condition], sizes[reference]
    return size.empty * own.samples != own.empty * size.samples


def _empty(conditions: Sequence[str], sizes: Mapping[str, ConditionSize]) -> str:
    shares = [f"{sizes[name].empty} of {sizes[name].samples} of {name}" for name in conditions if name in sizes]
    return ", ".join(shares)
