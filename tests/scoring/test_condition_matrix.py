"""The matrix of conditions over prompts: its cells are the scores of the tables, and what is made from a sample of the
reference meets the others only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import Value
from alignbench.scoring.batch import score_responses
from alignbench.scoring.condition_matrix import MATRICES, ConditionMatrix, condition_matrix
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import CellTexts
from alignbench.scoring.scorer import ScoreRequest
from alignbench.spec import content_hash
from alignbench.store import Store

CELLS = {
    "p": {"A": ["red fox", "red dog", "blue fox"], "B": ["red fox", "green bird", ""], "C": ["red fox jumps"]},
    "q": {"A": ["old tree", "old oak"], "B": ["new tree", "old tree"], "C": ["old oak tree", "new house"]},
}
UNCERTAINTY = Uncertainty(resamples=50)


class Given:
    n, left_out = 13, 0
    prompts, conditions = ("p", "q"), ("A", "B", "C")

    def __init__(self, contested: frozenset[str] = frozenset()) -> None:
        self.contested = contested

    def cells(self, prompt: str) -> CellTexts:
        return {name: dict(enumerate(texts)) for name, texts in CELLS[prompt].items()}

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}


@pytest.fixture
def embeddings(tmp_path: Path) -> Iterator[Embeddings]:
    texts = {text for cells in CELLS.values() for of in cells.values() for text in of if text}
    with Store.open(tmp_path / "vectors.db") as store:
        vectors = {
            content_hash(text): np.random.default_rng(len(text) * 7 + ord(text[0])).normal(size=8).astype(np.float32)
            for text in texts
        }
        store.add_embeddings("mini", vectors, windows=dict.fromkeys(vectors, 1), mode="mean")
        yield Embeddings(store, None, "mini", "")


def of(metric: str, embeddings: Embeddings | None, responses: Given, **options: object) -> ConditionMatrix:
    return condition_matrix(metric, responses, embeddings, UNCERTAINTY, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", MATRICES)
@pytest.mark.parametrize("sources", [{}, {"B": {0}}, {"B": {0}, "C": {0, 1}}])
def test_its_cells_are_those_of_the_tables(embeddings: Embeddings, metric: str, sources: dict[str, set[int]]) -> None:
    matrix = of(metric, embeddings, Given(), reference="A", sources=lambda _: sources)
    request = ScoreRequest(("jaccard", "embedding_diversity"), MATRICES, reference="A", resamples=50)
    tables = score_responses(Given(), request, embeddings, sources=lambda _: sources)
    for name in ("B", "C"):
        expected = tables.cross[name][metric]
        assert matrix.cells[name, "A"].value == pytest.approx(expected.value)
        assert matrix.cells[name, "A"] == matrix.cells["A", name]
    within = tables.within["B"]
    own = within["jaccard"].value if metric == "jaccard" else 1 - (within["embedding_diversity"].value or 0.0)
    assert matrix.cells["B", "B"].value == pytest.approx(own)
    assert matrix.cells["C", "C"].n == 1, "one response to p has nobody to be compared with"
    assert matrix.prompts == 2


def test_a_matrix_of_words_needs_no_embeddings() -> None:
    matrix = of("jaccard", None, Given())
    assert matrix.cells["A", "A"].value == pytest.approx((np.mean([1 / 3, 1 / 3, 0]) + 1 / 3) / 2)
    assert matrix.values().shape == (3, 3)
    assert np.array_equal(matrix.values(), matrix.values().T)
    assert of("embedding_similarity", None, Given()).reason == "no embedding model is in use"


def test_embeddings_say_nothing_of_contested_prompts(embeddings: Embeddings) -> None:
    some = of("embedding_similarity", embeddings, Given(frozenset({"p"})))
    assert (some.prompts, some.cells["A", "B"].n) == (1, 1)
    assert "contested" in of("embedding_similarity", embeddings, Given(frozenset({"p", "q"}))).reason
    assert of("jaccard", embeddings, Given(frozenset({"p", "q"}))).prompts == 2


def test_without_vectors_it_says_why(tmp_path: Path) -> None:
    with Store.open(tmp_path / "empty.db") as store:
        nothing = Embeddings(store, None, "mini", "not kept yet")
        assert of("embedding_similarity", nothing, Given()).reason == "not kept yet"


@pytest.mark.parametrize(
    ("values", "ends"),
    [((0.41, 0.42), (0.315, 0.515)), ((0.1, 0.6), (0.1, 0.6)), ((0.99, 1.0), (0.8, 1.0)), ((0.0, 0.02), (0.0, 0.2)),
     ((0.5, 0.5), (0.4, 0.6))],
)  # fmt: skip
def test_colours_do_not_stretch_over_small_differences(values: tuple[float, float], ends: tuple[float, float]) -> None:
    cells = {("A", "A"): Estimate(values[0]), ("A", "B"): Estimate(values[1]), ("B", "A"): Estimate(values[1]),
             ("B", "B"): Estimate(None)}  # fmt: skip
    assert ConditionMatrix("jaccard", ("A", "B"), cells, 1).colour_ends() == pytest.approx(ends)


def test_a_score_that_is_no_mean_over_pairs_has_no_matrix() -> None:
    with pytest.raises(ValueError, match="no mean over pairs"):
        of("words", None, Given())
