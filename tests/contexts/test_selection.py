"""Selection on known answers, the leakage guard, and neighbours against a brute-force search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alignbench.contexts.neighbours import NeighbourIndex, diversified, keep_index, load_index
from alignbench.contexts.selection import ExampleSelection, Selected, is_near_duplicate, select
from alignbench.errors import InputError
from alignbench.spec import Example, Examples, ExampleSet

WORDS = ("Apples?", "Bicycles?", "Clouds today?", "Dogs and cats?", "Elephants?", "Fishing at night?")
POOL = ExampleSet(tuple(Example(word, f"About {word}") for word in WORDS), "words")
QUERY = "What is a zebra?"


def unit(rows: Any) -> NDArray[np.float32]:
    matrix = np.asarray(rows, np.float32)
    result: NDArray[np.float32] = matrix / np.linalg.norm(matrix, axis=-1, keepdims=True)
    return result


def indices(selection: ExampleSelection) -> list[int]:
    return [selected.index for selected in selection.chosen]


def examples(**changes: Any) -> Examples:
    return replace(Examples(POOL), **changes)


def test_fixed_takes_the_first_in_their_order() -> None:
    assert indices(select(QUERY, examples())) == [0, 1, 2, 3, 4, 5]
    assert indices(select(QUERY, examples(k=2))) == [0, 1]


def test_random_depends_on_seed_and_prompt_alone() -> None:
    drawn = indices(select(QUERY, examples(select="random", k=3)))
    assert drawn == indices(select(QUERY, examples(select="random", k=3)))
    assert len(set(drawn)) == 3
    others = {tuple(indices(select(f"{QUERY} {i}", examples(select="random", k=3)))) for i in range(20)}
    seeds = {tuple(indices(select(QUERY, examples(select="random", k=3, seed=i)))) for i in range(20)}
    assert len(others) > 10
    assert len(seeds) > 10


def test_random_for_all_gives_every_prompt_the_same() -> None:
    drawn = {tuple(indices(select(f"{QUERY} {i}", examples(select="random", k=3, draw="all")))) for i in range(20)}
    assert len(drawn) == 1


VECTORS = unit([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0.1, 0], [-1, 0, 0]])
NEAR = unit([1, 0.3, 0])


def test_nearest_come_by_similarity_with_rank() -> None:
    selection = select(QUERY, examples(select="nearest-prompt", k=3, near_duplicate=1.0), NeighbourIndex(VECTORS), NEAR)
    assert indices(selection) == [4, 0, 2]
    assert [selected.rank for selected in selection.chosen] == [1, 2, 3]
    assert [selected.similarity for selected in selection.chosen] == pytest.approx((VECTORS @ NEAR)[[4, 0, 2]])


def test_order_puts_the_most_similar_last_or_shuffles() -> None:
    index = NeighbourIndex(VECTORS)
    nearest = examples(select="nearest-prompt", k=3, near_duplicate=1.0)
    assert indices(select(QUERY, replace(nearest, order="similar-last"), index, NEAR)) == [2, 0, 4]
    shuffles = [indices(select(QUERY, replace(nearest, order="shuffled", seed=i), index, NEAR)) for i in range(10)]
    assert all(sorted(shuffle) == [0, 2, 4] for shuffle in shuffles)
    assert len({tuple(shuffle) for shuffle in shuffles}) > 2


def test_by_similarity_stands_by_similarity_where_novelty_ranks() -> None:
    vectors = unit([[1, 0.02, 0], [1, 0, 0], [0.6, 0, 0.8], [0, 1, 0], [0, 0, 1], [0.1, 1, 0]])
    near = unit([0.8, 0.3, 0.6])
    novel = examples(select="nearest-prompt", k=3, mmr=0.5, near_duplicate=1.0)
    by_order = {
        order: indices(select(QUERY, replace(novel, order=order), NeighbourIndex(vectors), near))
        for order in ("given", "similar-first", "similar-last")
    }
    assert by_order == {"given": [2, 5, 0], "similar-first": [2, 0, 5], "similar-last": [5, 0, 2]}


def test_the_same_form_is_no_near_duplicate() -> None:
    by_form = examples(select="nearest-format", k=2)
    selection = select(QUERY, by_form, NeighbourIndex(VECTORS), NEAR)
    assert indices(selection) == [4, 0]  # cosines over .95, which leave an answer out
    assert selection.left_out == ()
    assert indices(select("Clouds today?", by_form, NeighbourIndex(VECTORS), unit([1, 1, 0]))) == [4, 0]


def test_a_made_hint_is_given_to_the_examples_that_have_none() -> None:
    pool = (Example("a", "x"), Example("b", "y", "own"), Example("c", "z"))
    selection = ExampleSelection((Selected(1, 1), Selected(2, 2)), left_out=(Selected(0, 0),))
    hinted = selection.with_hints(pool, lambda example: f"of {example.prompt}")
    assert hinted.examples(pool) == (Example("b", "y", "own"), Example("c", "z", "of c"))
    assert hinted.left_out == selection.left_out
    assert hinted.with_hints(pool, lambda _: "again") == hinted


def test_the_query_and_near_duplicates_of_it_are_never_selected() -> None:
    for query in ("clouds  TODAY?", "Clouds today"):
        selection = select(query, examples(k=3, near_duplicate=0.9))
        assert indices(selection) == [0, 1, 3]
        assert [selected.index for selected in selection.left_out] == [2]
    assert indices(select("Clouds today?", examples())) == [0, 1, 3, 4, 5]


def test_what_is_as_similar_as_the_threshold_is_left_out_too() -> None:
    nearest = examples(select="nearest-response", k=2, near_duplicate=0.95)
    selection = select(QUERY, nearest, NeighbourIndex(VECTORS), NEAR)
    assert [selected.index for selected in selection.left_out] == [4, 0]
    assert indices(selection) == [2, 1]


def test_near_duplicates_by_text() -> None:
    example = Example("How do I bake bread?", "So.")
    assert is_near_duplicate(" how do i\nbake bread?", example, 1.0)
    assert is_near_duplicate("How do I bake breads?", example, 0.95)
    assert not is_near_duplicate("How do I bake breads?", example, 1.0)
    assert not is_near_duplicate("How do I ride a bicycle?", example, 0.8)


def test_a_pool_smaller_than_k_is_refused_with_the_numbers() -> None:
    with pytest.raises(InputError, match="words has 6 examples, 1 of them near duplicates of the query; expected 6 or"):
        select("Elephants?", examples(select="random", k=6))


def test_the_farthest_is_dropped_first() -> None:
    by_similarity = ExampleSelection((Selected(3, 1, 0.9), Selected(1, 2, 0.2), Selected(2, 3, 0.5)))
    dropped = by_similarity.without_farthest()
    assert (indices(dropped), dropped.dropped) == ([3, 2], (Selected(1, 2, 0.2),))
    assert indices(ExampleSelection((Selected(5, 2), Selected(0, 1), Selected(3, 3))).without_farthest()) == [5, 0]


def test_mmr_prefers_what_is_new() -> None:
    vectors = unit([[1, 0.02, 0], [1, 0, 0], [0.6, 0, 0.8], [0, 1, 0], [0, 0, 1], [0.1, 1, 0]])
    near = unit([1, 0, 0.1])
    plain = examples(select="nearest-prompt", k=2, near_duplicate=1.0)
    assert indices(select(QUERY, plain, NeighbourIndex(vectors), near)) == [1, 0]
    assert indices(select(QUERY, replace(plain, mmr=0.5), NeighbourIndex(vectors), near)) == [1, 4]
    assert indices(select(QUERY, replace(plain, mmr=1.0), NeighbourIndex(vectors), near)) == [1, 0]


def mmr_by_definition(vectors: NDArray[np.float32], near: NDArray[np.float32], k: int, weight: float) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < k:
        values = {}
        for i in set(range(len(vectors))) - set(chosen):
            closest = max((float(vectors[i] @ vectors[j]) for j in chosen), default=0.0)
            values[i] = weight * float(vectors[i] @ near) - (1 - weight) * closest
        chosen.append(max(values, key=lambda i: values[i]))
    return chosen


def test_mmr_is_what_its_definition_says() -> None:
    rng = np.random.default_rng(1)
    vectors, near = unit(rng.normal(size=(12, 6))), unit(rng.normal(size=6))
    candidates = [(i, float(cosine)) for i, cosine in enumerate(vectors @ near)]
    for weight in (0.3, 0.7, 1.0):
        assert diversified(vectors, candidates, 5, weight) == mmr_by_definition(vectors, near, 5, weight)


@given(st.integers(1, 300), st.integers(0, 2**32 - 1), st.booleans())
def test_neighbours_are_those_of_a_brute_force_search(n: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 2, (n, 3)) + 0.5 if ties else rng.normal(size=(n, 8))
    vectors, near = unit(rows), unit(rng.normal(size=rows.shape[1]))
    brute = sorted(range(n), key=lambda i: (-(vectors @ near)[i], i))
    assert [i for i, _ in NeighbourIndex(vectors).nearest(near)] == brute


def test_an_index_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "indexes" / "a.npy"
    assert load_index(path) is None
    keep_index(path, NeighbourIndex(VECTORS))
    kept = load_index(path)
    assert kept is not None
    assert np.array_equal(kept.vectors, VECTORS)
    path.write_bytes(path.read_bytes()[:40])
    assert load_index(path) is None
