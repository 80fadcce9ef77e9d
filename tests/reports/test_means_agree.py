"""Two means that stand beside a difference are over its prompts: they differ by it, whatever prompts are missing."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics.length_matched import MatchedValue
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import Value
from alignbench.reports.contents import Diversity, Report
from alignbench.reports.coverage_curves import Coverage
from alignbench.reports.findings import findings
from alignbench.reports.gate import QualityGate
from alignbench.reports.openings import Openings
from alignbench.reports.sections import sections
from alignbench.scoring.aggregate import COUNTS, score_tables
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.score_tables import ScoreTables
from tests.support.reported import meta

METRICS = ("words", "jaccard", "embedding_diversity")
UNCERTAINTY = Uncertainty(resamples=50, flips=50)
NUMBER = r"[-+]?\d+(?:\.\d+)?"
PAIR = re.compile(rf"base ({NUMBER}), chat ({NUMBER})(?:; at matched length ({NUMBER}) and ({NUMBER}))?"
                  rf"; a difference of ({NUMBER})")  # fmt: skip


@st.composite
def session_tables(draw: st.DrawFn) -> ScoreTables:
    """Of some prompts, on each of which each score of each condition may be missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    prompts = []
    for _ in range(draw(st.integers(1, 25))):

        def value(metric: str) -> Value:
            scale = 40.0 if metric == "words" else 1.0
            there = rng.random() > 0.3
            extra = {"non_empty": scale * rng.random()} if metric == "words" and rng.random() < 0.3 else {}
            return Value(scale * rng.random() if there else None, 3, "missing", sd=1.0, extra=extra if there else {})

        within = {name: {metric: value(metric) for metric in METRICS} for name in ("base", "chat")}
        cut = MatchedValue(*rng.random(2), 4, 0) if rng.random() > 0.3 else MatchedValue(None, None, 0, 4, "missing")
        prompts.append(PromptScores(within, matched={"base": {"jaccard": cut}}))
    return score_tables(
        prompts, ("base", "chat"), within=(*METRICS, *COUNTS), cross=(), reference="chat", floor=None,
        uncertainty=UNCERTAINTY,
    )  # fmt: skip


@given(session_tables())
def test_of_findings(tables: ScoreTables) -> None:
    nothing = Diversity(Openings("jaccard", 50, {}), QualityGate(3.0, None, "none"), Coverage("none"))
    for finding in findings(Report(1, tables, meta=meta()), nothing):
        if (said := PAIR.search(finding.text)) is not None:
            own, other, at_length, of_other, difference = said.groups()
            first, second = (at_length, of_other) if at_length is not None else (own, other)
            _agrees(first, second, difference)


@given(session_tables())
def test_of_tables(tables: ScoreTables) -> None:
    """Where a row's means are of other prompts, the difference has its own behind it."""
    for shown, differences in pairwise(sections(Report(1, tables, meta=meta()))[0].rows):
        if not differences[0].startswith("  against") or not differences[1]:
            continue
        own = re.search(rf"\(({NUMBER}) and ({NUMBER}) over", differences[1])
        first, second = own.groups() if own else (shown[1].split()[0], shown[2].split()[0])
        _agrees(first, second, differences[1].split()[0])


def _agrees(first: str, second: str, difference: str) -> None:
    """To the rounding of all three."""
    rounding = sum(0.5 * 10.0 ** -len(each.partition(".")[2]) for each in (first, second, difference))
    assert abs(float(first) - float(second) - float(difference)) <= rounding + 1e-9
