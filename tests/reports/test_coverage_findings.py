"""Coverage in sentences: numbers always, aggregation only where it is more than the condition's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import PairedDifference
from alignbench.reports.caveats import cut, few_responses
from alignbench.reports.coverage_curves import ConditionCoverage, Coverage, EqualCoverage
from alignbench.reports.coverage_findings import coverage_findings
from alignbench.reports.finding import Claim, Finding
from alignbench.scoring.truncation import Truncation, Truncations

NONE = EqualCoverage(Estimate(), Estimate(), PairedDifference(None, None, None, 0), None)


def curve(n: int) -> tuple[Estimate, ...]:
    return tuple(Estimate(k / 20) for k in range(1, n + 1))


def covered(n: int, equal: EqualCoverage = NONE) -> ConditionCoverage:
    return ConditionCoverage(n, curve(n), curve(n), curve(n - 1), Estimate(0.5), NONE, equal)


def said(
    conditions: dict[str, ConditionCoverage], n: int = 12, truncations: Truncations | None = None
) -> list[Finding]:
    coverage = Coverage(n=n, reference=curve(n - 1), conditions=conditions)
    return [*coverage_findings(coverage, "chat", lambda name: cut(truncations or {}, name, "chat"))]


def compared(low: float, high: float, p: float = 0.01, prompts: int = 50) -> EqualCoverage:
    middle = (low + high) / 2
    difference = PairedDifference(middle, (low, high), p, prompts, p)
    return EqualCoverage(Estimate(0.4 + middle), Estimate(0.4), difference, 23.6)


def test_coverage_at_few_responses_carries_no_claim() -> None:
    findings = said({"base": covered(5, compared(0.1, 0.2)), "one": covered(1), "many": covered(12)})
    lines = [finding.text for finding in findings]
    assert lines[0] == "One response of chat says 5% of another of it, 11 together say 55%."
    assert "One response of base says 5% of a response of chat, 5 together say 25%" in lines[1]
    assert lines[2] == "One response of base says 5% of another of it, 4 together say 20%."
    assert lines[3].endswith(": no claim.")
    assert findings[3].caveats == ("few responses",)
    assert "One response of one says 5% of a response of chat; a response of chat covers 0.500 of its 1." in lines
    conditions = {"base": covered(5), "one": covered(1), "many": covered(12)}
    few = few_responses(Coverage(n=12, conditions=conditions))
    assert few.startswith("Coverage rests on 1 to 5 responses a prompt, under 10")
    assert few_responses(Coverage(n=1, conditions={"many": covered(12)})).startswith("Coverage rests on 1 response a")
    assert not any(finding.claims for finding in findings)
    greedy = said({"base": covered(12, compared(0.1, 0.2))}, n=1)
    assert not any(finding.claims for finding in greedy), "one response of the reference is few, too"


@pytest.mark.parametrize(
    ("equal", "says"),
    [
        (compared(0.02, 0.1), "aggregation"),
        (compared(-0.1, -0.02), "no more than its own"),
        (compared(-0.1, 0.0), None),
        (compared(0.02, 0.1, p=0.06), None),
        (compared(0.02, 0.1, prompts=19), None),
        (NONE, None),
    ],
)
def test_aggregation_is_more_in_as_many_sentences_than_others_of_the_condition_say(
    equal: EqualCoverage, says: str | None
) -> None:
    findings = said({"base": covered(12, equal)})
    assert [claim for finding in findings for claim in finding.claims] == (
        [] if says is None else [Claim("aggregation", "coverage", says)]
    )
    text = " ".join(finding.text for finding in findings)
    assert ("aggregation" in text) == (says == "aggregation")
    assert ("In 24 sentences each, chat says" in text) == (equal is not NONE)


def test_one_sentence_is_no_sentences() -> None:
    (line,) = [
        finding.text
        for finding in said({"base": covered(12, replace(compared(0.1, 0.2), sentences=1.2))})
        if "aggregation" in finding.text
    ]
    assert line.startswith("In 1 sentence each, chat says")


def test_responses_that_were_cut_are_covered_by_no_claim() -> None:
    conditions = {"base": covered(12, compared(0.02, 0.1))}
    findings = said(conditions, truncations={"chat": Truncation(11, 100), "base": Truncation(10, 100)})
    assert not any(finding.claims for finding in findings)
    (finding,) = [finding for finding in findings if "sentences each" in finding.text]
    assert finding.text.endswith(": no claim.")
    assert finding.caveats == ("cut",)
    few = {"chat": Truncation(10, 100), "base": Truncation(None, 100)}
    assert any(finding.claims for finding in said(conditions, truncations=few))
