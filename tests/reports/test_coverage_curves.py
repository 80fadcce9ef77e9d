"""Coverage curves from sentences whose vectors are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.metrics.coverage import COVERAGE_THRESHOLD
from alignbench.metrics.statistics import Uncertainty
from alignbench.reports.coverage_curves import coverage_curves
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.store import Store
from tests.support.embeddings import FakeEmbedPool
from tests.support.given import GivenResponses

BASE = ["Sun shines.", "Rain falls.", "Wind blows.", "Snow melts."]
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


def test_a_response_that_gathers_the_others_is_covered_by_their_union_alone(embeddings: Embeddings) -> None:
    curves = table({"p": {"base": BASE, "aligned": [" ".join(BASE)]}, "q": UNLIKE}, embeddings)
    entry = curves.conditions["base"]
    # On the other prompt nothing is covered, so the means over the two are halves.
    assert [point.value for point in entry.of_reference] == pytest.approx([1 / 8, 2 / 8, 3 / 8, 4 / 8])
    assert len(entry.of_reference) == 4
    assert entry.by_reference[0].value == pytest.approx(0.5)
    assert entry.responses_covered.value == pytest.approx(2.0)
    assert entry.n == 4
    assert entry.equal_of_reference.value == pytest.approx(1 / 8)
    assert curves.threshold >= COVERAGE_THRESHOLD


def test_what_nobody_says_is_not_covered(embeddings: Embeddings) -> None:
    curves = table({"p": {"base": BASE[:2], "aligned": [f"{BASE[0]} Trees grow."]}}, embeddings)
    assert [p.value for p in curves.conditions["base"].of_reference] == pytest.approx([0.25, 0.5])
    assert curves.false_matches is None


def test_contested_prompts_and_missing_vectors_have_a_reason(embeddings: Embeddings, tmp_path: Path) -> None:
    texts = {"p": {"base": BASE, "aligned": [BASE[0]]}}
    assert "contested" in table(texts, embeddings, frozenset({"p"})).reason
    with Store.open(tmp_path / "none.db") as store:
        none = Embeddings(store, None, DEFAULT_EMBEDDER, "no embedding model is in use")
        assert table(texts, none).reason == "no embedding model is in use"
