"""Two sessions made into one: what is the same is joined, what is not is kept apart by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.contexts.selection import ExampleSelection, Selected
from alignbench.errors import InputError
from alignbench.spec import Condition, Context, Example, ExampleSet, Model, Prompt
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
    assert (info.name, info.reference, info.n_samples, info.n_errors) == ("both", "demo-smollm2", 4, 0)
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


def drawn(store: Store, prompts: list[Prompt], condition: Condition, text: str) -> int:
    """A session with a sample of each prompt."""
    session = store.create_session(text)
    store.add_prompts(session, prompts)
    for prompt in prompts:
        store.add_sample(store.add_cell(session, prompt, condition, 1), result(0, f"{text} {prompt.id}"))
    return session


TYPED = Prompt.typed("Why diaries?")
SHARED = [TYPED, Prompt("a", TYPED.text), Prompt("b", TYPED.text)]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_prompts_of_one_text_stay_apart_and_each_meets_its_own(store: Store, order: tuple[int, ...]) -> None:
    prompts = [SHARED[i] for i in order]
    first = drawn(store, prompts, Condition.zero_shot(BASE), "first")
    second = drawn(store, SHARED, Condition.zero_shot(ALIGNED), "second")
    merged = store.merge_sessions([first, second], "both")
    assert [prompt.id for prompt in store.prompts(merged)] == [prompt.id for prompt in prompts]
    texts = {(row.prompt_id, row.condition): row.text for row in store.samples(merged)}
    assert texts == {
        (prompt.id, name): f"{text} {prompt.id}"
        for prompt in SHARED
        for name, text in (("demo-base", "first"), ("demo-smollm2", "second"))
    }


@pytest.mark.parametrize(("ours", "theirs"), [(TYPED, SHARED[1]), (SHARED[1], TYPED)])
def test_a_prompt_without_an_id_is_the_one_that_has_it(store: Store, ours: Prompt, theirs: Prompt) -> None:
    first = drawn(store, [ours], Condition.zero_shot(BASE), "first")
    second = drawn(store, [theirs], Condition.zero_shot(ALIGNED), "second")
    merged = store.merge_sessions([first, second], "both")
    assert store.prompts(merged) == [SHARED[1]]
    assert store.session(merged).n_samples == 2


def test_what_has_no_place_is_counted(store: Store) -> None:
    sessions = [drawn(store, SHARED, Condition.zero_shot(BASE), text) for text in ("same", "same", "other")]
    merged = store.merge_sessions(sessions, "all")
    assert store.session(merged).n_samples == 3
    of = store.sources_of(merged)
    assert [(each.session, each.same, each.other) for each in of] == [(1, 0, 0), (2, 3, 0), (3, 0, 3)]
    assert of[2].words == (
        "Of session 3, 3 samples had a place that was taken: 0 with the text that is there, 3 with another text."
    )
    assert (of[0].words, store.sources_of(sessions[0])) == ("", [])


def test_what_is_joined_under_another_name_is_said(store: Store) -> None:
    first = drawn(store, [Prompt("a", "Why?"), Prompt("b", "Who?")], Condition.zero_shot(BASE), "x")
    cold = Condition.zero_shot(BASE, name="cold")
    second = drawn(store, [Prompt("a", "When?"), Prompt("c", "Where?")], cold, "y")
    of = store.sources_of(store.merge_sessions([first, second], "both"))
    assert of[1].words == "Of session 2, condition joined: cold is demo-base."
    assert (of[1].prompts, of[1].conditions) == ({"a": "a@2"}, {"cold": "demo-base"})


def test_imported_conditions_of_one_name_that_differ_are_two(store: Store) -> None:
    ours = Condition("ours", Model("ours", "imported:ours", "aligned"), Context("imported", "ours"))
    base = replace(ours, model=replace(ours.model, kind="base"))
    sessions = [
        drawn(store, SHARED[:2], ours, "same"),
        drawn(store, SHARED[:1], ours, "same"),
        drawn(store, SHARED, ours, "other"),
        drawn(store, [Prompt("c", "How?")], base, "base"),
    ]
    merged = store.merge_sessions(sessions, "all")
    assert [(c.name, c.model.reference, c.model.kind) for c in store.conditions(merged)] == [
        ("ours", "imported:ours", "aligned"),
        ("ours@3", "imported:ours@3", "aligned"),
        ("ours@4", "imported:ours@4", "base"),
    ]
    assert store.session(merged).n_samples == 2 + 3 + 1
    again = store.merge_sessions([merged, sessions[2]], "again")
    assert store.session(again).n_samples == 6 + 3


def test_hints_go_with_their_own_prompt(store: Store) -> None:
    session = drawn(store, SHARED[1:], Condition.zero_shot(BASE), "x")
    for row in list(store.samples(session)):
        prompt = next(each for each in SHARED if each.id == row.prompt_id)
        hint = store.add_hint(session, prompt, NewHint("summary", "the same", "m", "t", row.id, "hash"))
        store.set_cell_hint(row.cell_id, hint.id)
    merged = store.merge_sessions([session, store.create_session("empty")], "both")
    for each in (session, merged):
        hints = {hint.prompt_id: hint for hint in store.hints(each)}
        assert hints.keys() == {"a", "b"}
        for row in store.samples(each):
            assert hints[row.prompt_id].source_id == row.id
            assert store.cell_hint(row.cell_id) == hints[row.prompt_id]
