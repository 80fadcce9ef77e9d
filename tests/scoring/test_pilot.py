"""What a session tells of how differences spread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.metrics.power import PilotSpread
from alignbench.scoring.batch import score_responses
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.pilot import pilot_comparisons
from alignbench.scoring.scorer import ScoreRequest
from alignbench.store import Store
from tests.support.embeddings import FakeEmbedPool
from tests.support.given import GivenResponses


@pytest.fixture
def embeddings(tmp_path: Path) -> Iterator[Embeddings]:
    """None are kept."""
    with Store.open(tmp_path / "vectors.db") as store:
        yield Embeddings(store, None, DEFAULT_EMBEDDER, "not kept yet")


def drawn(n_prompts: int, n: int, seed: int = 0) -> GivenResponses:
    """Texts of words of each prompt's own vocabulary: A uses more of it on some prompts, B always the same share."""
    rng = np.random.default_rng(seed)
    texts: dict[str, dict[str, list[str]]] = {}
    for prompt in range(n_prompts):
        sizes = {"A": int(rng.integers(20, 60)), "B": 40}
        texts[f"p{prompt}"] = {
            name: [" ".join(f"w{word}" for word in rng.integers(0, size, 30)) for _ in range(n)]
            for name, size in sizes.items()
        }
    return GivenResponses(texts)


def spreads(
    responses: GivenResponses, metrics: tuple[str, ...], embeddings: Embeddings
) -> dict[tuple[str, bool], PilotSpread]:
    compared = pilot_comparisons(responses, "B", metrics, embeddings)
    return {(one.metric, one.matched): one.spread for one in compared if one.spread is not None}


def test_the_differences_are_those_of_the_scores(embeddings: Embeddings) -> None:
    responses = drawn(12, 4)
    found = spreads(responses, ("words", "jaccard"), embeddings)
    scores = score_responses(responses, ScoreRequest(("words", "jaccard"), (), reference="B"), None)
    assert found["jaccard", False].difference == pytest.approx(scores.within["A"]["jaccard"].difference.value)
    assert found["jaccard", True].difference == pytest.approx(scores.matched["A"]["jaccard"].difference.value)
    assert found.keys() == {("words", False), ("jaccard", True), ("jaccard", False)}
    assert found["words", False].sd == 0.0


def test_what_a_pilot_says_of_more_samples_comes_true(embeddings: Embeddings) -> None:
    pilot = spreads(drawn(80, 5), ("jaccard",), embeddings)
    more = spreads(drawn(80, 20, seed=1), ("jaccard",), embeddings)
    for key in (("jaccard", False), ("jaccard", True)):
        assert pilot[key].sd_at(5) == pytest.approx(pilot[key].sd)
        assert 0 < pilot[key].of_prompts < pilot[key].sd ** 2
        assert pilot[key].sd_at(20) == pytest.approx(more[key].sd, rel=0.2)


def test_two_samples_tell_nothing_of_more(embeddings: Embeddings) -> None:
    spread = spreads(drawn(5, 2), ("jaccard",), embeddings)["jaccard", False]
    assert spread.of_samples is None


def test_without_vectors_and_with_too_few_prompts_it_says_so(embeddings: Embeddings) -> None:
    compared = pilot_comparisons(drawn(2, 3), "B", ("jaccard", "embedding_diversity"), embeddings)
    reasons = {(one.metric, one.matched): (one.spread, one.reason) for one in compared}
    assert reasons["jaccard", True] == reasons["jaccard", False] == (None, "needs 3 prompts, has 2")
    assert reasons["embedding_diversity", False] == (None, "not kept yet")


def test_kept_vectors_are_used_but_on_contested_prompts(tmp_path: Path) -> None:
    responses = drawn(5, 3)
    responses.contested = frozenset({"p0"})
    with Store.open(tmp_path / "vectors.db") as store:
        made = Embeddings(store, FakeEmbedPool(), DEFAULT_EMBEDDER)
        made.make(
            text for prompt in responses.prompts for cell in responses.cells(prompt).values() for text in cell.values()
        )
        kept = Embeddings(store, None, DEFAULT_EMBEDDER, "not kept yet")
        found = spreads(responses, ("embedding_diversity",), kept)
    assert found["embedding_diversity", False].n_prompts == 4
