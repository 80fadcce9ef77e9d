"""Two sessions made into one: what is the same is joined, what is not is kept apart by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.contexts.selection import ExampleSelection, Selected
from alignbench.errors import InputError
from alignbench.spec import Condition, Example, ExampleSet, Prompt
from alignbench.store import Judgment, NewHint, PairScore, Store
from tests.support.samples import ALIGNED, BASE, result
from tests.support.stored import sample_hint, token_stats

PROMPT = Prompt("q1", "Why diaries?")
COLD = replace(Condition.zero_shot(BASE), seed=9)


def rows(store: Store, session: int) -> list[tuple[str, str, int, str, str]]:
    return [(r.prompt_id, r.condition, r.sample, r.status, r.text) for r in store.samples(session)]


@pytest.fixture
def second(store: Store, session: int, cell: int) -> int:
    """Beside `session`, one that shares a cell with it and has a condition and a prompt of the same names."""
    store.add_sample(cell, result(0, "zero"))
    store.add_error(cell, 1, "late")
    store.add_note(session, "of the first")
    second = store.create_session("second", reference="demo-base")
    shared = store.add_cell(second, Prompt.typed(PROMPT.text), Condition.zero_shot(BASE, name="base"), 7)
    for i, text in enumerate(("not zero", "one", "two")):
        store.add_sample(shared, result(i, text))
    apart = store.add_cell(second, Prompt("q1", "Why letters?"), replace(COLD, name="demo-base"), 2)
    store.add_sample(apart, result(0, "letters"))
    return second


def test_what_is_the_same_is_joined(store: Store, session: int, second: int) -> None:
    before = rows(store, session), rows(store, second)
    merged = store.merge_sessions([session, second], "both")
    assert rows(store, merged) == [
        ("q1", "demo-base", 0, "done", "zero"),
        ("q1", "demo-base", 1, "done", "one"),
        ("q1", "demo-base", 2, "done", "two"),
        ("q1@2", "demo-base@2", 0, "done", "letters"),
    ]
    info = store.session(merged)
    assert (info.name, info.reference, info.n_samples, info.n_errors) == ("both", "demo-aligned", 4, 0)
    assert [cell.n for cell in store.cells(merged)] == [7, 2]
    assert [condition.hash for condition in store.conditions(merged)] == [Condition.zero_shot(BASE).hash, COLD.hash]
    assert [each["session"] for each in store.manifest(merged)["merged"]] == [session, second]
    assert [note.text for note in store.notes(merged)] == ["of the first"]
    assert (rows(store, session), rows(store, second)) == before


def test_what_samples_have_comes_along(store: Store, session: int, second: int) -> None:
    of_second = list(store.samples(second))
    zero, one, _, letters = of_second
    store.set_rendered(letters.cell_id, "<letters>")
    store.set_prefill(letters.cell_id, "Well,")
    store.keep_selection(letters.cell_id, ExampleSet((Example("a", "b"),)), ExampleSelection((Selected(0, 1),)))
    hint = store.add_hint(second, PROMPT, NewHint("summary", "a hint", source_id=one.id, source_hash="x"))
    store.set_cell_hint(letters.cell_id, hint.id)
    store.set_sample_hint(letters.id, hint.id)
    judge = [Judgment("quality", "me", "t", each.id, None, "valid", {"depth": 4}) for each in (zero, one)]
    store.add_judgments(second, [*judge, Judgment("topics", "me", "t", letters.id, one.id, "na", {})])
    store.add_pair_scores(second, "m", "1", [PairScore(Prompt.typed(PROMPT.text).id, "base", "demo-base", 0, 1, 0.5)])
    store.tag_session(second, "pilot")
    merged = store.merge_sessions([session, second], "both")
    merged_rows = {(r.condition, r.sample): r for r in store.samples(merged)}
    there = merged_rows["demo-base@2", 0]
    assert store.rendered(there.cell_id) == "<letters>"
    assert store.prefill(there.cell_id) == "Well,"
    assert store.selection(there.cell_id) == store.selection(letters.cell_id)
    taken, same = store.cell_hint(there.cell_id), sample_hint(store, there.id)
    assert taken is not None
    assert taken == same
    assert (taken.text, taken.source_id, taken.source_condition) == (
        "a hint",
        merged_rows["demo-base", 1].id,
        "demo-base",
    )
    # "not zero" gave way to the first session's sample, and so did what was said of it.
    assert [(r.condition, r.sample, r.reference, dict(r.judgment.fields)) for r in store.judgments(merged)] == [
        ("demo-base", 1, None, {"depth": 4}),
        ("demo-base@2", 0, "demo-base", {}),
    ]
    assert store.pair_scores(merged, "m") == [replace(store.pair_scores(second, "m")[0], prompt_id="q1",
                                                      reference="demo-base", condition="demo-base@2")]  # fmt: skip
    stats, own = token_stats(store, there.id), token_stats(store, letters.id)
    assert stats is not None
    assert own is not None
    assert list(stats.ids) == list(own.ids)
    assert store.session(merged).tags == ("pilot",)
    assert store.db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_third_session_of_the_same_name_is_apart_too(store: Store, session: int, second: int) -> None:
    third = store.create_session("third")
    store.add_cell(third, PROMPT, replace(Condition.zero_shot(ALIGNED), name="demo-base"), 1)
    merged = store.merge_sessions([session, second, third], "all")
    assert [c.name for c in store.conditions(merged)] == ["demo-base", "demo-base@2", "demo-base@3"]
    assert store.merge_sessions([merged, second], "again") == 5


@pytest.mark.parametrize("ids", [[1], [1, 1], [1, 9]])
def test_what_cannot_be_merged(store: Store, second: int, ids: list[int]) -> None:
    with pytest.raises(InputError, match=r"two or more different sessions|There is no session 9"):
        store.merge_sessions(ids, "x")
    assert len(store.sessions()) == second


def test_the_probabilities_of_answers_come_along(store: Store, session: int, cell: int) -> None:
    store.add_text(cell, 0, "likely", raw_text="{...}", finish_reason="stop", probability=0.75)
    other = store.create_session("other")
    merged = store.merge_sessions([session, other], "both")
    assert [(row.text, row.probability) for row in store.samples(merged)] == [("likely", 0.75)]
