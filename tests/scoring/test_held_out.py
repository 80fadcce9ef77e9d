"""Conditions whose context tells of a sample of the reference, compared with the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench.contexts.source_samples import NOTHING_HELD_OUT, samples_in_context, source_conditions
from alignbench.importing.save import save_import
from alignbench.metrics.paper import paper_mode
from alignbench.metrics.statistics import expected_maximum
from alignbench.metrics.values import WORKBENCH, Value, WordMode
from alignbench.overton.read import read_dataset
from alignbench.scoring.batch import score_responses
from alignbench.scoring.floor import Floor
from alignbench.scoring.live import LiveScores
from alignbench.scoring.responses import CellTexts, SessionResponses
from alignbench.scoring.run_scores import session_scores
from alignbench.scoring.scorer import ScoreRequest
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Hint, Model, Prefill, Prompt
from alignbench.store import Store
from alignbench.store.context_rows import NewHint
from tests.support.paper_data import OVERTON, needs_paper_data
from tests.support.samples import result

TEXTS: Mapping[str, list[str]] = {
    "teacher": ["apples pears plums", "rivers lakes", "rivers mountains"],
    "hinted": ["apples pears plums", "apples rivers"],
    "floor": ["lakes green blue grey sky"],
}
TEACHER = Condition.zero_shot(Model("teacher", "demo-smollm2", "aligned"))
HINTED = Condition(
    "hinted", Model("raw", "demo-base", "base"), Context("plain", hint=Hint("summary", condition="teacher", maker="m"))
)
# Jaccard of the hinted answers with sample 0, and with samples 1 and 2.
SOURCE, HELD_OUT = (1 + 1 / 4) / 2, (0 + 0 + 1 / 3 + 1 / 3) / 4


class Held:
    """Responses of one prompt."""

    prompts, conditions, n, left_out, contested = ("p",), (*TEXTS,), 6, 0, frozenset()

    def cells(self, _: str) -> CellTexts:
        return {condition: dict(enumerate(texts)) for condition, texts in TEXTS.items()}

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}


class WithoutTheSource(Held):
    """The same, had the teacher's first sample never been drawn."""

    def cells(self, prompt: str) -> CellTexts:
        cells = super().cells(prompt)
        return {**cells, "teacher": {i: text for i, text in cells["teacher"].items() if i}}


class TwoPrompts(Held):
    """The same, and a second prompt with one answer."""

    prompts, n = ("p", "q"), 7

    def cells(self, prompt: str) -> CellTexts:
        return super().cells(prompt) if prompt == "p" else {"teacher": {0: "rivers"}}


class SamePrompts(Held):
    """Two prompts with the same responses."""

    prompts, n = ("p", "q"), 12


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


def test_the_teacher_that_nobody_names_is_the_sessions_reference() -> None:
    nearest = Examples(ExampleSet((Example("a", "b"),)), select="nearest-response", k=1, sample=2)
    condition = replace(HINTED, name="near", context=Context("plain", examples=nearest))
    assert source_conditions([TEACHER, condition], "teacher") == {"near": frozenset({2})}
    assert source_conditions([TEACHER, condition], "other", session_reference="teacher") == {}
    assert source_conditions([TEACHER, condition], "teacher", session_reference="other") == {}


def test_a_context_made_of_a_hinted_answer_tells_of_what_the_hint_tells_of() -> None:
    prefilled = replace(
        HINTED, name="prefilled", context=Context("plain", prefill=Prefill(condition="hinted", sample=1, tokens=3))
    )
    behind = replace(HINTED, name="behind", context=Context("plain", hint=Hint("summary", condition="prefilled")))
    expected = dict.fromkeys(("hinted", "prefilled", "behind"), frozenset({0}))
    assert source_conditions([TEACHER, behind, HINTED, prefilled], "teacher") == expected


def similarities(samples: Collection[int], condition: str = "hinted") -> list[float]:
    """Jaccard of each response of a condition with these samples of the reference."""
    bags = {name: [set(text.split()) for text in texts] for name, texts in TEXTS.items()}
    return [len(a & b) / len(a | b) for i in samples for a in [bags["teacher"][i]] for b in bags[condition]]


def test_everything_is_taken_against_the_samples_that_are_held_out() -> None:
    request = ScoreRequest((), ("jaccard",), reference="teacher", floor="floor", resamples=10)
    cross = score_responses(Held(), request, None, sources=lambda _: {"hinted": [0]}).cross
    entry, whole = cross["hinted"]["jaccard"], cross["hinted"]["jaccard"].with_source
    assert whole is not None
    assert (entry.value, entry.held_out, entry.source) == pytest.approx((HELD_OUT, HELD_OUT, SOURCE))
    assert whole.value == pytest.approx((SOURCE + 2 * HELD_OUT) / 3)
    assert entry.floor == pytest.approx(np.mean(similarities([1, 2], "floor")))
    assert whole.floor == pytest.approx(np.mean(similarities([0, 1, 2], "floor")))
    ceiling = np.mean([0, 0, 1 / 3])  # pairs of different samples, the source too
    assert entry.ceiling == whole.ceiling == pytest.approx(ceiling)
    for one, samples in ((entry, [1, 2]), (whole, [0, 1, 2])):
        pairs = similarities(samples)
        assert one.max_matched == pytest.approx(expected_maximum(pairs, 3)), "as many pairs as the floor has"
        assert one.mmd2 == pytest.approx(ceiling + 1 / 4 - 2 * np.mean(pairs))
        assert one.recovery == pytest.approx((one.value - one.floor) / (one.ceiling - one.floor))
    assert cross["teacher"]["jaccard"].with_source is cross["floor"]["jaccard"].with_source is None
    assert cross["floor"]["jaccard"].floor == pytest.approx(np.mean(similarities([0, 1, 2], "floor")))


def test_the_null_is_taken_against_them_too() -> None:
    tables = score_responses(
        TwoPrompts(), ScoreRequest((), ("jaccard",), reference="teacher", resamples=10), None,
        sources=lambda prompt: {"hinted": [0]} if prompt == "p" else {},
    )  # fmt: skip
    entry = tables.cross["hinted"]["jaccard"]
    assert entry.with_source is not None
    # "rivers" is the one answer to the other prompt: it is in the two samples that are held out.
    assert entry.null == pytest.approx(1 / 2)
    assert entry.with_source.null == pytest.approx((0 + 1 / 2 + 1 / 2) / 3)


def test_sources_may_differ_by_prompt() -> None:
    request = ScoreRequest((), ("jaccard",), reference="teacher", resamples=10)
    sources = {"p": {"hinted": [0]}, "q": {"hinted": [1, 2]}}
    tables = score_responses(SamePrompts(), request, None, sources=lambda prompt: sources[prompt])
    assert tables.cross["hinted"]["jaccard"].value == pytest.approx((HELD_OUT + SOURCE) / 2)


def test_nothing_held_out_is_null_with_a_reason() -> None:
    request = ScoreRequest((), ("jaccard",), reference="teacher", floor="floor", resamples=10)
    entry = score_responses(Held(), request, None, sources=lambda _: {"hinted": [0, 1, 2]}).cross["hinted"]["jaccard"]
    assert (entry.value, entry.held_out, entry.recovery, entry.max_matched, entry.mmd2, entry.floor) == (None,) * 6
    assert entry.reason == NOTHING_HELD_OUT
    assert entry.with_source is not None
    assert entry.with_source.value == pytest.approx((SOURCE + 2 * HELD_OUT) / 3)


def test_a_floor_that_is_made_from_a_source_is_held_out_too() -> None:
    request = ScoreRequest((), ("jaccard",), reference="teacher", floor="floor", resamples=10)
    sources = {"hinted": [0], "floor": [1]}
    cross = score_responses(Held(), request, None, sources=lambda _: sources).cross
    assert cross["hinted"]["jaccard"].floor == pytest.approx(np.mean(similarities([2], "floor")))
    assert cross["floor"]["jaccard"].value == cross["floor"]["jaccard"].floor


def test_one_prompt_has_the_interval_that_the_samples_held_out_give_alone() -> None:
    request = ScoreRequest((), ("jaccard",), reference="teacher", resamples=10)
    entry = score_responses(Held(), request, None, sources=lambda _: {"hinted": [0]}).cross["hinted"]["jaccard"]
    alone = score_responses(WithoutTheSource(), request, None).cross["hinted"]["jaccard"]
    assert entry.ci == alone.ci is not None
    assert (entry.value, alone.with_source) == (alone.value, None)


def test_a_runs_scores_are_held_out_too(database: Store) -> None:
    live = LiveScores(database.path, None, lambda: None)
    for row in database.samples(1):
        live.add(row)
    responses = SessionResponses(database, 1)
    scores = session_scores(live, [Prompt("p", "Why?")], [TEACHER, HINTED], "teacher", Floor(None), responses=responses)
    live.close()
    entry = scores.cross["hinted"]["jaccard"]
    assert (entry.value, entry.source) == (pytest.approx(HELD_OUT), pytest.approx(SOURCE))
    assert entry.with_source is not None
    assert entry.with_source.value == pytest.approx((SOURCE + 2 * HELD_OUT) / 3)


def test_a_stored_hint_says_which_sample_it_is_of(database: Store) -> None:
    """As imported sessions have it: the context says that there is a hint, each cell which."""
    prompt = database.prompts(1)[0]
    bare = replace(HINTED, name="bare", context=Context("plain", hint=Hint("summary")))
    cell = database.add_cell(1, prompt, bare, 1)
    database.add_sample(cell, result(0, "apples rivers"))
    source = next(row for row in database.samples(1) if row.condition == "teacher" and row.sample == 2)
    hint = database.add_hint(1, prompt, NewHint("summary", "Rivers.", source_id=source.id))
    database.set_cell_hint(cell, hint.id)
    sources = database.sources(1, "teacher")
    assert sources("p") == {"hinted": frozenset({0}), "bare": frozenset({2})}
    assert sources("another") == {"hinted": frozenset({0})}
    assert database.sources(1, None)("p") == {}


COMPARED = ("llama-2-chat", "llama-2-base", "llama-2-icl-chat-summary", "llama-2-icl-chat-rand")


@needs_paper_data
@pytest.mark.usefixtures("nltk_data")
@pytest.mark.parametrize(
    ("mode", "known"),
    [
        (WORKBENCH, {"floor": 0.0745, "value": 0.2002, "source": 0.2374, "recovery": 0.592, "with": 0.627}),
        (None, {"floor": 0.0721, "value": 0.1873, "source": 0.2206, "recovery": 0.557, "with": 0.590}),
    ],
    ids=["workbench", "paper"],
)
def test_known_answers_of_the_release(tmp_path: Path, mode: WordMode | None, known: Mapping[str, float]) -> None:
    """The summaries are of the teacher's first sample: held out, random examples recover more than they do."""
    with Store.open(tmp_path / "release.db") as store:
        session = save_import(store, read_dataset(OVERTON / "LIMA-OE")).session
        request = ScoreRequest(
            (), ("jaccard",), reference="llama-2-chat", floor="llama-2-base", mode=mode or paper_mode(), resamples=100
        )
        sources = store.sources(session, "llama-2-chat")
        cross = score_responses(SessionResponses(store, session, COMPARED), request, None, sources=sources).cross
    entry, random = (cross[f"llama-2-icl-chat-{name}"]["jaccard"] for name in ("summary", "rand"))
    assert (entry.floor, entry.value, entry.source) == pytest.approx(
        (known["floor"], known["value"], known["source"]), abs=1e-4
    )
    assert entry.with_source is not None
    assert (entry.recovery, entry.with_source.recovery) == pytest.approx((known["recovery"], known["with"]), abs=1e-3)
    assert entry.recovery < random.recovery < entry.with_source.recovery
    assert random.with_source is None
