"""Example sets, selections, hints and conditions with a context, kept and read back."""

from __future__ import annotations

import pytest

from alignbench.contexts.selection import ExampleSelection, Selected
from alignbench.errors import InputError
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Hint, Prompt
from alignbench.store import NewHint, Store
from tests.support.samples import BASE, result
from tests.support.stored import sample_hint

HOUSE = ExampleSet((Example("Why?", "So."), Example("How?", "Thus\ud800.", "hint")), "house", "by hand")
WHY = Prompt("q1", "Why diaries?", "house")


def test_a_set_is_found_by_name_and_by_hash(store: Store) -> None:
    store.keep_example_set(HOUSE)
    store.keep_example_set(HOUSE)
    for reference in ("house", HOUSE.hash, HOUSE.hash[:8]):
        kept = store.example_set(reference)
        assert (kept, kept.name, kept.origin) == (HOUSE, "house", "by hand")
    assert [(info.name, info.n) for info in store.example_sets()] == [("house", 2)]
    with pytest.raises(InputError, match=r"no example set 'hose' in .*Did you mean house\?"):
        store.example_set("hose")


def test_a_name_passes_to_the_newer_set_and_the_older_one_stays(store: Store) -> None:
    newer = ExampleSet(HOUSE.items[:1], "house")
    store.keep_example_set(HOUSE)
    store.keep_example_set(newer)
    assert store.example_set("house") == newer
    assert store.example_set(HOUSE.hash) == HOUSE


def test_what_was_selected_for_a_cell(store: Store, cell: int) -> None:
    assert store.selection(cell) is None
    selection = ExampleSelection((Selected(1, 2, 0.5), Selected(0, 1, 0.75)), left_out=(Selected(2, 3, 0.99),))
    pool = ExampleSet((*HOUSE.items, Example("Why diaries", "Because.")))
    store.keep_selection(cell, pool, ExampleSelection((Selected(0, 1),)))
    store.keep_selection(cell, pool, selection)
    assert store.selection(cell) == (pool, selection)
    store.keep_selection(cell, pool, selection.without_farthest())
    assert store.selection(cell) == (
        pool,
        ExampleSelection(selection.chosen[1:], selection.left_out, selection.chosen[:1]),
    )


def test_a_pool_kept_for_a_cell_takes_no_name(store: Store, cell: int) -> None:
    store.keep_selection(cell, HOUSE, ExampleSelection((Selected(0, 1),)))
    assert [info.name for info in store.example_sets()] == [""]


def test_a_condition_comes_back_with_its_context(store: Store, session: int) -> None:
    examples = Examples(HOUSE, select="random", k=1)
    context = Context("plain", name="n", examples=examples, hint=Hint("free", text="h"), stops=("#",))
    store.add_cell(session, WHY, Condition("c", BASE, context), 1)
    (back,) = store.conditions(session)
    assert back.context == context
    assert back.context.examples is not None
    assert back.context.examples.pool.name == "house"


def test_hints_know_their_source_and_are_kept_once(store: Store, session: int, cell: int) -> None:
    source = store.add_sample(cell, result(2, "Diaries help."))
    made = NewHint("summary", "help", "demo-smollm2", "Sum up.", source.id, "abc", 4, 0.5, 1)
    hint = store.add_hint(session, WHY, made)
    assert store.add_hint(session, WHY, made).id == hint.id
    assert (hint.source_condition, hint.source_sample) == ("demo-base", 2)
    assert (hint.n_tokens, hint.give_away, hint.longest_quote) == (4, 0.5, 1)
    other = store.add_hint(session, WHY, NewHint("free", "by hand"))
    assert [h.id for h in store.hints(session, WHY)] == [hint.id, other.id]
    assert store.hints(session, Prompt.typed("another")) == []
    assert store.made_hint(session, WHY, "summary", "demo-smollm2", "Sum up.", "abc") == hint
    assert store.made_hint(session, WHY, "summary", "demo-smollm2", "Sum up.", "abcd") is None
    store.set_cell_hint(cell, hint.id)
    store.set_cell_hint(cell, other.id)
    store.set_sample_hint(source.id, hint.id)
    assert store.cell_hint(cell) == other
    assert sample_hint(store, source.id) == hint
    with pytest.raises(InputError, match="There is no session 9"):
        store.hints(9)


def test_prefills(store: Store, cell: int) -> None:
    assert store.prefill(cell) is None
    store.set_prefill(cell, "Well,")
    assert store.prefill(cell) == "Well,"
