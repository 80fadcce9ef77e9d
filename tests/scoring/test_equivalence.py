"""Which responses say the same: thresholds that are calibrated, and classes that saturate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest

from alignbench.engines.protocol import Entailed
from alignbench.metrics.semantic import CLASS_THRESHOLD, EQUIVALENT, CalibratedThreshold, classes_of_set
from alignbench.scoring.batch import scored_prompts
from alignbench.scoring.contested import REASON
from alignbench.scoring.equivalence import CLASSES, Equivalence, calibrated_classes
from alignbench.scoring.given_classes import NOT_JUDGED, at_equal_n, given_classes
from alignbench.scoring.nli_equivalence import NliPairs
from alignbench.scoring.notes import score_notes
from alignbench.scoring.responses import Texts
from alignbench.scoring.score_tables import ScoreTables, WithinEstimate
from alignbench.scoring.scorer import ScoreRequest
from tests.support.given import GivenResponses


def unit(rng: np.random.Generator, around: np.ndarray, spread: float, n: int) -> Sequence[np.ndarray]:
    vectors = around + spread * rng.normal(size=(n, len(around)))
    return list((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))


def test_the_threshold_rises_where_all_texts_look_alike() -> None:
    rng = np.random.default_rng(0)
    one = np.eye(64)[0]
    alike = {f"p{p}": {"a": unit(rng, one, 0.03, 5), "b": unit(rng, one, 0.03, 5)} for p in range(20)}
    threshold = calibrated_classes(alike)
    assert threshold.value == threshold.chance > CLASS_THRESHOLD
    assert threshold.false_matches == pytest.approx(0.05, abs=0.005)


def test_the_threshold_stays_where_prompts_are_apart() -> None:
    rng = np.random.default_rng(0)
    apart = {f"p{p}": {"a": unit(rng, rng.normal(size=64), 0.01, 5)} for p in range(20)}
    threshold = calibrated_classes(apart)
    assert threshold.value == CLASS_THRESHOLD
    assert threshold.chance is not None
    assert threshold.chance < CLASS_THRESHOLD
    assert threshold.false_matches == 0.0


def test_prompts_that_nobody_answered_change_nothing() -> None:
    rng = np.random.default_rng(0)
    vectors = {f"p{p}": {"a": unit(rng, rng.normal(size=8), 0.5, 3)} for p in range(5)}
    more = {"p00": {"a": []}, **vectors, "p2b": {}, "p9": {"a": [np.zeros(8, np.float32)]}}
    assert calibrated_classes(more) == calibrated_classes(vectors)


def test_without_another_prompt_there_is_nothing_to_calibrate_on() -> None:
    assert calibrated_classes({"p": {"a": [np.ones(2, np.float32)]}}) == CalibratedThreshold(CLASS_THRESHOLD)
    no_token = [np.zeros(2, np.float32)]
    assert calibrated_classes({"p": {"a": no_token}, "q": {"a": no_token}}) == CalibratedThreshold(CLASS_THRESHOLD)


def test_how_it_came_about_is_said_and_part_of_the_version() -> None:
    calibrated = Equivalence(threshold=CalibratedThreshold(0.8, 0.35, 0.0))
    assert calibrated.words == (
        "two responses are one answer from a cosine of 0.800 on; of responses to different prompts 0.0% reach it, and "
        "5% reach 0.350"
    )
    assert calibrated.versions(["semantic_classes", "jaccard"]) == {"semantic_classes": "1+cosine0.800"}
    assert "no other prompt" in Equivalence().words
    other = Equivalence("judge j", None)
    assert other.versions(["semantic_entropy"]) == {"semantic_entropy": "1+judge j"}


def notes(**shares: float) -> str:
    within = {
        name: {"semantic_classes": WithinEstimate(1.3, n=20, samples=100, extra={EQUIVALENT: share})}
        for name, share in shares.items()
    }
    return "\n".join(score_notes(ScoreTables(within), {}, Equivalence(), scores_empty=False))


def test_classes_that_saturate_are_said() -> None:
    said = notes(chat=0.91, other=0.85, base=0.11)
    assert "carry no claim between such conditions: 91% in chat, 85% in other" in said
    assert "base" not in said
    assert "saturate" not in notes(base=0.11, icl=0.6)


SAID = {"p": {"a": ["yes", "yes, really", "no", "perhaps"], "b": ["no", "", "no!"]}}


def same(_: str, __: str, texts: Texts) -> dict[tuple[int, int], bool]:
    """Two answers are one where they begin with the same two letters."""
    return {(i, j): texts[i][:2] == texts[j][:2] for i in texts for j in texts if i < j}


def test_classes_of_any_equivalence_are_greedy_over_what_is_not_empty() -> None:
    scores = given_classes(GivenResponses(SAID), same)
    assert scores["p", "a"]["semantic_classes"].value == 3
    assert scores["p", "a"]["semantic_entropy"].value == pytest.approx(1.0397, abs=5e-5)
    assert scores["p", "b"]["semantic_classes"].value == 1
    assert (scores["p", "b"]["semantic_entropy"].value, scores["p", "b"]["semantic_entropy"].n) == (0.0, 2)
    # Two of a's four: the pair of yes shows one answer, the five others two.
    assert scores["p", "a"]["semantic_classes"].extra["equal_n"] == pytest.approx(11 / 6)
    assert scores["p", "a"]["semantic_entropy"].extra["equal_n"] == pytest.approx(5 / 6 * np.log(2))
    assert "equal_n" not in scores["p", "b"]["semantic_classes"].extra


def test_a_pair_that_nobody_judged_leaves_no_classes() -> None:
    scores = given_classes(GivenResponses(SAID), lambda *_: {})
    assert {value.reason for value in scores["p", "a"].values()} == {NOT_JUDGED}
    assert scores["p", "a"]["semantic_classes"].value is None


def test_at_equal_n_is_the_mean_over_all_choices() -> None:
    labels = (0, 0, 1, 2, 1, 0)
    for n in range(1, 7):
        chosen = [classes_of_set([labels[i] for i in of]) for of in combinations(range(6), n)]
        exact = at_equal_n(labels, n)
        for name in CLASSES:
            assert exact[name] == pytest.approx(np.mean([of[name].value for of in chosen])), (name, n)


class Letters:
    """Entails whatever begins with the same letter, and everything that is empty of an o."""

    def entails(self, pairs: Sequence[tuple[str, str]]) -> Entailed:
        entailed = [a.split()[1][0] == b.split()[1][0] or "o" not in b for a, b in pairs]
        return Entailed(1, np.array(entailed), 2, "letters@1")


def test_an_nli_model_has_to_entail_both_ways() -> None:
    pairs = NliPairs(Letters(), lambda _: "Why?")
    known = pairs.pairs_of("p", "a", {0: "yes", 2: "no", 3: "never"})
    assert known == {(0, 2): False, (0, 3): True, (2, 3): True}
    assert (pairs.asked, pairs.cut, pairs.model) == (6, 2, "letters@1")
    assert pairs.note == "of 2 of 6 pairs the NLI model reads the beginning alone: they are over its window"
    assert pairs.pairs_of("p", "a", {0: "alone"}) == {}


def test_what_sees_stance_has_classes_on_contested_prompts() -> None:
    responses = GivenResponses(SAID)
    responses.contested = frozenset({"p"})
    request = ScoreRequest(within=CLASSES, cross=())
    blind = scored_prompts(responses, request, None)["p"].within["a"]["semantic_classes"]
    assert (blind.value, blind.reason) == (None, REASON)
    seen = scored_prompts(responses, request, None, of_classes=given_classes(responses, same))["p"]
    assert seen.within["a"]["semantic_classes"].value == 3
