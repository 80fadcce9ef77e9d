"""Sentences on recovery say what it has to be read beside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alignbench.metrics.recovery import NO_GAP
from alignbench.reports.contents import Report
from alignbench.reports.finding import Claim, Finding
from alignbench.reports.recovery import recovery_findings
from alignbench.scoring.score_tables import CrossEstimate, ScoreTables, WithinEstimate
from tests.support.reported import meta

SCORE = CrossEstimate(
    0.19, n=50, ceiling=0.28, null=0.06, recovery=0.58, recovery_ci=(0.55, 0.62), mmd2=0.12, mmd2_ci=(0.1, 0.14)
)


def finding(metric: str = "jaccard", **changes: Any) -> Finding:
    scores = {"shown": replace(SCORE, **changes), "chat": SCORE, "raw": SCORE}
    tables = ScoreTables(cross={name: {metric: score} for name, score in scores.items()})
    report = Report(1, tables, meta=meta(floor="raw"))
    (there,) = recovery_findings(report, {"shown": "in-context", "chat": "aligned", "raw": "base"})
    return there


def said(metric: str = "jaccard", **changes: Any) -> str:
    return finding(metric, **changes).text


def test_a_recovery_stands_with_its_ceiling_null_and_distance() -> None:
    line = said()
    assert "shown (in-context) to chat: 0.190, of a ceiling of 0.280 and 0.060 for answers to other prompts" in line
    assert "recovery 58% [55%, 62%]; MMD² 0.120 [0.100, 0.140], another distribution" in line
    apart = said(with_source=replace(SCORE, value=0.194, recovery=0.59))
    assert "to chat, held out: 0.190" in apart
    assert apart.endswith("; with the source of its context it would be 0.194, recovery 59%.")
    assert "not told from the same distribution" in said(mmd2=0.0, mmd2_ci=(-0.1, 0.1))
    assert "not told from none" in said(recovery_ci=(-0.1, 0.62))
    assert said(warning="over 1: mode-seeking").endswith("the recovery is over 1: mode-seeking.")


def test_mmd2_of_cosines_tells_of_means() -> None:
    assert said("embedding_similarity").endswith("MMD² 0.120 [0.100, 0.140], another mean.")
    assert said("embedding_similarity", mmd2=0.0, mmd2_ci=(-0.1, 0.1)).endswith("means not told apart.")


def test_an_mmd2_under_0_is_chance() -> None:
    below = finding(mmd2=-0.02, mmd2_ci=(-0.03, -0.01))
    assert "not told from the same distribution" in below.text
    assert [claim.kind for claim in below.claims] == ["recovery"]


def test_several_mmd2s_are_corrected_together() -> None:
    assert "not told from the same distribution" in said(mmd2_p=0.08)
    assert "another distribution" in said(mmd2_p=0.04)


def test_copies_are_no_other_distribution() -> None:
    """Two draws from one distribution, of each of which 40% are copies, have an MMD² over 0 every time."""
    for name, copies in (("shown", 2.0), ("chat", 2.0), ("shown", 0.5)):
        duplicates = {name: {"duplicates": WithinEstimate(copies, n=50, samples=250)}}
        tables = ScoreTables(duplicates, {each: {"jaccard": SCORE} for each in ("shown", "chat")})
        (there,) = recovery_findings(Report(1, tables, meta=meta()), {"shown": "in-context", "chat": "aligned"})
        claimed = "distribution" in [claim.kind for claim in there.claims]
        assert claimed == (copies == 0.5)
        assert (there.caveats == ("copies",)) != claimed


def test_what_a_sentence_claims_stands_beside_it() -> None:
    another = Claim("distribution", "jaccard", "another")
    assert finding().claims == (Claim("recovery", "jaccard", "some"), another)
    assert finding(recovery_ci=(-0.1, 0.62)).claims == (another,)
    assert not finding(n=2, recovery_ci=None).claims


def test_few_prompts_carry_no_claim() -> None:
    few = finding(n=2, recovery_ci=None, recovery_reason="no interval: needs 20 prompts, has 2")
    assert "recovery 58% !;" in few.text
    assert "distribution" not in few.text
    assert few.caveats == ("few prompts",)
    assert "none (no samples)" in said(value=None, reason="no samples")
    assert "no recovery (no floor)" in said(recovery=None, recovery_reason="no floor")


def test_where_there_is_no_gap_nothing_is_recovered() -> None:
    """87% of .02 of .03: whatever the share of what may be chance is, it is not shown."""
    found = finding(recovery_ci=None, recovery=0.87, gap_ci=(-0.01, 0.05), recovery_reason=NO_GAP)
    assert "no recovery (no gap: ceiling and floor are too close to be told apart)" in found.text
    assert "87%" not in found.text
    assert "recovery" not in [claim.kind for claim in found.claims]


def test_without_a_reference_nothing_is_recovered() -> None:
    assert "--reference" in recovery_findings(Report(1, ScoreTables(), meta=meta(None)), {})[0].text
