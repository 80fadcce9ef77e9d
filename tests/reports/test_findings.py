"""Sentences say what the interval carries, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from alignbench.judging.summary import JudgedEstimate
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference
from alignbench.reports.caveats import said_first
from alignbench.reports.contents import Diversity, Report, SampleCounts
from alignbench.reports.coverage_curves import ConditionCoverage, Coverage, EqualCoverage
from alignbench.reports.finding import Claim, Finding
from alignbench.reports.findings import findings
from alignbench.reports.gate import GatedCondition, GateGap, QualityGate
from alignbench.reports.numbers import interval, number
from alignbench.reports.openings import Openings
from alignbench.scoring.score_tables import MatchedEstimate, ScoreTables, WithinEstimate
from tests.support.reported import meta

NO_GATE = QualityGate(3.0, None, "no quality judgments")
NO_OPENINGS = Openings("jaccard", 50, {})
NO_COVERAGE = Coverage("coverage was not asked for")
NONE = Estimate()


def score(value: float | None, difference: PairedDifference | None = None, reason: str = "") -> WithinEstimate:
    return WithinEstimate(value, reason=reason, difference=difference)


def texts(report: Report, diversity: Diversity) -> list[str]:
    said = findings(report, diversity)
    return [finding.text for finding in (*said_first(said, report, diversity.coverage), *said)]


def said(metric: str, difference: PairedDifference, gate: QualityGate = NO_GATE, **extra: Any) -> str:
    within = {"base": {metric: score(0.1, difference)}, "chat": {metric: score(0.3)}}
    judged, contested = extra.pop("judged", {}), extra.pop("contested", 0)
    matched = {"base": {metric: extra.pop("matched")}} if "matched" in extra else {}
    report = Report(1, ScoreTables(within, matched=matched), judged, meta=meta(contested=contested))
    return "\n".join(texts(report, Diversity(NO_OPENINGS, gate, NO_COVERAGE)))


def gap(value: float, low: float, high: float, p: float = 0.001, n: int = 50) -> PairedDifference:
    return PairedDifference(value, (low, high), p, n, p)


def test_a_clear_difference_has_its_direction() -> None:
    assert "base is more diverse" in said("embedding_diversity", gap(0.2, 0.15, 0.25))
    assert "base is less diverse" in said("embedding_diversity", gap(-0.2, -0.25, -0.15))
    assert "shorter responses" in said("words", gap(-20.0, -25.0, -15.0))


def test_what_a_sentence_claims_stands_beside_it() -> None:
    def claimed(metric: str, difference: PairedDifference) -> list[Claim]:
        within = {"base": {metric: score(0.1, difference)}, "chat": {metric: score(0.3)}}
        report = Report(1, ScoreTables(within), meta=meta())
        there = findings(report, Diversity(NO_OPENINGS, NO_GATE, NO_COVERAGE))
        return [claim for finding in there for claim in finding.claims]

    assert claimed("words", gap(20.0, 15.0, 25.0)) == [Claim("length", "words", "longer")]
    diverse = "embedding_diversity"
    assert claimed(diverse, gap(0.2, 0.15, 0.25)) == [Claim("diversity", diverse, "more diverse")]
    assert not claimed(diverse, gap(-0.2, -0.5, 0.1))
    assert not claimed(diverse, gap(-0.2, -0.25, -0.15, n=2))


def test_different_shares_of_empty_responses_are_said() -> None:
    def line(empty: float) -> str:
        within = {
            "base": {"jaccard": score(0.1, gap(-0.2, -0.25, -0.15)), "empty": WithinEstimate(empty, n=50, samples=250)},
            "chat": {"jaccard": score(0.3), "empty": WithinEstimate(0.0, n=50, samples=250)},
        }
        return texts(Report(1, ScoreTables(within), meta=meta()), Diversity(NO_OPENINGS, NO_GATE, NO_COVERAGE))[0]

    assert line(2.0) == "Unequal shares of responses are empty: 100 of 250 of base, 0 of 250 of chat."
    assert "empty" not in line(0.0)


def test_embeddings_claim_nothing_where_lengths_differ() -> None:
    """The openings of an aligned model's answers have an embedding diversity of .27, the whole answers one of .12."""

    def claimed(words: PairedDifference) -> list[Claim]:
        more = gap(0.15, 0.12, 0.19)
        within = {
            "cut": {"words": score(120.0, words), "embedding_diversity": score(0.27, more)},
            "chat": {"words": score(480.0), "embedding_diversity": score(0.12)},
        }
        report = Report(1, ScoreTables(within), meta=meta())
        there = findings(report, Diversity(NO_OPENINGS, NO_GATE, NO_COVERAGE))
        return [claim for finding in there for claim in finding.claims if claim.kind == "diversity"]

    assert not claimed(gap(-20.0, -30.0, -10.0))
    assert not claimed(gap(-60.0, -130.0, 10.0))  # not told from none, but over a tenth
    assert claimed(gap(-20.0, -60.0, 20.0)) == [Claim("diversity", "embedding_diversity", "more diverse")]


def test_an_interval_with_zero_in_it_carries_no_claim() -> None:
    unclear = gap(-0.2, -0.5, 0.1), gap(-0.2, -0.3, -0.1, p=0.2)
    for line in (said("embedding_diversity", difference) for difference in unclear):
        assert "not told from no difference" in line
        assert "diverse" not in line


def test_few_prompts_carry_no_claim() -> None:
    line = said("embedding_diversity", gap(-0.2, -0.25, -0.15, n=2))
    assert "under 20 prompts carry no claim" in line
    assert "is more diverse" not in line


def test_what_cannot_be_compared_says_why() -> None:
    line = said("jaccard", PairedDifference(None, None, None, 0))
    assert "do not compare" in line


def test_the_gates_share_is_a_claim_only_with_an_interval_off_zero() -> None:
    def closed(share: Estimate) -> str:
        change = GateGap(gap(-0.2, -0.3, -0.1), gap(-0.1, -0.2, 0.0), share)
        gated = GatedCondition(10, 6, NONE, NONE, NONE, {}, {"jaccard": change})
        return said("jaccard", gap(-0.2, -0.25, -0.15), QualityGate(3.0, "j", conditions={"base": gated}))

    assert "50% [20%, 80%] of the difference is bad responses" in closed(Estimate(0.5, (0.2, 0.8)))
    assert "not told from no effect" in closed(Estimate(0.1, (-0.2, 0.4)))
    line = closed(Estimate(0.5, reason="no interval: needs 20 prompts, has 3"))
    assert "needs 20 prompts" in line
    assert "bad responses" not in line
    none = closed(Estimate(reason="no share: the difference cannot be told from 0"))
    assert "lexical similarity at matched length, base minus chat" in none
    assert "-0.200 before the gate, -0.100 after it (no share: the difference cannot be told from 0)" in none
    assert "bad responses" not in none


def test_contested_prompts_without_stances_ask_for_them() -> None:
    assert "--kind stance" in said("jaccard", gap(-0.2, -0.25, -0.15), contested=4)
    fields = {name: JudgedEstimate(0.25) for name in ("yes", "no", "both", "other")}
    stances = {"chat": {**fields, "distinct_per_prompt": JudgedEstimate(2.0, (1.0, 3.0))}}
    line = said("jaccard", gap(-0.2, -0.25, -0.15), contested=4, judged={"stance": stances})
    assert "Stances of chat: yes 25%, no 25%, both 25%, other 25%; 2.000 [1.000, 3.000] different ones" in line
    assert "--kind stance" not in line


def test_lexical_diversity_is_claimed_at_matched_length_only() -> None:
    def at_matched_length(difference: PairedDifference) -> list[str]:
        return said("jaccard", gap(-0.2, -0.25, -0.15), matched=MatchedEstimate(0.2, 0.21, difference, 4)).splitlines()

    (line,) = [line for line in at_matched_length(gap(0.01, -0.02, 0.04)) if "lexical" in line]
    assert line == (
        "lexical similarity: base 0.100, chat 0.300; at matched length 0.200 and 0.210; a difference of +0.010 "
        "[-0.020, 0.040] over 50 prompts, Holm p = 0.001: not told from no difference."
    )
    (line,) = [line for line in at_matched_length(gap(-0.1, -0.2, -0.05)) if "lexical" in line]
    assert "difference of -0.100" in line
    assert "base is more diverse" in line
    none = MatchedEstimate(None, None, PairedDifference(None, None, None, 0), 9, "no words")
    assert "not compared at matched length (no words)" in said("jaccard", gap(-0.2, -0.25, -0.15), matched=none)


def test_the_claim_of_a_lexical_score_is_of_its_own_kind() -> None:
    within = {"base": {"jaccard": score(0.1, gap(-0.2, -0.25, -0.15))}, "chat": {"jaccard": score(0.3)}}
    matched = {"base": {"jaccard": MatchedEstimate(0.2, 0.3, gap(-0.1, -0.2, -0.05), 0)}}
    report = Report(1, ScoreTables(within, matched=matched), meta=meta())
    there = findings(report, Diversity(NO_OPENINGS, NO_GATE, NO_COVERAGE))
    claims = [claim for finding in there for claim in finding.claims]
    assert claims == [Claim("matched diversity", "jaccard", "more diverse")]


def test_without_a_reference_nothing_is_compared() -> None:
    report = Report(1, ScoreTables(), meta=meta(None))
    nothing = Diversity(NO_OPENINGS, NO_GATE, NO_COVERAGE)
    assert texts(report, nothing) == [
        "No condition is the reference, so nothing is compared; name one with --reference."
    ]


@pytest.mark.parametrize("metric", ["words", "embedding_diversity", "jaccard"])
def test_nothing_is_claimed_where_more_than_a_tenth_was_cut(metric: str) -> None:
    """Every aligned response cut by length: the base model's are no shorter for it."""
    clear = gap(-0.2, -0.25, -0.15)
    for cut, claims in (({"base": (0, 100), "chat": (100, 100)}, 0), ({"base": (10, 100), "chat": (10, 100)}, 1)):
        found = compared(metric, clear, {name: SampleCounts(n, 0, truncated) for name, (truncated, n) in cut.items()})
        assert len([claim for finding in found for claim in finding.claims]) == claims
        assert (found[0].caveats == ("cut",)) == (not claims)
        digits = 1 if metric == "words" else 3
        said = f"a difference of {number(-0.2, digits)} {interval((-0.25, -0.15), digits)} over 50 prompts"
        assert said in found[0].text


def test_what_nobody_recorded_is_said_and_withholds_nothing() -> None:
    unknown = {"base": SampleCounts(100, 0, 0), "chat": SampleCounts(100, 0, None)}
    (finding,) = compared("words", gap(-20.0, -25.0, -15.0), unknown)
    assert finding.claims == (Claim("length", "words", "shorter"),)
    assert finding.caveats == ("endings",)
    (finding,) = compared("words", gap(-20.0, -25.0, 15.0), unknown)
    assert not finding.caveats


def compared(metric: str, difference: PairedDifference, counts: dict[str, SampleCounts]) -> list[Finding]:
    within = {"base": {metric: score(0.1, difference)}, "chat": {metric: score(0.3)}}
    matched = {"base": {metric: MatchedEstimate(0.1, 0.3, difference, 0)}} if metric == "jaccard" else {}
    report = Report(1, ScoreTables(within, matched=matched), meta=meta(), counts=counts)
    there = findings(report, Diversity(NO_OPENINGS, NO_GATE, NO_COVERAGE))
    return [finding for finding in there if METRICS[metric].title in finding.text]


def test_copies_cover_each_other_and_nothing_is_claimed_of_them() -> None:
    """Of one condition under other seeds, 40% copies: a set with copies says more of itself than another set does."""
    equal = EqualCoverage(Estimate(0.4), Estimate(0.5), gap(-0.1, -0.15, -0.05), 20.0)
    curve = (Estimate(0.4),)
    covered = ConditionCoverage(12, curve, curve, curve, Estimate(3.0), equal, equal)
    coverage = Coverage(n=12, reference=curve, conditions={"base": covered})
    for copies, claims in ((4.0, 0), (1.0, 1)):
        duplicates = WithinEstimate(copies, n=50, samples=600)
        report = Report(1, ScoreTables({name: {"duplicates": duplicates} for name in ("base", "chat")}), meta=meta())
        found = findings(report, Diversity(NO_OPENINGS, NO_GATE, coverage))
        assert len([claim for finding in found for claim in finding.claims]) == claims
        said = [finding.text for finding in said_first(found, report)]
        copied = "over 10% of the responses of base and chat are copies, which bring a set closer to itself."
        assert said == [f"MMD² and coverage: {copied}"] * (not claims)
