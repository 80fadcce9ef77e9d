"""Prompts, conditions and cells."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.experiments.plan import preview
from alignbench.spec import Condition, Context, Hint, Model, Prompt, Sampling, made_id
from alignbench.store import CellInfo, Store, StoredCell
from tests.support.samples import ALIGNED, BASE, result

PROMPT = Prompt("q1", "Why diaries?", "house")
TEXT = st.text(st.characters(), max_size=30)  # lone surrogates and NUL included
CONDITIONS = st.builds(
    Condition,
    name=TEXT,
    model=st.builds(Model, TEXT, TEXT, st.sampled_from(["base", "aligned"])),
    context=st.builds(Context, TEXT, TEXT),
    sampling=st.builds(
        Sampling,
        temperature=st.floats(0, 100) | st.integers(0, 100),
        top_k=st.integers(0, 10**6),
        top_p=st.floats(0, 1, exclude_min=True),
        min_p=st.floats(0, 1, exclude_max=True),
        typical_p=st.floats(0, 1, exclude_min=True),
        repetition_penalty=st.floats(0, 10, exclude_min=True),
        max_tokens=st.integers(1, 10**6),
        stop=st.lists(TEXT.filter(bool), max_size=3).map(tuple),
    ),
    seed=st.integers(-(2**62), 2**62),
    mode=st.sampled_from(["strict", "fast"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=3, unique_by=(lambda c: c.name, lambda c: c.hash)))
def test_conditions_come_back_equal_and_with_the_same_hash(conditions: list[Condition]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "a.db") as store:
        session = store.create_session("s")
        for condition in conditions:
            store.add_cell(session, PROMPT, condition, 1)
        back = store.conditions(session)
    assert back == conditions
    assert [c.hash for c in back] == [c.hash for c in conditions]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(Prompt, TEXT, TEXT, TEXT), unique_by=(lambda p: p.id, lambda p: p.text), max_size=4))
def test_prompts_come_back_equal(prompts: list[Prompt]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "a.db") as store:
        session = store.create_session("s")
        for prompt in prompts:
            store.add_cell(session, prompt, Condition.zero_shot(BASE), 1)
        assert store.prompts(session) == prompts


def test_a_cell_is_added_once_and_its_n_only_grows(store: Store, session: int) -> None:
    condition = Condition.zero_shot(BASE)
    cell = store.add_cell(session, PROMPT, condition, 5)
    for n, expected in ((3, 5), (10, 10)):
        assert store.add_cell(session, PROMPT, condition, n) == cell
        assert store.cells(session) == [CellInfo(cell, session, "q1", "demo-base", expected)]


def test_words_without_an_id_are_the_prompt_that_has_them_already(store: Store, session: int) -> None:
    condition = Condition.zero_shot(BASE)
    cell = store.add_cell(session, PROMPT, condition, 5)
    of_a_file = Prompt(made_id(PROMPT.hash, "mine"), PROMPT.text, "mine")
    for unnamed in (Prompt.typed(PROMPT.text), of_a_file):
        assert store.add_cell(session, unnamed, condition, 5) == cell
        assert store.prompt_keys(session, [unnamed]) == [PROMPT.key]
    assert store.prompts(session) == [PROMPT]


@pytest.mark.parametrize("other", ["q2", "Q1", "q1 ", "caf\u00e9", "cafe\u0301", "1", "01", "x" * 5000, "\ud800", ""])
def test_two_prompts_of_one_text_are_two_by_their_ids(store: Store, session: int, other: str) -> None:
    condition = Condition.zero_shot(BASE)
    ids = [PROMPT.id, "cafe", other]
    prompts = [Prompt(id, PROMPT.text) for id in ids]
    cells = store.add_cells(session, prompts, condition, 2)
    for cell, id in zip(cells, ids, strict=True):
        store.add_sample(cell, result(0, f"of {id}"))
    assert [(row.prompt_id, row.text) for row in store.samples(session)] == [(id, f"of {id}") for id in ids]
    assert store.add_cells(session, prompts[::-1], condition, 2) == cells[::-1]
    assert store.stored_cells(session, condition).keys() == {prompt.key for prompt in prompts}
    assert [store.teacher_sample(session, each, "demo-base", 0).text for each in prompts] == [f"of {id}" for id in ids]
    # A text without an id is the first of its prompts, unless it is there under its own.
    assert store.prompt_keys(session, [Prompt.typed(PROMPT.text)]) == [prompts[0].key]


def test_prompts_of_one_text_and_one_answer_are_one_example(store: Store, session: int) -> None:
    for id, text, answer in (("a", "Why?", "So."), ("b", "Why?", "So."), ("c", "Why?", "No."), ("d", "Who?", "So.")):
        cell = store.add_cell(session, Prompt(id, text), Condition.zero_shot(BASE), 1)
        store.add_sample(cell, result(0, answer))
    items = store.condition_examples(session, "demo-base", 0).items
    assert [(item.prompt, item.response) for item in items] == [("Why?", "So."), ("Why?", "No."), ("Who?", "So.")]


def test_prompts_that_are_registered_are_taken_as_they_are(store: Store, session: int) -> None:
    prompts = [PROMPT, Prompt.typed(PROMPT.text)]
    store.add_prompts(session, [*prompts, PROMPT])
    assert store.prompts(session) == prompts
    cells = [store.add_cell(session, prompt, Condition.zero_shot(BASE), 1) for prompt in prompts]
    assert [cell.prompt_id for cell in store.cells(session)] == [prompt.id for prompt in prompts]
    assert len({*cells}) == 2
    with pytest.raises(InputError, match="'q1' stands for another text"):
        store.add_prompts(session, [Prompt("new", "New?"), Prompt("q1", "Other?")])
    assert store.prompts(session) == prompts


def test_order_of_first_use(store: Store, session: int) -> None:
    prompts = [Prompt(id, id) for id in ("z", "a", "m")]
    conditions = [Condition.zero_shot(model) for model in (BASE, ALIGNED)]
    for condition in conditions:
        for prompt in prompts:
            store.add_cell(session, prompt, condition, 1)
    store.add_cell(session, prompts[2], conditions[0], 9)
    assert store.prompts(session) == prompts
    assert store.conditions(session) == conditions


def test_the_pair_of_today_is_not_taken_for_that_of_an_older_session(store: Store, session: int) -> None:
    """demo-aligned was another model: its samples stay, and none of today's come under its name."""
    before, today = (
        Condition.zero_shot(Model("demo-aligned", reference, "aligned"))
        for reference in ("demo-aligned", "demo-base+demo-sft")
    )
    store.add_sample(store.add_cell(session, PROMPT, before, 1), result(0, "So."))
    assert store.conditions(session) == [before]
    with pytest.raises(InputError, match="The name 'demo-aligned' stands for another condition"):
        store.add_cell(session, PROMPT, today, 1)


def test_a_name_never_comes_to_mean_two_things(store: Store, session: int) -> None:
    condition = Condition.zero_shot(BASE)
    store.add_cell(session, PROMPT, condition, 5)
    with pytest.raises(InputError, match="The name 'demo-base' stands for another condition in session 1"):
        store.add_cell(session, PROMPT, replace(condition, seed=1), 5)
    with pytest.raises(InputError, match="has the condition 'B' already, as 'demo-base'"):
        store.add_cell(session, PROMPT, replace(condition, name="B"), 5)
    with pytest.raises(InputError, match="The prompt id 'q1' stands for another text"):
        store.add_cell(session, Prompt("q1", "Another?"), condition, 5)
    with pytest.raises(InputError, match="The prompt id 'q1' stands for another text"):
        preview(store, session, [Prompt("q2", "New?"), Prompt("q1", "Another?")], [condition], 5)
    assert (len(store.cells(session)), store.conditions(session), store.prompts(session)) == (1, [condition], [PROMPT])
    # Another session is another matter.
    other = store.create_session("other")
    store.add_cell(other, Prompt("q1", "Another?"), replace(condition, seed=1), 5)


def test_seeds_that_sqlite_cannot_hold_are_refused(store: Store, session: int) -> None:
    for seed in (2**63, 2**63 - 3, -(2**63)):
        with pytest.raises(InputError, match=f"seed is {seed}"):
            store.add_cell(session, PROMPT, replace(Condition.zero_shot(BASE), seed=seed), 5)


def test_a_renamed_condition_keeps_its_samples_and_stays_the_reference(store: Store, session: int) -> None:
    condition = Condition.zero_shot(ALIGNED)
    cell = store.add_cell(session, PROMPT, condition, 5)
    store.add_sample(cell, result(0, "x"))
    store.rename_condition(session, "demo-smollm2", "teacher")
    assert store.conditions(session) == [replace(condition, name="teacher")]
    assert store.session(session).reference == "teacher"
    assert [row.condition for row in store.samples(session)] == ["teacher"]
    assert store.add_cell(session, PROMPT, replace(condition, name="teacher"), 5) == cell
    store.add_cell(session, PROMPT, Condition.zero_shot(BASE), 5)
    with pytest.raises(InputError, match="already has a condition named 'demo-base'"):
        store.rename_condition(session, "teacher", "demo-base")
    with pytest.raises(InputError, match="has no condition named 'nobody'"):
        store.rename_condition(session, "nobody", "x")


def test_a_condition_that_contexts_are_made_from_keeps_its_name(store: Store, session: int) -> None:
    condition = Condition.zero_shot(ALIGNED)
    hinted = replace(
        Condition.zero_shot(BASE), context=Context("plain", hint=Hint("summary", condition="demo-smollm2"))
    )
    for each in (condition, hinted):
        store.add_cell(session, PROMPT, each, 5)
    with pytest.raises(InputError, match="demo-smollm2 keeps its name: the context of demo-base"):
        store.rename_condition(session, "demo-smollm2", "teacher")
    store.rename_condition(session, "demo-base", "pupil")
    assert [each.name for each in store.conditions(session)] == ["demo-smollm2", "pupil"]


def test_a_condition_goes_only_while_it_has_no_sample(store: Store, session: int) -> None:
    condition = Condition.zero_shot(BASE)
    cell = store.add_cell(session, PROMPT, condition, 5)
    store.add_error(cell, 0, "could not load")
    assert store.drop_condition_if_empty(session, "demo-base")
    assert store.conditions(session) == []
    assert store.cells(session) == []
    assert not store.drop_condition_if_empty(session, "demo-base")
    changed = replace(condition, seed=1)
    store.add_sample(store.add_cell(session, PROMPT, changed, 5), result(0, "x", "cancelled"))
    assert not store.drop_condition_if_empty(session, "demo-base")
    assert store.conditions(session) == [changed]


def test_stored_cells_go_by_content(store: Store, session: int) -> None:
    condition = Condition.zero_shot(BASE)
    cell = store.add_cell(session, PROMPT, condition, 5)
    store.add_sample(cell, result(3, "x"))
    store.add_error(cell, 4, "late")
    store.add_sample(cell, result(0, "x", "cancelled"))
    other = replace(condition, name="other")
    assert store.stored_cells(session, other) == {PROMPT.key: StoredCell(cell, 5, frozenset({3}))}
    assert store.stored_cells(session, other, errors=True) == {PROMPT.key: StoredCell(cell, 5, frozenset({3, 4}))}
    assert store.stored_cells(session, replace(condition, seed=1)) == {}
    assert store.stored_cells(session + 1, condition) == {}


def test_what_the_model_saw_is_kept_once(store: Store, session: int, cell: int) -> None:
    assert store.rendered(cell) is None
    assert store.prompt_ids(cell) is None
    other = store.add_cell(session, PROMPT, replace(Condition.zero_shot(BASE), name="B", seed=9), 5)
    texts = store.db["texts"].count
    for each in (cell, other):
        store.set_rendered(each, "# Query:\r\n\0\ud800")
        store.set_prompt_ids(each, [1, 262143, 0])
    assert store.rendered(cell) == store.rendered(other) == "# Query:\r\n\0\ud800"
    assert store.prompt_ids(cell) == (1, 262143, 0)
    assert store.db["texts"].count == texts + 1
    with pytest.raises(InputError, match="has no cell 99"):
        store.set_rendered(99, "x")


def test_the_hash_of_the_weights_is_kept_for_every_name_of_a_model(store: Store, session: int) -> None:
    for i, name in enumerate(("a", "b")):
        store.add_cell(session, PROMPT, Condition.zero_shot(Model(name, "llama:/x.gguf", "base"), seed=i), 1)
    store.set_model_file_hash(session, "llama:/x.gguf", "f00d")
    assert [row["file_hash"] for row in store.db["models"].rows] == ["f00d", "f00d"]


def test_another_session_does_not_change_which_weights_drew_the_samples_of_this_one(store: Store, session: int) -> None:
    other = store.create_session("other")
    for each, sha256 in ((session, "f00d"), (other, "beef")):
        cell = store.add_cell(each, PROMPT, Condition.zero_shot(Model("a", "llama:/x.gguf", "base")), 1)
        store.set_model_file_hash(each, "llama:/x.gguf", sha256)
        store.add_sample(cell, result(0, "text"))
    assert store.model_file_hash(session, "llama:/x.gguf") == "f00d"
    assert store.model_file_hash(other, "llama:/x.gguf") == "beef"
    assert store.model_file_hash(session, "llama:/y.gguf") is None
