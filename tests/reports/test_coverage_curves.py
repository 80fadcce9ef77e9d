"""Coverage curves from sentences whose vectors are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alignbench.contexts.source_samples import NOTHING_HELD_OUT
from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.importing.save import save_import
from alignbench.metrics.coverage import COVERAGE_THRESHOLD
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.sentences import sentences
from alignbench.metrics.statistics import MIN_PROMPTS, Uncertainty
from alignbench.overton.read import read_dataset
from alignbench.reports.coverage_curves import coverage_curves
from alignbench.reports.coverage_findings import coverage_findings
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import SessionResponses, all_texts
from alignbench.store import Store
from tests.support.embeddings import FakeEmbedPool
from tests.support.given import GivenResponses
from tests.support.paper_data import OVERTON, needs_paper_data
from tests.support.pools import shared_pool

BASE = ["Sun shines.", "Rain falls.", "Wind blows.", "Snow melts."]
CONDITIONS = ("llama-2-base", "llama-2-chat")
UNLIKE = {"base": ["Fish swim."] * 4, "aligned": ["Birds sing."]}


@pytest.fixture
def embeddings(tmp_path: Path) -> Iterator[Embeddings]:
    with Store.open(tmp_path / "vectors.db") as store:
        cache = Embeddings(store, FakeEmbedPool(), DEFAULT_EMBEDDER)
        texts = [*BASE, *UNLIKE["base"], *UNLIKE["aligned"], "Trees grow."]
        cache.make(texts)
        yield cache


def table(texts: dict[str, dict[str, list[str]]], embeddings: Embeddings, unseen: frozenset[str] = frozenset()):  # type: ignore[no-untyped-def]
    return coverage_curves(GivenResponses(texts), "aligned", embeddings, unseen, Uncertainty(resamples=50))


def test_a_response_is_not_asked_about_what_its_context_tells_of(embeddings: Embeddings) -> None:
    """The first of two aligned responses is the source: only the second one counts, both ways."""
    texts = {"p": {"base": ["Sun shines."], "aligned": ["Sun shines.", "Trees grow."]}}
    responses, uncertainty = GivenResponses(texts), Uncertainty(resamples=50)
    for sources, expected in (({}, 0.5), ({"base": {0}}, 0.0), ({"base": {1}}, 1.0)):
        told = dict(sources)
        curves = coverage_curves(responses, "aligned", embeddings, frozenset(), uncertainty, lambda _, told=told: told)
        entry = curves.conditions["base"]
        assert shares(entry.of_reference) == [expected]
        assert entry.by_reference[0].value == expected
        assert shares(curves.reference) == [0.0], "the reference's own curve is of all its responses"
    curves = coverage_curves(
        responses, "aligned", embeddings, frozenset(), uncertainty, lambda _: {"base": {0, 1}}
    ).conditions["base"]
    assert curves.of_reference == ()
    assert curves.equal_of_reference.by_other.reason == NOTHING_HELD_OUT


def shares(curve: tuple[Estimate, ...]) -> list[float | None]:
    return [point.value for point in curve]


def test_a_response_that_gathers_the_others_is_covered_by_their_union_alone(embeddings: Embeddings) -> None:
    curves = table({"p": {"base": BASE, "aligned": [" ".join(BASE)]}, "q": UNLIKE}, embeddings)
    entry = curves.conditions["base"]
    # On the other prompt nothing is covered, so the means over the two are halves.
    assert [point.value for point in entry.of_reference] == pytest.approx([1 / 8, 2 / 8, 3 / 8, 4 / 8])
    assert len(entry.of_reference) == 4
    assert entry.by_reference[0].value == pytest.approx(0.5)
    assert entry.responses_covered.value == pytest.approx(2.0)
    assert entry.n == 4
    assert curves.threshold >= COVERAGE_THRESHOLD


def test_a_response_never_covers_itself(embeddings: Embeddings) -> None:
    twice = ["Sun shines.", "Sun shines.", "Rain falls."]
    curves = table({"p": {"base": twice, "aligned": ["Rain falls.", "Snow melts."]}}, embeddings)
    assert [point.value for point in curves.conditions["base"].of_itself] == pytest.approx([1 / 3, 2 / 3])
    assert [point.value for point in curves.reference] == [0.0]


def test_other_seeds_of_one_condition_are_no_aggregation(embeddings: Embeddings) -> None:
    """Both sides rise with k, and neither says more in as many sentences."""
    rng = np.random.default_rng(0)
    texts = {
        str(prompt): {
            name: [" ".join(rng.choice(BASE, rng.integers(1, 5), replace=False)) for _ in range(5)]
            for name in ("base", "aligned")
        }
        for prompt in range(40)
    }
    entry = table(texts, embeddings).conditions["base"]
    assert [a.value for a in entry.by_reference] == sorted(a.value or 0.0 for a in entry.by_reference)
    for equal in (entry.equal_by_reference, entry.equal_of_reference):
        ci = equal.difference.ci
        assert ci is not None
        assert ci[0] < 0.0 < ci[1]


def test_a_response_that_says_what_others_say_one_by_one_is_aggregation(embeddings: Embeddings) -> None:
    texts = {str(prompt): {"base": BASE + BASE[:1] * 8, "aligned": [" ".join(BASE)] * 2} for prompt in range(20)}
    equal = table(texts, embeddings).conditions["base"].equal_by_reference
    assert equal.by_other.value == pytest.approx(1.0)
    assert (equal.by_itself.value or 0.0) < 0.9
    assert equal.difference.ci is not None
    assert equal.difference.ci[0] > 0


def test_what_nobody_says_is_not_covered(embeddings: Embeddings) -> None:
    curves = table({"p": {"base": BASE[:2], "aligned": [f"{BASE[0]} Trees grow."]}}, embeddings)
    entry = curves.conditions["base"]
    assert [p.value for p in entry.of_reference] == pytest.approx([0.25, 0.5])
    assert entry.equal_of_reference.by_itself.reason.startswith("needs two responses")
    assert curves.false_matches is None


def test_contested_prompts_and_missing_vectors_have_a_reason(embeddings: Embeddings, tmp_path: Path) -> None:
    texts = {"p": {"base": BASE, "aligned": [BASE[0]]}}
    assert "contested" in table(texts, embeddings, frozenset({"p"})).reason
    with Store.open(tmp_path / "none.db") as store:
        none = Embeddings(store, None, DEFAULT_EMBEDDER, "no embedding model is in use")
        assert table(texts, none).reason == "no embedding model is in use"


@pytest.mark.models
@pytest.mark.slow
@needs_paper_data
def test_on_the_release_a_rising_curve_is_no_aggregation(tmp_path: Path) -> None:
    """Base covers another base response as well as it covers chat. Chat says most of chat, and no more of base."""
    with Store.open(tmp_path / "release.db") as store:
        whole = SessionResponses(store, save_import(store, read_dataset(OVERTON / "LIMA-OE")).session, CONDITIONS)
        responses = GivenResponses(
            {
                prompt: {name: [*texts.values()] for name, texts in whole.cells(prompt).items()}
                for prompt in whole.prompts[:MIN_PROMPTS]
            }
        )
        cache = Embeddings(store, shared_pool(), DEFAULT_EMBEDDER)
        cache.make(sentence for text in all_texts(responses) for sentence in sentences(text))
        curves = coverage_curves(responses, "llama-2-chat", cache, frozenset(), Uncertainty(resamples=1000))
    base = curves.conditions["llama-2-base"]
    assert shares(base.of_reference)[:4] == pytest.approx([0.238, 0.351, 0.425, 0.479], abs=0.005)
    assert shares(base.of_itself) == pytest.approx([0.241, 0.349, 0.412, 0.459], abs=0.005)
    assert shares(curves.reference) == pytest.approx([0.690, 0.791, 0.839, 0.868], abs=0.005)
    equal = base.equal_by_reference
    assert (equal.by_other.value, equal.by_itself.value) == pytest.approx((0.408, 0.412), abs=0.005)
    assert equal.sentences == pytest.approx(20.9, abs=0.2)
    assert not any(finding.claims for finding in coverage_findings(curves, "llama-2-chat"))
    assert "aggregation" not in " ".join(finding.text for finding in coverage_findings(curves, "llama-2-chat"))
