"""Entropies beside temperatures: what is claimed of them, and what not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.protocol import SampleResult
from alignbench.metrics.values import WORKBENCH
from alignbench.reports.contents import Report
from alignbench.reports.finding import Claim, Finding
from alignbench.reports.options import Options, default_metrics
from alignbench.reports.report import build_report
from alignbench.reports.sections import sections
from alignbench.reports.to_json import report_json
from alignbench.spec import Condition, Prompt, Sampling
from alignbench.store import Store
from tests.support.drawn import drawn, drawn_session
from tests.support.samples import ALIGNED, BASE

METRICS = ("words", "entropy", "sampling_entropy", "branching_factor")
PROMPTS = 24


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def samples(choices: float, seed: int, *, bytes_per_token: int = 4, n_tokens: int = 12) -> list[list[SampleResult]]:
    """Of every prompt two; the tokens' choices are spread around the mean."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.normal(np.log(choices), 0.1, (PROMPTS, 2, n_tokens)))
    return [[drawn(i, "x" * bytes_per_token * n_tokens, row) for i, row in enumerate(of)] for of in spread.tolist()]


def report(store: Store, base: Sequence[Sequence[SampleResult]], temperature: float = 0.7) -> Report:
    sampled = replace(Condition.zero_shot(BASE, name="base"), sampling=Sampling(temperature=temperature))
    chat = Condition.zero_shot(ALIGNED, name="chat")
    session = drawn_session(store, {sampled: base, chat: samples(2.0, 1)}, reference="chat")
    options = Options(metrics=METRICS, reference="chat", floor=None, investigation="diversity", resamples=500)
    return build_report(store, session, options, None, None)


def said(found: Report) -> Finding:
    assert found.investigation is not None
    return next(finding for finding in found.investigation.findings if "ntropy" in finding.text)


def test_equal_temperatures_are_not_equal_entropies(store: Store) -> None:
    found = said(report(store, samples(8.0, 2)))
    assert found.text.startswith(
        "Entropy of what was drawn from, in bits a byte (a token): base 0.748 (2.993), chat 0.249 (0.997);"
    )
    assert f"] over {PROMPTS} prompts, Holm p" in found.text
    assert found.text.endswith("wider distribution. Equal temperatures (0.7) are not equal entropies.")
    assert found.claims == (Claim("entropy", "sampling_entropy", "wider"),)


def test_other_temperatures_are_not_called_equal(store: Store) -> None:
    found = said(report(store, samples(1.2, 2), temperature=0.3))
    assert found.text.endswith("base draws from a narrower distribution.")


def test_the_same_entropy_carries_no_claim(store: Store) -> None:
    assert not said(report(store, samples(2.0, 3))).claims


def test_another_tokenizer_is_no_other_entropy(store: Store) -> None:
    """Half as many tokens of twice the bits say as much a byte."""
    found = said(report(store, samples(4.0, 4, bytes_per_token=8, n_tokens=6)))
    assert "base 0.252 (2.013), chat 0.249 (0.997)" in found.text
    assert not found.claims


def test_the_report_shows_entropies_and_the_curve(store: Store) -> None:
    found = report(store, samples(8.0, 2, n_tokens=60))
    tables = {section.title: section for section in sections(found)}
    assert [row[:2] for row in tables["Entropy"].rows] == [("base", "0.7"), ("chat", "0.7")]
    curve = tables["branching factor ↑ by position of the token"]
    assert curve.columns == ("condition", "1", "2-5", "6-10", "11-25", "26-50", "51-100")
    assert [float(cell) for cell in curve.rows[0][1:]] == pytest.approx([8.0] * 6, rel=0.1)
    assert curve.rows[1][-2:] == ("-", "-")


def test_json_has_them(store: Store) -> None:
    record = report_json(report(store, samples(8.0, 2)))
    of = record["investigation"]["entropies"]
    assert of["base"]["temperature"] == 0.7
    assert of["base"]["drawn"]["value"] == pytest.approx(3.0, rel=0.02)
    assert of["base"]["difference"]["n"] == PROMPTS
    assert of["base"]["difference"]["p_holm"] == 2 * of["base"]["difference"]["p"]  # beside the model's own
    assert of["base"]["raw_difference"]["n"] == PROMPTS
    assert "difference" not in of["chat"]
    factor = record["within"]["base"]["branching_factor"]
    assert factor["value"] == pytest.approx(8.0, rel=0.05)
    assert {key for key in factor if key.startswith("at_")} == {"at_1", "at_2_5", "at_6_10", "at_11_25"}


def test_a_session_without_tokens_says_why(store: Store) -> None:
    session = store.create_session("imported", reference="chat")
    for condition in (Condition.zero_shot(BASE, name="base"), Condition.zero_shot(ALIGNED, name="chat")):
        cell = store.add_cell(session, Prompt("q", "Why?"), condition, 1)
        store.add_text(cell, 0, "from elsewhere", raw_text="from elsewhere", finish_reason="stop")
    options = Options(metrics=METRICS, reference="chat", floor=None, investigation="diversity", resamples=100)
    found = build_report(store, session, options, None, None)
    assert found.scores.within["base"]["entropy"].value is None
    assert "no entropies are stored" in found.scores.within["base"]["branching_factor"].reason
    assert {section.title for section in sections(found) if section.rows}.isdisjoint({"Entropy"})
    assert found.investigation is not None
    assert not any("ntropy" in finding.text for finding in found.investigation.findings)


def test_reports_have_entropies_by_default(store: Store) -> None:
    session = drawn_session(store, {Condition.zero_shot(BASE, name="base"): samples(2.0, 0)})
    assert {"surprisal", *METRICS} <= {*default_metrics(store, session, WORKBENCH, None)}
