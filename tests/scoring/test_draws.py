"""Answers that came in one reply are one draw, by the probabilities that it states."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.api.scoring import ScoringJob, run_scoring
from alignbench.metrics import registry
from alignbench.scoring.draws import is_draw
from alignbench.scoring.live import LiveScores
from alignbench.scoring.responses import SessionResponses
from alignbench.spec import Condition, Context, Model, Prompt
from alignbench.store import SampleRow, Store

PROMPT = Prompt("p1", "Why do people keep diaries?")
CONDITION = Condition("several", Model("m", "llama:/m.gguf", "aligned"), Context("chat", verbalized=2))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept.db") as store:
        yield store


def said(store: Store, replies: list[list[tuple[str, float]]]) -> list[SampleRow]:
    """Session 1 with the answers of these replies."""
    cell = store.add_cell(store.create_session("t", reference="several"), PROMPT, CONDITION, 2 * len(replies))
    rows = []
    for i, reply in enumerate(replies):
        raw = json.dumps({"answers": [{"text": text, "probability": p} for text, p in reply]})
        for k, (text, p) in enumerate(reply):
            rows.append(
                store.add_text(cell, i * len(reply) + k, text, raw_text=raw, finish_reason="stop", probability=p)
            )
    return rows


def test_a_reply_counts_once_by_its_probabilities(store: Store) -> None:
    rows = said(store, [[("often", 0.6), ("seldom", 0.2)]] * 1000)  # they need not add up to 1
    drawn = [row for row in rows if is_draw(row)]
    assert [row.sample // 2 for row in drawn] == [*range(1000)]
    assert sum(row.text == "often" for row in drawn) / 1000 == pytest.approx(0.75, abs=0.04)
    assert drawn == [row for row in rows if is_draw(row)]


def test_probabilities_that_are_all_0_are_equal_ones(store: Store) -> None:
    rows = said(store, [[("one", 0.0), ("two", 0.0)]] * 400)
    assert sum(row.text == "one" for row in rows if is_draw(row)) / 400 == pytest.approx(0.5, abs=0.08)


def test_what_stands_alone_is_a_draw(store: Store) -> None:
    (row, _) = said(store, [[("one", 0.0), ("two", 1.0)]])
    assert not is_draw(row)
    assert is_draw(replace(row, probability=None))
    for text in ("no such reply", '{"answers": 3}', '{"answers": []}', "{}"):
        assert is_draw(replace(row, raw_text=text))


def test_pairs_inside_a_reply_are_no_pairs_and_n_counts_replies(store: Store) -> None:
    """Every reply says the same two things, one of them for certain: draws are all alike, answers are not."""
    rows = said(store, [[("the sun rises", 1.0), ("rivers flow south", 0.0)]] * 3)
    responses = SessionResponses(store, 1)
    assert responses.cells("p1") == {"several": dict.fromkeys((0, 2, 4), "the sun rises")}
    metrics = tuple(metric for metric in registry.METRICS.values() if metric.name in ("words", "jaccard"))
    scored = run_scoring(ScoringJob(source=1, metrics=metrics), db=Path(store.path))
    entry = scored.tables.within["several"]["jaccard"]
    assert (entry.value, entry.samples) == (1.0, 3)
    assert scored.notes[0] == (
        "each reply of several is one draw, an answer by its stated probability: 3 of 6 answers are scored"
    )
    live = LiveScores(store.path, None, lambda: None)
    for row in rows:
        live.add(row)
    value = live.prompt_scores("p1", ["several"]).within["several"]["jaccard"]
    live.close()
    assert (value.value, value.n) == (1.0, 3)


def test_one_reply_is_too_little_for_a_diversity(store: Store) -> None:
    (row, *_) = said(store, [[("the sun rises", 0.5), ("rivers flow south", 0.5)]])
    assert row.session == 1
    metrics = tuple(metric for metric in registry.METRICS.values() if metric.name in ("words", "jaccard"))
    scored = run_scoring(ScoringJob(source=1, metrics=metrics), db=Path(store.path))
    assert scored.tables.within["several"]["jaccard"].reason == "needs 2 samples, has 1"
