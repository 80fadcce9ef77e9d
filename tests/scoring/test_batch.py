"""Scores of many responses at once: the same values as the live ones, whatever the order of lines."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.errors import AlignbenchError
from alignbench.metrics import registry
from alignbench.metrics.intervals import student_t
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.statistics import expected_maximum, holm
from alignbench.metrics.values import Cross, Value
from alignbench.metrics.words import is_empty
from alignbench.reports.to_json import scores_json
from alignbench.scoring import processes
from alignbench.scoring.aggregate import COUNTS
from alignbench.scoring.batch import score_responses
from alignbench.scoring.contested import REASON
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.null import other_prompt, shuffled_cycle
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.scoring.prompt_scores import Comparisons, PromptScores
from alignbench.scoring.scorer import ScoreRequest
from alignbench.store import Store
from tests.support.embeddings import FakeEmbedPool, vector
from tests.support.given import GivenResponses

WITHIN = ("words", "jaccard", "distinct_2")
SUITE = tuple(name for name in registry.live() if "embeddings" not in registry.METRICS[name].needs)
VOCABULARY = ["sun", "rain", "wind", "snow", "hill", "lake", "road", "tree", "bird", "fish", "moon", "star"]


def random_texts(n_prompts: int, conditions: str = "ABC", n: int = 4, seed: int = 0) -> dict[str, dict[str, list[str]]]:
    draw = random.Random(seed)
    return {
        f"p{i}": {c: [" ".join(draw.choices(VOCABULARY, k=6)) for _ in range(n)] for c in conditions}
        for i in range(n_prompts)
    }


def cell(texts: list[str]) -> CellScores:
    scores = CellScores(("words", "jaccard", "distinct_2"))
    for i, text in enumerate(texts):
        scores.add(i, text)
    return scores


def score(texts: dict[str, dict[str, list[str]]], **wanted: Any) -> Any:
    options = {"within": WITHIN, "cross": ("jaccard",), "reference": "A", "floor": "B", "resamples": 300, **wanted}
    return score_responses(GivenResponses(texts), ScoreRequest(**options), None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "vectors.db") as opened:
        yield opened


def test_values_are_means_of_the_cells_values() -> None:
    texts = random_texts(6)
    tables = score(texts)
    for c in "ABC":
        for metric in WITHIN:
            values = [cell(texts[p][c]).within()[metric].value for p in texts]
            assert tables.within[c][metric].value == pytest.approx(np.mean(values), abs=1e-12)
            assert tables.within[c][metric].n == 6
            assert tables.within[c][metric].samples == 24
        crosses = []
        for p in texts:
            own = cell(texts[p]["A"])
            crosses.append(CellPair(own, own if c == "A" else cell(texts[p][c])).cross()["jaccard"])
        entry = tables.cross[c]["jaccard"]
        assert entry.value == pytest.approx(np.mean([cross.value for cross in crosses]))
        assert entry.mmd2 == pytest.approx(np.mean([cross.mmd2 for cross in crosses]))
        assert entry.ceiling == pytest.approx(tables.cross["A"]["jaccard"].value)
        assert entry.floor == pytest.approx(tables.cross["B"]["jaccard"].value)
        assert entry.ci[0] < entry.value < entry.ci[1]


def test_intervals_are_over_prompts_and_only_one_prompt_s_over_its_samples() -> None:
    for n in (2, 5, 19):
        texts = random_texts(n)
        scores = score(texts)
        for c in "BC":
            values = [score({p: texts[p]}).cross[c]["jaccard"].value for p in texts]
            entry = scores.cross[c]["jaccard"]
            reach = student_t(0.95, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
            expected = (max(entry.value - reach, 0.0), min(entry.value + reach, 1.0))
            assert entry.ci == pytest.approx(expected, abs=1e-5)
            assert scores.cross[c]["jaccard"].recovery_ci is None


def test_contested_prompts_have_no_part_in_what_is_blind_to_stance(store: Store) -> None:
    texts = random_texts(3)
    metrics = ("jaccard", "embedding_diversity", "embedding_similarity")
    wanted = ScoreRequest(
        within=metrics[:2], cross=("jaccard", "embedding_similarity"), reference="A", floor="B", resamples=100
    )
    embeddings = Embeddings(store, FakeEmbedPool(), DEFAULT_EMBEDDER)
    given = GivenResponses(texts)
    whole = score_responses(given, wanted, embeddings)
    given.contested = frozenset({"p0"})
    sources = {"C": frozenset({0})}
    scores = score_responses(given, wanted, embeddings, sources=lambda _: sources)
    rest = score_responses(
        GivenResponses({p: texts[p] for p in ("p1", "p2")}), wanted, embeddings, sources=lambda _: sources
    )
    for c in "ABC":
        assert scores.within[c]["jaccard"] == whole.within[c]["jaccard"]
        assert scores.within[c]["embedding_diversity"].n == 2
        for field in ("value", "ceiling", "floor", "max_matched", "mmd2", "held_out", "source"):
            expected = getattr(rest.cross[c]["embedding_similarity"], field)
            assert getattr(scores.cross[c]["embedding_similarity"], field) == pytest.approx(expected), field
    given.contested = frozenset(texts)
    entry = score_responses(given, wanted, embeddings).cross["C"]["embedding_similarity"]
    assert (entry.value, entry.ci, entry.null, entry.reason) == (None, None, None, REASON)


def test_the_null_is_the_reference_on_other_prompts() -> None:
    texts = random_texts(5)
    others = other_prompt(texts, 0)
    assert all(p != other for p, other in others.items())
    assert sorted(others.values()) == sorted(texts)
    expected = np.mean(
        [CellPair(cell(texts[p]["A"]), cell(texts[others[p]]["A"])).cross()["jaccard"].value for p in texts]
    )
    for c in "ABC":
        assert score(texts).cross[c]["jaccard"].null == pytest.approx(expected)
    assert score(random_texts(1)).cross["C"]["jaccard"].null is None


def test_the_order_of_prompts_and_lines_changes_nothing() -> None:
    texts = random_texts(7)
    turned = {p: dict(reversed(texts[p].items())) for p in reversed(texts)}
    one, other = scores_json(score(texts)), scores_json(score(turned))
    for table in ("within", "cross"):
        for c in "ABC":
            for metric, entry in one[table][c].items():
                for key in ("value", "null", "max_matched", "recovery", "ci"):
                    expected = entry.get(key)
                    assert other[table][c][metric].get(key) == (
                        None if expected is None else pytest.approx(expected, abs=1e-12)
                    ), (table, c, metric, key)


def test_maxima_are_taken_at_the_number_of_pairs_of_the_smallest_set() -> None:
    texts = random_texts(1, n=4)
    texts["p0"]["C"] = texts["p0"]["C"][:1]  # four pairs with A, of whom A itself has six
    own = cell(texts["p0"]["A"])
    itself = CellPair(own, own).similarities("jaccard")
    single = CellPair(own, cell(texts["p0"]["C"])).similarities("jaccard")
    cross = score(texts).cross
    assert cross["A"]["jaccard"].max_matched == pytest.approx(expected_maximum(itself, 4))
    assert cross["C"]["jaccard"].max_matched == pytest.approx(max(single))


def test_recovery_and_its_interval() -> None:
    texts = random_texts(25)
    for prompt in texts.values():
        prompt["A"] = [f"{prompt['A'][0]} word{i}" for i in range(4)]
        prompt["C"] = [prompt["A"][0], *prompt["B"][1:]]
    entry = score(texts).cross["C"]["jaccard"]
    assert entry.recovery == pytest.approx((entry.value - entry.floor) / (entry.ceiling - entry.floor))
    assert entry.recovery_ci[0] < entry.recovery < entry.recovery_ci[1]
    few = score(dict(list(texts.items())[:19])).cross["C"]["jaccard"]
    assert few.recovery is not None
    assert few.recovery_ci is None
    for prompt in texts.values():
        prompt["C"] = [prompt["A"][0]]
    assert "mode-seeking" in score(texts).cross["C"]["jaccard"].warning
    assert score(texts, floor=None).cross["C"]["jaccard"].recovery_reason == "no floor condition was given"


def test_conditions_are_compared_on_the_prompts_they_share() -> None:
    texts = random_texts(4)
    del texts["p0"]["C"], texts["p1"]["C"]
    entry = score(texts).cross["C"]["jaccard"]
    assert entry.n == 2
    both = {p: texts[p] for p in ("p2", "p3")}
    assert entry.ceiling == pytest.approx(score(both).cross["A"]["jaccard"].value)
    apart = {"p0": {"A": ["one two", "two three"]}, "p1": {"C": ["one two", "four"]}}
    tables = score(apart, floor=None)
    assert tables.cross["C"]["jaccard"].value is None
    assert tables.cross["C"]["jaccard"].reason == "no prompt in common with A"
    assert tables.within["C"]["jaccard"].difference.value is None


def test_differences_are_corrected_for_how_many_there_are() -> None:
    texts = random_texts(30)
    for prompt in texts.values():
        prompt["B"] = [f"{text} more words than the others have" for text in prompt["B"]]
    within = score(texts, resamples=2000).within
    assert within["A"]["words"].difference is None
    longer = within["B"]["words"].difference
    assert longer.value == pytest.approx(6.0)
    assert longer.p < 0.01
    assert within["C"]["words"].difference.p == 1.0
    tested = [score.difference for c in "BC" for score in within[c].values() if score.difference.p is not None]
    assert len(tested) == 2 * (len(WITHIN) + len(COUNTS)), "all that the table compares"
    assert [one.p_holm for one in tested] == pytest.approx(holm([one.p for one in tested]))


def test_two_prompts_have_no_p() -> None:
    texts = random_texts(2)
    for prompt in texts.values():
        prompt["B"] = [f"{text} more words than the others have" for text in prompt["B"]]
    longer = score(texts).within["B"]["words"].difference
    assert (longer.p, longer.p_holm) == (None, None)


def test_counts_and_scores_that_move_with_n_are_not_left_out_of() -> None:
    """A jackknife of the number of classes, or of distinct-n, would be an interval of nothing."""
    moving = tuple(
        name
        for name in registry.live()
        if registry.METRICS[name].moves_with_n and "embeddings" not in registry.METRICS[name].needs
    )
    steady = ("words", "jaccard", "rouge_l", "mattr")
    scores = score(random_texts(1, n=6), within=(*moving, *steady)).within["B"]
    assert len(moving) > 6
    assert {name for name in scores if scores[name].ci is not None} == {*steady}
    for name in steady:
        low, high = registry.METRICS[name].bounds
        assert low <= scores[name].ci[0] <= scores[name].ci[1] <= high


def test_one_prompt_gets_its_intervals_from_its_samples() -> None:
    texts = random_texts(1, n=6)
    tables = score(texts)
    for c in "ABC":
        low, high = tables.within[c]["jaccard"].ci
        assert low < tables.within[c]["jaccard"].value < high
        low, high = tables.cross[c]["jaccard"].ci
        assert low < tables.cross[c]["jaccard"].value < high
    assert tables.within["A"]["duplicates"].ci is None
    assert score(random_texts(1, n=2)).within["A"]["jaccard"].ci is None
    assert score(random_texts(1, n=50)).within["A"]["jaccard"].ci is not None


def test_without_a_reference_and_with_what_cannot_be_had() -> None:
    tables = score(
        random_texts(3), reference=None, floor=None, within=("words", "surprisal"),
        cross=("jaccard", "bertscore_f1"), unavailable={"surprisal": "no log-probs", "bertscore_f1": "no encoder"},
    )  # fmt: skip
    assert tables.cross == {}
    assert tables.within["A"]["surprisal"].reason == "no log-probs"
    cross = score(random_texts(3), cross=("bertscore_f1",), unavailable={"bertscore_f1": "no encoder"}).cross
    assert cross["A"]["bertscore_f1"].value is None
    assert cross["A"]["bertscore_f1"].reason == "no encoder"


def embedded(texts: dict[str, dict[str, list[str]]], embeddings: Embeddings) -> Any:
    wanted = ScoreRequest(("embedding_diversity",), ("embedding_similarity",), reference="A", floor="B", resamples=100)
    return score_responses(GivenResponses(texts), wanted, embeddings)


def test_scores_from_elsewhere_take_their_place_in_the_tables() -> None:
    texts = random_texts(2, conditions="AB")
    given = PrecomputedScores(
        within={
            (p, "B"): {"response_logprob": Value(-1.0 - i, 4, extra={"per_byte": -0.1})} for i, p in enumerate(texts)
        },
        compared={
            p: PromptScores(
                held_out=Comparisons(
                    {c: {"bertscore_f1": Cross(0.5, 16, 0.8, mmd2=0.1)} for c in "AB"},
                    null={c: {"bertscore_f1": Cross(0.25, 16, 0.8)} for c in "AB"},
                )
            )
            for p in texts
        },
    )
    wanted = ScoreRequest(
        ("words", "response_logprob"), ("jaccard", "bertscore_f1"), reference="A", floor="B", resamples=100
    )
    tables = score_responses(GivenResponses(texts), wanted, None, given=given)
    entry = tables.within["B"]["response_logprob"]
    assert (entry.value, entry.extra["per_byte"], entry.n, entry.samples) == (-1.5, pytest.approx(-0.1), 2, 8)
    assert tables.within["A"]["response_logprob"].value is None
    cross = tables.cross["B"]["bertscore_f1"]
    assert (cross.value, cross.ceiling, cross.null, cross.mmd2) == (0.5, 0.8, 0.25, pytest.approx(0.1))
    assert tables.cross["B"]["jaccard"].null is not None


def test_rates_of_prompts_add_up_to_all_over_all() -> None:
    """10 bits of 5 bytes and 20 of 100: .286, not the mean of 2 and .2. Half of the floor's 60 bits are closed."""
    texts = random_texts(2, conditions="ABC")
    bits = {"A": (0.0, 0.0), "B": (20.0, 40.0), "C": (10.0, 20.0)}
    compared = {}
    for i, (p, n) in enumerate(zip(texts, (5, 100), strict=True)):
        gaps = {c: {"alignment_gap": Cross(bits[c][i] / n, 1, 0.0, weight=n)} for c in "ABC"}
        compared[p] = PromptScores(held_out=Comparisons(gaps, dict.fromkeys("ABC", gaps["B"])))
    given = PrecomputedScores(compared=compared)
    wanted = ScoreRequest(("words",), ("alignment_gap",), reference="A", floor="B", resamples=100)
    entry = score_responses(GivenResponses(texts), wanted, None, given=given).cross["C"]["alignment_gap"]
    assert (entry.value, entry.floor, entry.ceiling) == pytest.approx((30 / 105, 60 / 105, 0.0))
    assert entry.recovery == pytest.approx(0.5)
    # The ratio's error by linearization, with Student's t of one degree of freedom.
    residuals = [10 - 5 * 30 / 105, 20 - 100 * 30 / 105]
    reach = 12.7062 * math.sqrt(sum(r * r for r in residuals) / (2 - 1) / 2) / (105 / 2)
    assert entry.ci == pytest.approx((30 / 105 - reach, 30 / 105 + reach), rel=1e-3)


def test_scores_that_move_with_n_are_compared_at_equal_numbers_of_responses_that_say_something() -> None:
    texts = random_texts(6)
    for cells in texts.values():
        cells["B"] = [*cells["B"][:2], "", " "]
    tables = score(texts).within
    assert tables["C"]["distinct_2"].extra["equal_n"] is not None
    assert tables["B"]["distinct_2"].samples == 12
    assert tables["A"]["distinct_2"].extra["equal_n"] > tables["A"]["distinct_2"].value


def test_lengths_are_compared_over_responses_that_say_something() -> None:
    texts = random_texts(24)
    for cells in texts.values():
        cells["B"] = [*cells["A"][:2], "", "\n"]
    tables = score(texts).within
    words = tables["B"]["words"]
    assert (words.value, words.extra["non_empty"], words.difference.value) == (3.0, 6.0, 0.0)
    assert tables["B"]["jaccard"].samples == 48


def test_embeddings_are_made_once_and_meet_the_plain_computation(store: Store) -> None:
    texts = random_texts(3)
    texts["p1"]["B"] = ["", "  ", texts["p0"]["A"][0], "\u200b"]
    pool = FakeEmbedPool()
    tables = embedded(texts, Embeddings(store, pool, DEFAULT_EMBEDDER))
    different = {t for cells in texts.values() for cell in cells.values() for t in cell if not is_empty(t)}
    assert sorted(pool.embedded) == sorted(different)
    cosines = []
    for p in ("p0", "p1", "p2"):
        a, c = (np.array([vector(t) for t in texts[p][name]], np.float64) for name in "AC")
        cosines.append(float((a @ c.T).mean()))
    assert tables.cross["C"]["embedding_similarity"].value == pytest.approx(np.mean(cosines), abs=1e-6)
    maximum = tables.cross["C"]["embedding_similarity"].max_matched
    assert maximum > tables.cross["C"]["embedding_similarity"].value
    again = FakeEmbedPool()
    assert embedded(texts, Embeddings(store, again, DEFAULT_EMBEDDER)) == tables
    assert again.requests == []


def test_many_texts_go_out_in_large_requests(store: Store) -> None:
    texts = {"p": {"A": [f"text {i} of many" for i in range(700)]}}
    pool = FakeEmbedPool()
    dealt: list[int] = []
    Embeddings(store, pool, DEFAULT_EMBEDDER).make(
        (t for t in texts["p"]["A"] * 2), lambda _, done, __: dealt.append(done)
    )
    assert [len(request) for request in pool.requests] == [256, 256, 188]
    assert dealt[-1] == 1400
    assert dealt == sorted(dealt)


def test_a_worker_that_died_once_is_asked_again_and_then_no_more(store: Store) -> None:
    texts = random_texts(2)
    once = embedded(texts, Embeddings(store, FakeEmbedPool(fail=["killed"]), DEFAULT_EMBEDDER))
    assert once.within["A"]["embedding_diversity"].value is not None
    texts = random_texts(2, seed=9)
    pool = FakeEmbedPool(fail=["killed"] * 9)
    never = embedded(texts, Embeddings(store, pool, DEFAULT_EMBEDDER))
    assert never.within["A"]["embedding_diversity"].reason == "embeddings failed: killed"
    assert len(pool.requests) == 2


def test_no_pool_and_another_model_than_expected(store: Store) -> None:
    none = embedded(random_texts(2), Embeddings(store, None, DEFAULT_EMBEDDER, "it is not installed"))
    assert none.within["A"]["embedding_diversity"].reason == "it is not installed"
    other = embedded(random_texts(2), Embeddings(store, FakeEmbedPool(model="other"), DEFAULT_EMBEDDER))
    assert "the embedding model is other" in other.within["A"]["embedding_diversity"].reason


def test_a_cycle_of_prompts_depends_on_prompts_and_seed_alone() -> None:
    prompts = [f"p{i}" for i in range(20)]
    assert shuffled_cycle(prompts, 1) == shuffled_cycle(reversed(prompts), 1)
    assert shuffled_cycle(prompts, 1) != shuffled_cycle(prompts, 2)
    assert other_prompt(["only"], 0) == {}
    assert other_prompt([], 0) == {}


def test_coverage_finds_an_aggregator(store: Store) -> None:
    """The reference says all that the others say, and more; the pool gives equal sentences equal vectors."""
    single = ["Walks help. Music calms.", "Sleep matters. Tea warms."]
    texts = {"p": {"A": [" ".join(single)] * 2, "B": single, "C": ["Unheard of. Never said."], "D": ["..."]}}
    wanted = ScoreRequest((), ("coverage",), reference="A")
    embeddings = Embeddings(store, FakeEmbedPool(), DEFAULT_EMBEDDER)
    cross = score_responses(GivenResponses(texts), wanted, None, of_sentences=embeddings).cross
    assert cross["A"]["coverage"].value == cross["B"]["coverage"].value == 1.0
    assert cross["C"]["coverage"].value == 0.0
    # Each of B's responses says half of what A's do; with two of its four sentences A says half of what B's do.
    assert cross["B"]["coverage"].extra["reverse"] == cross["B"]["coverage"].extra["equal_sentences"] == 0.5
    assert cross["D"]["coverage"].reason == "no response has a sentence"
    turned = score_responses(
        GivenResponses(texts), ScoreRequest((), ("coverage",), reference="B"), None, of_sentences=embeddings
    )
    assert turned.cross["A"]["coverage"].value == 0.5
    assert turned.cross["B"]["coverage"].value == 0.0
    none = Embeddings(store, None, "absent", "it is not installed")
    cross = score_responses(GivenResponses(texts), wanted, None, of_sentences=none).cross
    assert cross["B"]["coverage"].reason == "it is not installed"


def test_processes_that_share_the_work_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = random_texts(9)
    monkeypatch.setattr(processes, "_SHARE", 1)
    wanted = ScoreRequest(registry.within(SUITE), registry.cross(SUITE), reference="A", floor="B", resamples=300)
    done: list[tuple[str, int, int]] = []
    alone = score_responses(GivenResponses(texts), wanted, None)
    shared = score_responses(GivenResponses(texts), wanted, None, lambda *what: done.append(what), processes=2)
    assert shared == alone
    assert done[-1] == ("scoring", 9, 9)


def test_a_process_that_is_killed_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_score", os._exit)
    with pytest.raises(AlignbenchError, match="was killed"):
        list(processes.scored_chunks(ScoreRequest((), ()), [1], 2))  # type: ignore[list-item]


def test_scores_that_move_with_n_are_compared_at_equal_n() -> None:
    texts = random_texts(6)
    for p in ("p0", "p1"):
        texts[p]["C"] *= 2  # every word pair twice: a lower distinct-2 only because there are more samples
    tables = score(texts).within
    entry = tables["C"]["distinct_2"]
    assert entry.extra["equal_n"] > entry.value
    assert entry.difference.value == pytest.approx(entry.extra["equal_n"] - tables["A"]["distinct_2"].value)
    assert "equal_n" not in tables["C"]["jaccard"].extra
    assert tables["A"]["distinct_2"].extra.get("equal_n", tables["A"]["distinct_2"].value) == pytest.approx(
        tables["A"]["distinct_2"].value
    )
    assert "equal_n" not in score(random_texts(6)).within["C"]["distinct_2"].extra


def test_one_sample_cannot_be_compared_by_a_score_that_needs_two() -> None:
    texts = random_texts(1)
    texts["p0"]["C"] = texts["p0"]["C"][:1]
    entry = score(texts, within=("self_bleu", "vendi_ngram")).within["B"]
    assert entry["self_bleu"].value is not None
    assert entry["self_bleu"].extra["equal_n"] is None
    assert entry["self_bleu"].difference.value is None
    assert entry["vendi_ngram"].extra["per_sample"] == pytest.approx(entry["vendi_ngram"].value / 4)


def test_processes_are_started_where_they_pay() -> None:
    assert [processes.worth_starting(16, n) for n in (0, 999, 1999, 4000, 40_000)] == [1, 1, 1, 4, 8]
    assert processes.worth_starting(1, 40_000) == 1
