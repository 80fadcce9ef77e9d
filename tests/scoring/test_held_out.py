"""Conditions whose context tells of a sample of the reference, compared with the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from alignbench.contexts.source_samples import samples_in_context
from alignbench.metrics.values import Value
from alignbench.scoring.batch import score_responses
from alignbench.scoring.floor import Floor
from alignbench.scoring.held_out import held_out, source_conditions
from alignbench.scoring.live import LiveScores
from alignbench.scoring.prompt_scores import HeldOut
from alignbench.scoring.responses import CellTexts, SessionResponses
from alignbench.scoring.run_scores import session_scores
from alignbench.scoring.scorer import ScoreRequest
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Hint, Model, Prefill, Prompt
from alignbench.store import Store
from tests.support.samples import result

TEXTS: Mapping[str, list[str]] = {
    "teacher": ["apples pears plums", "rivers lakes", "rivers mountains"],
    "hinted": ["apples pears plums", "apples rivers"],
}
TEACHER = Condition.zero_shot(Model("teacher", "demo-aligned", "aligned"))
HINTED = Condition(
    "hinted", Model("raw", "demo-base", "base"), Context("plain", hint=Hint("summary", condition="teacher", maker="m"))
)
# Jaccard of the hinted answers with sample 0, and with samples 1 and 2.
SOURCE, HELD_OUT = (1 + 1 / 4) / 2, (0 + 0 + 1 / 3 + 1 / 3) / 4


class Held:
    """Responses of one prompt."""

    prompts, conditions, n, left_out, contested = ("p",), ("teacher", "hinted"), 5, 0, frozenset()

    def cells(self, _: str) -> CellTexts:
        return {condition: dict(enumerate(texts)) for condition, texts in TEXTS.items()}

    def surprisals(self, _: str) -> dict[str, Value]:
        return {}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "a.db") as store:
        session = store.create_session("t", reference="teacher")
        for condition in (TEACHER, HINTED):
            cell = store.add_cell(session, Prompt("p", "Why?"), condition, 3)
            for i, text in enumerate(TEXTS[condition.name]):
                store.add_sample(cell, result(i, text))
        yield store


def test_what_a_context_tells_of() -> None:
    items = ExampleSet((Example("a", "b"),))
    nearest = Examples(items, select="nearest-response", k=1, teacher="teacher", sample=4)
    context = Context("plain", examples=nearest, hint=Hint("summary", condition="teacher", sample=1, maker="m"))
    assert samples_in_context(context, "teacher") == {1, 4}
    assert samples_in_context(context, "another") == frozenset()
    assert samples_in_context(
        Context("plain", prefill=Prefill(condition="teacher", sample=2, tokens=1)), "teacher"
    ) == {2}
    assert source_conditions([TEACHER, HINTED], "teacher") == {"hinted": frozenset({0})}
    assert source_conditions([TEACHER, HINTED], None) == {}


def test_pairs_with_the_source_are_apart_from_the_others() -> None:
    scores = held_out(Held(), "p", None, "teacher", {"hinted": [0]}, ["jaccard"])
    assert scores == {"hinted": {"jaccard": HeldOut(pytest.approx(HELD_OUT), pytest.approx(SOURCE))}}


def test_a_single_sample_of_the_reference_leaves_nothing_to_compare_with() -> None:
    scores = held_out(Held(), "p", None, "teacher", {"hinted": [0, 1, 2]}, ["jaccard"])
    assert scores["hinted"]["jaccard"].value is None


def test_tables_have_both_figures_beside_the_value_over_all_pairs() -> None:
    request = ScoreRequest((), ("jaccard",), reference="teacher", resamples=10)
    cross = score_responses(Held(), request, None, sources={"hinted": [0]}).cross
    assert cross["hinted"]["jaccard"].held_out == pytest.approx(HELD_OUT)
    assert cross["hinted"]["jaccard"].source == pytest.approx(SOURCE)
    assert cross["hinted"]["jaccard"].value == pytest.approx((SOURCE + 2 * HELD_OUT) / 3)
    assert cross["teacher"]["jaccard"].held_out is None


def test_live_scores_have_them_too(database: Store) -> None:
    live = LiveScores(database.path, None, lambda: None)
    for row in database.samples(1):
        live.add(row)
    responses = SessionResponses(database, 1)
    scores = session_scores(live, [Prompt("p", "Why?")], [TEACHER, HINTED], "teacher", Floor(None), responses=responses)
    live.close()
    entry = scores.cross["hinted"]["jaccard"]
    assert (entry.held_out, entry.source) == (pytest.approx(HELD_OUT), pytest.approx(SOURCE))
