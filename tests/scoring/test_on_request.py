"""Scores that are computed on request, equal to those of one pass over the same samples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pytest

from alignbench.metrics import registry
from alignbench.metrics.length_matched import MatchedValue
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import Value
from alignbench.progress import silent
from alignbench.scoring.coverage import best_sentences, coverages
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.held_out import HeldOut, ReferencePart
from alignbench.scoring.null import other_prompt, other_prompts
from alignbench.scoring.on_request import Answers, OnRequestScores
from alignbench.scoring.prompt_scores import Comparisons
from alignbench.spec import content_hash
from alignbench.store import Store
from tests.support.fakes import LetterEmbedder

TEXTS = {
    "a": {0: "Tea is warm and calm.", 1: "Tea keeps people calm.", 2: "Coffee wakes people up."},
    "b": {0: "Rain falls on the garden.", 1: "Tea is warm.", 2: ""},
}
OTHERS = {"a": {0: "Music helps.", 1: "Walking helps people."}, "b": {0: "No idea."}}


def vector(text: str) -> np.ndarray:
    rng = np.random.default_rng(int(content_hash(text)[:8], 16))
    v = rng.normal(size=16).astype(np.float32)
    return v / np.linalg.norm(v)


class Kept:
    """The vectors of some texts; counts what is looked up."""

    def __init__(self, *texts: str) -> None:
        self.vectors = {content_hash(text): vector(text) for text in texts}
        self.asked = 0

    def __call__(self, keys: Collection[str]) -> Mapping[str, np.ndarray]:
        self.asked += len(keys)
        return {key: self.vectors[key] for key in keys if key in self.vectors}


def scratch(texts: Mapping[int, str]) -> CellScores:
    cell = CellScores(registry.live())
    for sample, text in texts.items():
        cell.add(sample, text)
        if text:
            cell.add_embedding(sample, vector(text))
    return cell


def everything() -> list[str]:
    return [text for cells in (TEXTS, OTHERS) for texts in cells.values() for text in texts.values() if text]


def test_they_are_what_scoring_from_scratch_does() -> None:
    scorer = OnRequestScores(Kept(*everything()))
    prompts = {"p": Answers(TEXTS), "q": Answers(OTHERS)}
    scores = scorer.scores(prompts, ["p"], ["a", "b"], registry.live(), "a")["p"]
    own, other = scratch(TEXTS["a"]), scratch(TEXTS["b"])
    assert scores.within == {"a": own.within(), "b": other.within()}
    assert scores.held_out.cross == {"a": CellPair(own, own).cross(), "b": CellPair(own, other).cross()}
    assert other_prompt(["p", "q"], 0)["p"] == "q"
    null = CellPair(own, scratch(OTHERS["a"])).cross()
    assert scores.held_out.null == {"a": null, "b": null}


def test_the_null_is_the_mean_over_several_other_prompts() -> None:
    scorer = OnRequestScores(Kept(*everything()))
    prompts = {"p": Answers(TEXTS), "q": Answers(OTHERS), "r": Answers({"a": {0: "Tea is warm."}, "b": {}})}
    scores = scorer.scores(prompts, ["p"], ["a", "b"], ("jaccard",), "a", nulls=5)["p"]
    own = scratch(TEXTS["a"])
    singles = [CellPair(own, scratch(prompts[other].cells["a"])).cross()["jaccard"].value for other in ("q", "r")]
    assert scores.held_out.null["b"]["jaccard"].value == pytest.approx(np.mean(singles))
    assert other_prompts(["p"], 5) == {}
    assert all(set(others) == {*"pqrs"} - {p} for p, others in other_prompts("pqrs", 3).items())
    assert {p: [q] for p, q in other_prompt("pqrs", 0).items()} == other_prompts("pqrs", 1)


def test_a_context_that_tells_of_samples_and_its_hint() -> None:
    scorer = OnRequestScores(Kept(*everything()))
    answers = Answers(TEXTS)
    sources = {"b": frozenset({0})}
    metrics = ("jaccard", "embedding_similarity")
    scores = scorer.scores({"p": answers}, ["p"], ["a", "b"], metrics, "a", floor="b", sources=sources)["p"]
    own, other = TEXTS["a"], scratch(TEXTS["b"])
    for samples, crosses in (
        ((1, 2), scores.held_out.cross),
        ((1, 2), scores.held_out.floor),
        ((0,), scores.source),
        ((0, 1, 2), scores.with_source.cross),
    ):
        expected = CellPair(scratch({i: own[i] for i in samples}), other).cross()
        assert crosses["b"]["jaccard"].value == pytest.approx(expected["jaccard"].value)
        assert crosses["b"]["embedding_similarity"].value == pytest.approx(expected["embedding_similarity"].value)
    assert set(scores.source) == set(scores.with_source.cross) == {"b"}
    said = scorer.as_answer("p", answers, "Tea is warm.", ReferencePart(frozenset({0})), metrics, "a")
    hint = CellPair(scratch({1: own[1], 2: own[2]}), scratch({0: "Tea is warm."})).cross()
    assert said["jaccard"].value == hint["jaccard"].value
    assert said["embedding_similarity"].value == pytest.approx(hint["embedding_similarity"].value)


def test_cells_grow_and_a_sample_that_came_late_takes_its_place() -> None:
    scorer, kept = OnRequestScores(Kept(*everything())), Kept(*everything())
    growing = OnRequestScores(kept)
    for samples in ([1], [0, 1], [0, 1, 2]):
        answers = Answers({"a": {i: TEXTS["a"][i] for i in samples}})
        last = growing.scores({"p": answers}, ["p"], ["a"], registry.live(), None)
    assert last == scorer.scores({"p": Answers({"a": TEXTS["a"]})}, ["p"], ["a"], registry.live(), None)
    before = kept.asked
    growing.scores({"p": Answers({"a": TEXTS["a"]})}, ["p"], ["a"], registry.live(), None)
    assert kept.asked == before, "a vector is fetched once"


def test_vectors_that_come_later_and_those_that_never_come() -> None:
    kept = Kept()
    scorer = OnRequestScores(kept)
    answers = Answers({"a": TEXTS["a"]}, no_embeddings={"a": "the embedding model is not installed"})
    value = scorer.scores({"p": answers}, ["p"], ["a"], registry.live(), None)["p"].within["a"]["embedding_diversity"]
    assert (value.value, value.reason) == (None, "the embedding model is not installed")
    kept.vectors.update(Kept(*everything()).vectors)
    scores = scorer.scores({"p": answers}, ["p"], ["a"], registry.live(), None)["p"].within["a"]
    assert scores["embedding_diversity"] == scratch(TEXTS["a"]).within()["embedding_diversity"]
    assert scorer.cell("p", "a", answers, registry.live()).modes() == scratch(TEXTS["a"]).modes()


def test_scores_from_elsewhere_stand_beside_the_live_ones() -> None:
    given = Answers(TEXTS, within={"a": {"surprisal": Value(2.5, 3), "quality.depth": Value(4.0, 3)}})
    metrics = ["words", "jaccard", "surprisal", "quality.depth"]
    scores = OnRequestScores(Kept()).scores({"p": given}, ["p"], ["a", "b"], metrics, "a")["p"]
    assert scores.within["a"]["surprisal"].value == 2.5
    assert scores.within["a"]["quality.depth"].value == 4.0
    assert set(scores.matched["b"]) == {"jaccard"}
    assert scores.within["a"]["words"].value == scratch(TEXTS["a"]).within()["words"].value
    assert not any(scores.held_out.null.values()), "one prompt has no null"


def test_lexical_scores_are_compared_at_matched_length_and_anew_only_with_a_new_sample() -> None:
    red = {0: "Red blue green gold pink grey.", 1: "Red blue green black white brown teal."}
    sun = {0: "Sun moon star sky rain.", 1: "Sun moon wind fog hail snow ice."}
    scorer = OnRequestScores(Kept())

    def matched(cells: dict[str, dict[int, str]]) -> Mapping[str, Mapping[str, MatchedValue]]:
        metrics = ["words", "jaccard"]
        return scorer.scores({"p": Answers(cells)}, ["p"], [*cells], metrics, "sun")["p"].matched

    first = matched({"red": red, "sun": sun})
    assert first["red"]["jaccard"].difference == pytest.approx(3 / 7 - 2 / 8)
    assert set(first["red"]) == {"jaccard"}
    assert matched({"red": red, "sun": sun})["red"]["jaccard"] is first["red"]["jaccard"]
    more = matched({"red": {**red, 2: "Red blue green gold pink grey."}, "sun": sun})
    assert more["red"]["jaccard"].n == 3


def test_intervals_hold_the_similarities_only() -> None:
    scorer = OnRequestScores(Kept(*everything()))
    intervals = scorer.intervals("p", Answers(TEXTS), ["a", "b"], registry.live(), HeldOut("a"))
    low, high = intervals["cross", "b", "jaccard"]
    value = CellPair(scratch(TEXTS["a"]), scratch(TEXTS["b"])).cross()["jaccard"].value
    assert low <= value <= high  # type: ignore[operator]
    assert {place[0] for place in intervals} == {"cross"}
    rule = HeldOut("a", sources={"b": frozenset({0})})
    intervals = scorer.intervals("p", Answers(TEXTS), ["a", "b"], registry.live(), rule)
    rest = Answers({**TEXTS, "a": {i: TEXTS["a"][i] for i in (1, 2)}})
    alone = OnRequestScores(Kept(*everything())).intervals("p", rest, ["a", "b"], registry.live(), HeldOut("a"))
    assert intervals["cross", "b", "jaccard"] == alone["cross", "b", "jaccard"]


def test_the_best_sentence_of_the_others(tmp_path: Path) -> None:
    others = {0: "Nothing alike here. TEA, WARM AND CALM!", 3: "Quiz."}
    steps: list[tuple[str, int, int]] = []
    with Store.open(tmp_path / "e.db") as store:
        embeddings = Embeddings(store, LetterEmbedder("letters"), "letters")
        matches = best_sentences(
            "Warm, calm and tea! 123 4.", others, embeddings, lambda *progress: steps.append(progress)
        )
        assert [match.sentence for match in matches] == ["Warm, calm and tea!", "123 4."]
        assert matches[0].similarity == pytest.approx(1.0)
        assert (matches[0].sample, matches[0].best) == (0, "TEA, WARM AND CALM!")
        assert set(matches[0].similarities or ()) == {0, 3}
        assert (matches[1].similarity, matches[1].best) == (None, ""), "a sentence without a letter has no vector here"
        assert steps[-1] == ("embedding sentences", 5, 5)
        cells = {"a": others, "b": {0: "Tea, warm and calm."}}
        assert coverage_of_b(coverages(cells, HeldOut("a"), embeddings, silent).held_out) == pytest.approx(0.5)
        scores = coverages(cells, HeldOut("a", "b", {"b": {0}}), embeddings, silent)
        assert coverage_of_b(scores.held_out) == scores.held_out.floor["b"]["coverage"].value == 0.0
        assert coverage_of_b(scores.with_source) == pytest.approx(0.5)
        assert scores.source["b"]["coverage"].value == pytest.approx(1.0)


def coverage_of_b(comparisons: Comparisons) -> float | None:
    return comparisons.cross["b"]["coverage"].value


def test_no_embeddings_no_match(tmp_path: Path) -> None:
    with Store.open(tmp_path / "e.db") as store:
        embeddings = Embeddings(store, LetterEmbedder("letters", broken="no memory"), "letters")
        assert best_sentences("One. Two.", {0: "Three."}, embeddings, silent)[0].similarity is None
        cross = coverages({"a": {0: "One."}, "b": {0: "Two."}}, HeldOut("a"), embeddings, silent).held_out.cross
        assert "no memory" in cross["b"]["coverage"].reason
