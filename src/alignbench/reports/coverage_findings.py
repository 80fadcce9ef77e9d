"""Coverage in sentences, and when it is aggregation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alignbench.metrics.estimates import Estimate
from alignbench.reports.caveats import FEW_RESPONSES
from alignbench.reports.coverage_curves import ConditionCoverage, Coverage
from alignbench.reports.evidence import evidence
from alignbench.reports.finding import Caveat, Claim, Finding
from alignbench.reports.numbers import number, percent, percents


def coverage_findings(
    coverage: Coverage, reference: str, why_no_claim: Callable[[str], Caveat | None] = lambda _: None
) -> Iterator[Finding]:
    """What conditions and the reference say of each other, and whether the reference gathers more than they do.

    why_no_claim: of a condition, why the reference is not claimed to; None where it may be.
    """
    if coverage.reason:
        yield Finding(f"No coverage: {coverage.reason}.")
        return
    shown = {name: covered for name, covered in coverage.conditions.items() if covered.of_reference}
    if shown:
        yield from _of_itself(coverage.reference, reference)
    for condition, covered in shown.items():
        responses = number(covered.responses_covered.value or 0.0)
        yield Finding(
            f"One response of {condition} says {_percent(covered.of_reference[0])} of a response of {reference}"
            f"{_further(covered.of_reference)}; a response of {reference} covers {responses} of its {covered.n}.",
            condition,
            caveats=("few responses",) if min(coverage.n, covered.n) < FEW_RESPONSES else (),
        )
        yield from _of_itself(covered.of_itself, condition)
        few: Caveat | None = "few responses" if min(coverage.n, covered.n) < FEW_RESPONSES else None
        yield from _equal_sentences(covered, condition, reference, why_no_claim(condition) or few)


def in_sentences(mean: float) -> str:
    """How many a side has, as a mean over prompts."""
    return "1 sentence" if round(mean) == 1 else f"{mean:.0f} sentences"


def _equal_sentences(
    covered: ConditionCoverage, condition: str, reference: str, no_claim: Caveat | None
) -> Iterator[Finding]:
    """Whether a rising curve is aggregation: only where the reference says more than the condition's own responses."""
    equal = covered.equal_by_reference
    if equal.difference.value is None or equal.sentences is None:
        return
    shown = (
        f"In {in_sentences(equal.sentences)} each, {reference} says {_percent(equal.by_other)} of a response of "
        f"{condition}, the other responses of {condition} {_percent(equal.by_itself)}"
    )
    told = evidence(shown, equal.difference, no_claim)
    if not told.sign:
        yield Finding(told.text, condition, caveats=told.caveats)
        return
    says = "aggregation" if told.sign > 0 else "no more than its own"
    ends = {
        1: f"aggregation, a response of {reference} gathers more than as many sentences of {condition} do",
        -1: f"responses of {condition} say more of each other than {reference} says of them",
    }
    yield Finding(f"{told.text}: {ends[told.sign]}.", condition, (Claim("aggregation", "coverage", says),))


def _of_itself(curve: Sequence[Estimate], name: str) -> Iterator[Finding]:
    if curve:
        yield Finding(f"One response of {name} says {_percent(curve[0])} of another of it{_further(curve)}.", name)


def _further(curve: Sequence[Estimate]) -> str:
    return f", {len(curve)} together say {_percent(curve[-1])}" if len(curve) > 1 else ""


def _percent(share: Estimate) -> str:
    if share.value is None:
        return "-"
    return percent(share.value) + ("" if share.ci is None else f" {percents(share.ci)}")
