"""Samples, their tokens and embeddings: what goes in comes out."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.spec import Condition, Prompt, content_hash
from alignbench.store import Store
from tests.support.samples import ALIGNED, BASE, done_samples, result
from tests.support.stored import token_stats

HOSTILE = [
    "",
    "[/] [INST] [@click=app.quit]x[/] [bold",
    "\x1b]52;c;aGk=\x07\x1b[31m\x9b2J",
    "before\0after",
    "\u202eoverride\u2066isolate\u200b",
    "\ud800 and \udfff and \ud83d\ude00 in halves",
    "x" * 100_000,
    "\r\n\r \u2028\ufeff",
    "a' OR 1=1; DROP TABLE samples; --",
]


def test_a_sample_comes_back_with_what_it_belongs_to(store: Store, session: int) -> None:
    cell = store.add_cell(session, Prompt("q1", "Why?"), Condition.zero_shot(BASE, name="B", seed=7), 5)
    row = store.add_sample(cell, result(2, "Because.", raw_text="Because.</s>"))
    assert row == store.sample(row.id)
    assert [row] == list(store.samples(session)) == list(store.samples(session, cell_id=cell))
    assert (row.session, row.cell_id, row.prompt_id, row.prompt) == (session, cell, "q1", "Why?")
    assert (row.condition, row.model, row.sample, row.seed) == ("B", "demo-base", 2, 9)
    assert (row.status, row.finish_reason, row.error) == ("done", "stop", None)
    assert (row.text, row.raw_text) == ("Because.", "Because.</s>")
    assert (row.n_prompt_tokens, row.n_tokens, row.seconds) == (11, 3, 0.25)
    assert row.logprob == result(2, "").logprob


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_survives_exactly(store: Store, session: int, text: str) -> None:
    cell = store.add_cell(session, Prompt(text, text, text), Condition.zero_shot(BASE, name=text), 5)
    row = store.add_sample(cell, result(0, text, raw_text=text))
    with Store.open(store.path) as reopened:
        assert reopened.sample(row.id) == row
        assert (row.text, row.raw_text, row.prompt, row.prompt_id, row.condition) == (text,) * 5
        assert reopened.add_error(cell, 1, text).error == text


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters()))
def test_any_text_survives_exactly(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "a.db") as store:
        session = store.create_session(text)
        cell = store.add_cell(session, Prompt("q", text), Condition.zero_shot(BASE), 1)
        row = store.add_sample(cell, result(0, text))
        assert (row.text, row.prompt, store.session(session).name) == (text, text, text)


def test_other_programs_see_ordinary_text_as_text(store: Store, cell: int) -> None:
    for i, text in enumerate(("plain \x1b é", "\ud800")):
        store.add_sample(cell, result(i, text))
    with sqlite3.connect(store.path) as other:
        rows = other.execute("SELECT typeof(text), text FROM samples ORDER BY sample").fetchall()
    assert rows == [("text", "plain \x1b é"), ("blob", b"\xed\xa0\x80")]


def test_a_done_sample_is_never_replaced(store: Store, cell: int) -> None:
    row = store.add_sample(cell, result(0, "first"))
    assert store.add_sample(cell, result(0, "second")) == row
    assert store.add_sample(cell, result(0, "part", "cancelled")) == row
    assert store.add_error(cell, 0, "broken") == row
    assert store.sample(row.id) == row
    stats = token_stats(store, row.id)
    assert stats is not None
    assert len(stats.ids) == 3


def test_errors_and_cancelled_samples_are_replaced_by_what_comes_next(store: Store, cell: int) -> None:
    error = store.add_error(cell, 0, "the worker died")
    assert (error.status, error.finish_reason, error.text, error.raw_text) == ("error", "error", "", "")
    assert (error.n_prompt_tokens, error.n_tokens, error.seconds, error.logprob) == (None,) * 4
    assert token_stats(store, error.id) is None
    assert done_samples(store, cell) == set()
    cancelled = store.add_sample(cell, result(0, "part", "cancelled"))
    assert (cancelled.id, cancelled.status, cancelled.text, cancelled.error) == (error.id, "cancelled", "part", None)
    assert done_samples(store, cell) == set()
    again = store.add_error(cell, 0, "once more")
    assert (again.status, again.text, token_stats(store, again.id)) == ("error", "", None)
    done = store.add_sample(cell, result(0, "whole"))
    assert (done.status, done.text, done.error) == ("done", "whole", None)
    assert done_samples(store, cell) == {0}


def test_samples_are_ordered_by_cell_and_index(store: Store, session: int) -> None:
    cells = [store.add_cell(session, Prompt("q", "?"), Condition.zero_shot(m), 3) for m in (BASE, ALIGNED)]
    for cell, i in ((cells[1], 1), (cells[0], 2), (cells[1], 0), (cells[0], 0)):
        store.add_sample(cell, result(i, "x"))
    assert [(row.cell_id, row.sample) for row in store.samples(session)] == [
        (cells[0], 0), (cells[0], 2), (cells[1], 0), (cells[1], 1),
    ]  # fmt: skip
    assert list(store.samples(session, cell_id=999)) == []


def test_token_statistics_come_back_bit_for_bit(store: Store, cell: int) -> None:
    sent = result(0, "x", n=257)
    sent.tokens.logprob[:3] = (-np.inf, np.nan, -1e-30)
    stats = token_stats(store, store.add_sample(cell, sent).id)
    assert stats is not None
    for name in ("ids", "logprob", "entropy", "sampling_logprob", "sampling_entropy"):
        got, expected = getattr(stats, name), getattr(sent.tokens, name)
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


def test_a_pace_counts_the_seconds_in_which_anything_was_drawn(store: Store, session: int) -> None:
    """Two cells that run together, one within the other, and after a pause a third."""
    condition = Condition.zero_shot(BASE)
    spans = {
        "a": ("00:00:10.000", 8.0),
        "b": ("00:00:09.000", 2.0),
        "c": ("00:01:00.000", 4.0),
        "d": ("00:00:12.000", 4.0),
    }
    for prompt, (ended, seconds) in spans.items():
        cell = store.add_cell(session, Prompt(prompt, prompt), condition, 1)
        row = store.add_sample(cell, replace(result(0, "said"), n_tokens=35, seconds=seconds))
        with sqlite3.connect(store.path) as other:
            other.execute("UPDATE samples SET created = ? WHERE id = ?", (f"2026-01-01T{ended}+00:00", row.id))
    pace = store.pace(BASE.reference)
    assert pace is not None
    assert (pace.tokens_per_sample, pace.tokens_per_second) == pytest.approx((35, 4 * 35 / (10 + 4)), rel=1e-3)


def test_what_is_not_there_is_said(store: Store) -> None:
    with pytest.raises(InputError, match="has no sample 5"):
        store.sample(5)
    with pytest.raises(InputError, match="has no cell 5; was the session deleted meanwhile"):
        store.add_sample(5, result(0, "x"))
    with pytest.raises(InputError, match="has no cell 5"):
        store.add_error(5, 0, "x")
    assert token_stats(store, 5) is None


def test_embeddings_are_kept_by_model_and_text(store: Store) -> None:
    rng = np.random.default_rng(0)
    vectors = {content_hash(text): rng.standard_normal(384).astype(np.float32) for text in ("a", "b")}
    store.add_embeddings("mini", vectors, windows=dict.fromkeys(vectors, 1), mode="mean")
    store.add_embeddings("mini", vectors, windows=dict.fromkeys(vectors, 2), mode="mean")
    embeddings = store.embeddings("mini", [*vectors, content_hash("c")])
    assert embeddings.keys() == vectors.keys()
    for key, vector in vectors.items():
        assert embeddings[key].dtype == np.float32
        np.testing.assert_array_equal(embeddings[key], vector)
    assert store.embeddings("maxi", vectors) == {}
    assert store.embeddings("mini", []) == {}
    assert [row["windows"] for row in store.db["embeddings"].rows] == [2, 2]


def test_together_is_one_commit(store: Store, cell: int) -> None:
    def interrupted() -> None:
        with store.together():
            store.add_text(cell, 0, "kept?", raw_text="kept?```", finish_reason="stop")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done_samples(store, cell) == set()
    with store.together():
        row = store.add_text(cell, 0, "kept", raw_text="kept```", finish_reason="length")
    assert (row.text, row.raw_text, row.finish_reason) == ("kept", "kept```", "length")
    assert (row.status, row.n_tokens, row.seconds, row.logprob) == ("done", None, None, None)
