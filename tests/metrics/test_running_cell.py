from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.metrics import registry
from alignbench.metrics.counted_cell import CountedCell, counted_cells
from alignbench.metrics.lexical import jaccard
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.running_cell import CellPair, CellScores, Cross, Value
from alignbench.metrics.values import WORKBENCH
from alignbench.metrics.word_table import Documents
from alignbench.metrics.words import content_words, is_empty, words
from tests.support.embeddings import vector
from tests.support.texts import HOSTILE, T3, texts


def scored(responses: Sequence[str], *, embed: bool = True) -> CellScores:
    cell = CellScores()
    for i, text in enumerate(responses):
        cell.add(i, text)
        if embed and not is_empty(text):
            cell.add_embedding(i, vector(text))
    return cell


def mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def from_scratch(responses: Sequence[str]) -> dict[str, float | None]:
    """The definitions, written down as they stand."""
    there = [text for text in responses if not is_empty(text)]
    sets = [content_words(words(text)) for text in there]
    vectors = [vector(text).astype(np.float64) for text in there]
    pairs = [tuple(words(text)[i : i + 2]) for text in responses for i in range(len(words(text)) - 1)]
    distances = [1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in combinations(vectors, 2)]
    return {
        "words": mean([float(len(words(text))) for text in responses]),
        "jaccard": mean([jaccard(a, b) for a, b in combinations(sets, 2)]),
        "distinct_2": len(set(pairs)) / len(pairs) if pairs else None,
        "embedding_diversity": mean(distances),
        "duplicates": float(len(there) - len(set(there))),
        "empty": float(len(responses) - len(there)),
    }


def numbers(cell: CellScores) -> dict[str, float | None]:
    return {name: value.value for name, value in cell.within().items()}


def close(actual: dict[str, float | None], expected: dict[str, float | None]) -> bool:
    return actual == {
        name: None if value is None else pytest.approx(value, abs=1e-9) for name, value in expected.items()
    }


@given(st.lists(texts, max_size=8))
def test_incremental_scores_are_those_from_scratch_at_every_step(responses: list[str]) -> None:
    cell = CellScores()
    assert close(numbers(cell), from_scratch([]))
    for i, text in enumerate(responses):
        cell.add(i, text)
        if not is_empty(text):
            cell.add_embedding(i, vector(text))
        assert close(numbers(cell), from_scratch(responses[: i + 1]))


@given(st.lists(texts, max_size=8), st.randoms(use_true_random=False))
def test_order_does_not_matter(responses: list[str], shuffler: random.Random) -> None:
    indices = list(range(len(responses)))
    shuffler.shuffle(indices)
    late = [i for i in indices if not is_empty(responses[i])]
    shuffler.shuffle(late)
    shuffled = CellScores()
    for i in late[: len(late) // 2]:  # an embedding may come before its text
        shuffled.add_embedding(i, vector(responses[i]))
    for i in indices:
        shuffled.add(i, responses[i])
    for i in late[len(late) // 2 :]:
        shuffled.add_embedding(i, vector(responses[i]))
    assert close(numbers(shuffled), numbers(scored(responses)))


@given(st.lists(texts, max_size=8))
def test_values_stay_in_their_range_and_nulls_have_a_reason(responses: list[str]) -> None:
    for name, value in scored(responses).within().items():
        assert (value.value is None) == bool(value.reason), name
        if value.value is not None:
            high = {"jaccard": 1.0, "distinct_2": 1.0, "embedding_diversity": 2.0}.get(name, float("inf"))
            assert 0.0 <= value.value <= high, name


@given(st.lists(texts, max_size=6), st.lists(texts, max_size=6), st.randoms(use_true_random=False))
def test_a_pair_of_cells_that_grows_is_the_pair_from_scratch(
    a: list[str], b: list[str], shuffler: random.Random
) -> None:
    left, right = CellScores(), CellScores()
    pair = CellPair(left, right)
    arrivals = [(left, i, text) for i, text in enumerate(a)] + [(right, i, text) for i, text in enumerate(b)]
    shuffler.shuffle(arrivals)
    for cell, i, text in arrivals:
        cell.add(i, text)
        if not is_empty(text):
            cell.add_embedding(i, vector(text))
        if shuffler.random() < 0.5:
            pair.cross()
    cross = pair.cross()
    said = [[text for text in side if not is_empty(text)] for side in (a, b)]
    bags = [[content_words(words(text)) for text in side] for side in said]
    vectors = [[vector(text).astype(np.float64) for text in side] for side in said]
    lexical = mean([jaccard(x, y) for x, y in product(*bags)])
    semantic = mean([x @ y / np.linalg.norm(x) / np.linalg.norm(y) for x, y in product(*vectors)])
    assert cross["jaccard"].value == (None if lexical is None else pytest.approx(lexical, abs=1e-9))
    assert cross["embedding_similarity"].value == (None if semantic is None else pytest.approx(semantic, abs=1e-9))
    assert cross["embedding_similarity"].n_pairs == len(vectors[0]) * len(vectors[1])
    assert cross["jaccard"].n_pairs + cross["jaccard"].skipped == len(said[0]) * len(said[1])
    for score in cross.values():
        assert (score.value is None) == bool(score.reason)
        assert (score.ceiling is None) == bool(score.ceiling_reason)


def test_the_ceiling_is_the_reference_against_itself_over_different_samples() -> None:
    reference = scored(["cat mat", "cat mat", "cat rug"])
    other = scored(["cat mat"])
    cross = CellPair(reference, other).cross()["jaccard"]
    # equal texts of different samples stay in: pairs 1, 1/3, 1/3
    assert cross.ceiling == pytest.approx(5 / 9)
    assert cross.value == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert cross.n_pairs == 3
    itself = CellPair(reference, reference).cross()
    assert itself["jaccard"].value == itself["jaccard"].ceiling == cross.ceiling
    assert itself["jaccard"].n_pairs == 3
    semantic = itself["embedding_similarity"]
    assert semantic.value == pytest.approx(1 - reference.within()["embedding_diversity"].value)  # type: ignore[operator]


def test_mmd2_is_zero_for_the_reference_and_large_for_another_subject() -> None:
    reference = scored(["cat mat rug", "cat mat hat", "cat rug hat"])
    other = scored(["stock bond fund", "stock bond tax", "bond fund tax"])
    cross = CellPair(reference, other).cross()["jaccard"]
    assert cross.value == 0.0
    assert cross.mmd2 == pytest.approx(0.5 + 0.5)
    assert CellPair(reference, reference).cross()["jaccard"].mmd2 == 0.0
    assert CellPair(reference, scored(["one"])).cross()["jaccard"].mmd2 is None


def test_too_little_of_one_side_is_null_with_a_reason() -> None:
    empty, one, two = scored([]), scored(["a cat"]), scored(["a cat", "a dog"])
    no_reference = CellPair(empty, two).cross()["jaccard"]
    assert (no_reference.value, no_reference.reason) == (None, "the reference has no samples")
    assert CellPair(two, empty).cross()["jaccard"].reason == "needs 1 sample, has 0"
    single = CellPair(one, two).cross()
    assert single["jaccard"] == Cross(0.5, 2, None, "", "needs 2 samples, has 1")
    assert single["embedding_similarity"].ceiling_reason == "needs 2 samples, has 1"


def test_empty_responses_and_duplicates_are_counted() -> None:
    within = scored(["same", "same", "same", "", " \n", "", "other"]).within()
    assert within["duplicates"] == Value(2.0, 7)
    assert within["empty"] == Value(3.0, 7)
    assert within["embedding_diversity"].n == 4  # empty responses have no embedding
    assert scored(["", "a cat"]).within()["embedding_diversity"].reason == "needs 2 non-empty samples, has 1"


def test_empty_responses_are_no_diversity() -> None:
    equal = scored(["the same cat"] * 3 + ["", " \u200b\ufeff\n"]).within()
    assert (equal["jaccard"].value, equal["jaccard"].n) == (1.0, 3)
    assert equal["empty"] == Value(2.0, 5)
    assert equal["words"].value == pytest.approx(9 / 5)  # a length they have
    alone = scored(["a cat", "", ""])
    assert alone.within()["jaccard"].reason == "needs 2 non-empty samples, has 1"
    cross = CellPair(alone, scored(["", ""])).cross()["jaccard"]
    assert (cross.value, cross.reason) == (None, "needs 1 non-empty sample, has 0")
    assert CellPair(scored(["", ""]), alone).cross()["jaccard"].reason == "every response of the reference is empty"
    assert CellPair(scored(["a cat", ""]), alone).cross()["jaccard"].value == 1.0


@given(st.lists(texts, max_size=6), st.integers(1, 3))
def test_no_score_but_length_moves_with_empty_responses(responses: list[str], n_empty: int) -> None:
    """Whichever score it is, and whichever kind of cell."""
    metrics = [name for name in registry.live() if "embeddings" not in registry.METRICS[name].needs]
    mixed = responses[:2] + ["\u200b "] * n_empty + responses[2:]
    for cell_of in (grown, counted):
        alone, among = cell_of(responses, metrics).within(), cell_of(mixed, metrics).within()
        assert among.pop("empty").value == alone.pop("empty").value + n_empty  # type: ignore[operator]
        for name in alone.keys() - {"duplicates", "words"}:
            assert among[name].value == pytest.approx(alone[name].value), name


def grown(responses: Sequence[str], metrics: Sequence[str]) -> CellScores:
    cell = CellScores(metrics)
    for i, text in enumerate(responses):
        cell.add(i, text)
    return cell


def counted(responses: Sequence[str], metrics: Sequence[str]) -> CountedCell:
    lexicon = Lexicon(WORKBENCH, stem)
    return counted_cells([Documents.of(dict(enumerate(responses)), lexicon)], lexicon, metrics)[0]


def test_embeddings_say_whether_they_are_late_or_will_not_come() -> None:
    cell = scored(T3, embed=False)
    assert cell.within()["embedding_diversity"] == Value(None, 0, "embeddings have not arrived yet")
    cross = CellPair(cell, scored(T3)).cross()["embedding_similarity"]
    assert cross.reason == cross.ceiling_reason == "embeddings have not arrived yet"
    cell.without_embeddings("the worker died")
    assert cell.within()["embedding_diversity"].reason == "the worker died"
    for i, text in enumerate(T3):
        cell.add_embedding(i, vector(text))
    assert cell.within()["embedding_diversity"].reason == ""


def test_a_zero_vector_is_no_embedding_and_says_why() -> None:
    cell = scored(T3, embed=False)
    for i in range(len(T3)):
        cell.add_embedding(i, [0.0, 0.0])
    assert cell.within()["embedding_diversity"] == Value(None, 0, "a response has no token to embed")


def test_a_sample_counts_once() -> None:
    cell = scored(T3)
    with pytest.raises(ValueError, match="sample 1 is in this cell already"):
        cell.add(1, "again")
    with pytest.raises(ValueError, match="sample 1 has an embedding already"):
        cell.add_embedding(1, vector("again"))
    assert close(numbers(cell), from_scratch(T3))
    assert 2 in cell
    assert 3 not in cell


def test_hostile_text_is_scored_like_any_other() -> None:
    assert close(numbers(scored(HOSTILE)), from_scratch(HOSTILE))


def live(responses: Sequence[str]) -> CellScores:
    cell = CellScores(registry.live())
    for i, text in enumerate(responses):
        cell.add(i, text)
        if not is_empty(text):
            cell.add_embedding(i, vector(text))
    return cell


def equal(actual: dict[str, Value], expected: dict[str, Value]) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        score = actual[name]
        assert (score.n, score.reason, score.skipped) == (value.n, value.reason, value.skipped), name
        assert score.value == (None if value.value is None else pytest.approx(value.value, abs=1e-9)), name


@settings(deadline=None)  # twenty scores an example
@given(st.lists(texts, max_size=7), st.randoms(use_true_random=False))
def test_all_live_scores_grow_in_any_order_to_the_values_from_scratch(
    responses: list[str], shuffler: random.Random
) -> None:
    arrivals = list(enumerate(responses))
    shuffler.shuffle(arrivals)
    cell, there = CellScores(registry.live()), []
    for i, text in arrivals:
        cell.add(i, text)
        if not is_empty(text):
            cell.add_embedding(i, vector(text))
        there.append(i)
        if shuffler.random() < 0.5:
            scratch = CellScores(registry.live())
            for j in sorted(there):
                scratch.add(j, responses[j])
                if not is_empty(responses[j]):
                    scratch.add_embedding(j, vector(responses[j]))
            equal(cell.within(), scratch.within())
    equal(cell.within(), live(responses).within())


@settings(deadline=None)  # twenty scores an example
@given(st.lists(texts, max_size=7))
def test_all_live_scores_stay_in_their_range_and_nulls_have_a_reason(responses: list[str]) -> None:
    for name, value in live(responses).within().items():
        assert (value.value is None) == bool(value.reason), name
        if value.value is not None and name in registry.METRICS:
            metric = registry.METRICS[name]
            assert metric.low is None or value.value >= metric.low - 1e-12, name
            assert metric.high is None or value.value <= metric.high + 1e-12, name


@settings(deadline=None)  # twenty scores an example
@given(st.lists(texts, min_size=2, max_size=5))
def test_duplicates_raise_similarity(responses: list[str]) -> None:
    once, twice = live(responses).within(), live(responses * 2).within()
    for name in ("jaccard", "jaccard_2", "rouge_l", "self_bleu"):
        a, b = once[name].value, twice[name].value
        assert a is None or b is None or b >= a - 1e-12, name
    a, b = once["embedding_diversity"].value, twice["embedding_diversity"].value
    assert a is None or b is None or b <= a + 1e-9


def test_every_live_score_has_known_answers_on_identical_samples() -> None:
    values = {name: value.value for name, value in live([T3[0]] * 4).within().items()}
    for name in ("jaccard", "jaccard_2", "jaccard_stem", "rouge_l", "self_bleu"):
        assert values[name] == pytest.approx(1.0), name
    for name in ("vendi_ngram", "vendi_embedding", "semantic_classes"):
        assert values[name] == pytest.approx(1.0), name
    assert values["embedding_diversity"] == pytest.approx(0.0)
    assert values["duplicates"] == 3.0


@settings(deadline=None)  # twenty scores an example
@given(st.lists(texts, max_size=5), st.lists(texts, max_size=5))
def test_a_pair_gives_the_similarities_its_means_are_of(a: list[str], b: list[str]) -> None:
    one, other = live(a), live(b)
    for pair in (CellPair(one, other), CellPair(one, one)):
        cross = pair.cross()
        assert set(cross) == {"jaccard", "jaccard_2", "jaccard_stem", "rouge_l", "embedding_similarity"}
        for name, score in cross.items():
            single = pair.similarities(name)
            assert len(single) == score.n_pairs
            if score.value is not None:
                assert single.mean() == pytest.approx(score.value, abs=1e-9)


def test_a_cell_runs_what_it_is_asked_for() -> None:
    assert list(CellScores(("mattr", "words")).within()) == ["words", "mattr", "duplicates", "empty"]
    assert CellPair(live(T3), CellScores(("rouge_l", "mattr"))).cross().keys() == {"rouge_l"}
    with pytest.raises(InputError, match="coverage is not a live score; it needs text, sentence embeddings"):
        CellScores(("coverage",))
    with pytest.raises(InputError, match="Did you mean"):
        CellScores(("roug_l",))


def test_modes_are_the_classes_of_the_embedded_samples() -> None:
    cell = CellScores(("semantic_classes",), class_threshold=0.9)
    for i, v in enumerate(np.eye(3)[[0, 1, 0, 2]]):
        cell.add(i, f"text {i}")
        cell.add_embedding(i, v)
    assert cell.modes() == {0: 0, 1: 1, 2: 0, 3: 2}
    assert cell.within()["semantic_classes"] == Value(3.0, 4, extra={"equivalent": pytest.approx(1 / 6)})
