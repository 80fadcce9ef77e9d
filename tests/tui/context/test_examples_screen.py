"""Edits of contexts, what parts two conditions, and versions of columns, as plain values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.contexts.rendering import NO_MODEL, own_content, render
from alignbench.engines.cancellable_pool import CancellablePool
from alignbench.errors import EngineError, InputError
from alignbench.experiments.audit import injected_text, leading
from alignbench.experiments.condition_changes import changes, context_words
from alignbench.experiments.confounds import studies
from alignbench.experiments.hint_maker import made_hint
from alignbench.spec import Condition, Context, EmbedderPrompt, Example, Examples, ExampleSet, Hint, Prompt, Sampling
from alignbench.store import Store
from alignbench.tui.bench.column import notice
from alignbench.tui.context import fields
from alignbench.tui.workbench import context_edits, persistence
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.state import Bench
from tests.support.app import ALIGNED, BASE
from tests.support.fakes import FakePool

ITEMS = tuple(Example(f"question {i}", f"answer {i}") for i in range(4))
PLAIN = Context("plain")
THREE = Context("plain", examples=Examples(ExampleSet(ITEMS, "four"), k=3))
THREE_MADE = Condition("with three", BASE, THREE)


def test_moving_keeps_every_example() -> None:
    assert context_edits.moved(ITEMS, 0, 1) == (ITEMS[1], ITEMS[0], *ITEMS[2:])
    assert context_edits.moved(ITEMS, 3, 1) == ITEMS
    assert context_edits.moved(ITEMS, 0, -1) == ITEMS


def test_an_edited_set_has_no_name_and_the_old_one_stays() -> None:
    edited = context_edits.with_items(THREE, ITEMS[1:])
    assert edited.examples is not None
    assert THREE.examples is not None
    assert (edited.examples.pool.name, edited.examples.pool.items) == ("", ITEMS[1:])
    assert THREE.examples.pool.name == "four"
    same = context_edits.with_items(THREE, ITEMS).examples
    assert same is not None
    assert same.pool.name == "four"
    assert context_edits.with_items(THREE, ()).examples is None


def test_a_sample_is_added_once_and_all_of_a_fixed_list_stay_all() -> None:
    context = PLAIN
    for item in ITEMS:
        context = context_edits.with_example(context, item)
    assert context.examples is not None
    assert (context.examples.pool.items, context.examples.k) == (ITEMS, None)
    with pytest.raises(InputError, match="example 2 already"):
        context_edits.with_example(context, ITEMS[1])
    with pytest.raises(InputError, match="samples of teacher"):
        context_edits.with_example(Context("plain", examples=Examples(condition="teacher")), ITEMS[0])


def test_stepping_through_choices_leaves_nothing_that_does_not_apply() -> None:
    nearest = fields.stepped(fields.stepped(THREE, "select", 1), "select", 1)
    assert nearest.examples is not None
    assert nearest.examples.select == "nearest-prompt"
    first = fields.stepped(nearest, "order", 1)
    last = fields.stepped(first, "order", 1)
    assert first.examples is not None
    assert last.examples is not None
    assert (first.examples.order, last.examples.order) == ("similar-first", "similar-last")
    back = fields.stepped(last, "select", -2)
    assert back == THREE, "order similar-last has no meaning for a fixed list"
    assert fields.stepped(THREE, "order", 1).examples.order == "shuffled"  # type: ignore[union-attr]
    with pytest.raises(InputError, match="no examples yet"):
        fields.stepped(PLAIN, "k", 1)


def test_hints_of_examples_are_a_choice_where_the_query_has_one() -> None:
    hinted = replace(THREE, hint=Hint("summary", condition="teacher", maker="teacher"))
    assert "hints" not in fields.fields_of(THREE)
    assert "hints" in fields.fields_of(hinted)
    made = fields.stepped(hinted, "hints", 1)
    assert made.examples is not None
    assert made.examples.hints
    assert context_words(made) == "3 examples with hints + summary"
    assert (fields.value_of(hinted, "hints"), fields.value_of(made, "hints")) == ("their own", "made of each")
    assert "examples" in {what for what, _, _ in changes(Condition("a", BASE, hinted), Condition("b", BASE, made))}


def test_relevance_duplicates_and_embedder_are_set_by_key_and_by_text(tmp_path: Path) -> None:
    nearest = fields.stepped(fields.stepped(THREE, "select", 1), "select", 1)
    assert [f for f in fields.fields_of(nearest) if f in fields.WRITTEN][1:5] == [
        "mmr", "embedder", "embedder_prompt", "near_duplicate",
    ]  # fmt: skip
    assert "mmr" not in fields.fields_of(THREE)
    on = fields.stepped(nearest, "mmr", 1)
    assert fields.value_of(on, "mmr") == ".50 similarity, .50 novelty"
    assert fields.value_of(fields.stepped(on, "mmr", 1), "mmr").startswith(".60")
    assert fields.written(on, "mmr", "off") == nearest
    assert fields.value_of(fields.written(on, "mmr", "0.85"), "mmr").startswith(".85")
    closer = fields.stepped(fields.written(THREE, "near_duplicate", "0.93"), "near_duplicate", -1)
    assert fields.value_of(closer, "near_duplicate") == ".90"
    own = fields.written(nearest, "embedder", str(tmp_path))
    assert own.examples is not None
    assert own.examples.embedder == str(tmp_path.resolve())
    assert fields.stepped(own, "select", 3).examples == THREE.examples
    asked = fields.written(own, "embedder_prompt", "Instruct: a\\nQuery: |d: ")
    assert asked.examples is not None
    assert asked.examples.embedder_prompt == EmbedderPrompt("Instruct: a\nQuery: ", "d: ")
    assert fields.as_written(asked, "embedder_prompt") == "Instruct: a\\nQuery: |d: "
    assert fields.written(asked, "embedder_prompt", "off") == own
    assert fields.stepped(asked, "select", 3).examples == THREE.examples
    for field, text in (
        ("mmr", "2.0"),
        ("near_duplicate", "0.0"),
        ("embedder", "no/such"),
        ("k", "x"),
        ("verbalized", "1"),
    ):
        with pytest.raises(InputError, match=f"{field} is '?{text}'?; expected"):
            fields.written(nearest, field, text)


def test_the_request_for_several_answers_comes_and_goes_with_them() -> None:
    chat = Context("chat")
    assert "verbalized" in fields.fields_of(chat)
    assert "verbalized" not in fields.fields_of(PLAIN)
    asked = fields.stepped(chat, "verbalized", 1)
    assert (asked.verbalized, "{answers}" in asked.instruction) == (2, True)
    assert context_words(asked) == "2 answers a reply"
    assert fields.written(asked, "verbalized", "off") == chat
    assert fields.stepped(Context("chat", instruction="Mine."), "verbalized", 1).instruction == "Mine."


@pytest.mark.parametrize(("value", "k"), [(1, 1), (2, 2), (4, 4), (5, None)])
def test_k_stays_within_the_set(value: int, k: int | None) -> None:
    assert fields.written(THREE, "k", str(value)).examples.k == k  # type: ignore[union-attr]


def test_what_parts_two_conditions() -> None:
    bare = Condition("a", BASE, PLAIN)
    hinted = replace(bare, name="b", context=replace(THREE, hint=Hint("summary", "in short")), seed=5)
    assert context_words(hinted.context) == "3 examples + summary by hand"
    assert [what for what, _, _ in changes(bare, hinted)] == ["examples", "hint", "seed"]
    assert changes(bare, replace(bare, name="other")) == []
    warm = replace(bare, sampling=replace(bare.sampling, repetition_penalty=1.1))
    assert changes(bare, warm) == [("repetition penalty", "1", "1.1")]


def test_what_is_under_study_follows_from_the_columns() -> None:
    base, aligned = Condition("b", BASE, PLAIN), Condition("a", ALIGNED, Context("chat"))
    assert studies(base, aligned) == [("model",), ("model", "context"), ("context",)]
    shown = replace(base, context=THREE)
    assert studies(shown, aligned)[0] == ("model", "context")
    assert studies(base, shown) == [("context",)]
    warm = replace(base, sampling=Sampling(temperature=1.0))
    assert studies(base, warm) == [("sampling",)]
    assert studies(warm, shown) == [("context",), ("sampling",)]
    assert studies(base, base.with_options(quantize="4bit")) == [("loading",)]
    assert studies(base, replace(base, seed=5)) == [()]


def with_samples(bench: Bench) -> None:
    bench.cell(bench.columns[bench.selected]).samples[0] = BenchSample(0, "done")


def a_bench() -> Bench:
    bench = Bench.ready([ALIGNED, BASE], [Prompt("p", "question", "set")], "set")
    bench.selected = 1
    with_samples(bench)
    return bench


def with_context(bench: Bench, context: Context) -> None:
    column = bench.columns[bench.selected]
    bench.change(column, Column(replace(column.condition, context=context), column.n))


def test_a_column_keeps_versions_that_have_samples_only() -> None:
    bench = a_bench()
    for context in (context_edits.with_example(PLAIN, ITEMS[0]), THREE):
        with_context(bench, context)
    column = bench.columns[1]
    assert [context_words(c.context) for c in column.history] == ["zero-shot", "3 examples"]
    assert (column.name, column.version, bench.columns[0].versions) == ("demo-base 2", 1, ())
    assert bench.show_version(0) == ""
    assert bench.columns[1].name == "demo-base"
    assert "no older version" in bench.show_version(-1)
    assert bench.show_version(1) == ""
    assert bench.columns[1].name == "demo-base 2", "what has no sample yet is not lost by looking back"


def test_versions_and_example_sets_come_back(tmp_path: Path) -> None:
    bench = a_bench()
    with_context(bench, replace(THREE, hint=Hint("keywords", "", "demo-aligned", 1, "demo-aligned", "{response}")))
    with Store.open(tmp_path / "x.db") as store:
        named = ExampleSet(ITEMS, "mine", "by hand")
        store.keep_example_set(named)
        session = persistence.create(store, bench)
        restored, _ = persistence.restore(store, session)
        assert store.example_set("mine") == named, "the set keeps its name"
    assert restored.columns == bench.columns
    assert [c.hash for c in restored.columns[1].history] == [c.hash for c in bench.columns[1].history]
    assert "demo-base 2" in restored.used


def test_a_set_that_is_gone_leaves_its_column_as_it_was(tmp_path: Path) -> None:
    bench = a_bench()
    with_context(bench, THREE)
    with Store.open(tmp_path / "x.db") as store:
        session = persistence.create(store, bench)
        for condition in bench.columns[1].history:
            cell = store.add_cell(session, bench.prompt, condition, 1)
            store.add_text(cell, 0, f"by {condition.name}", raw_text="", finish_reason="stop")
        other = persistence.create(store, bench)
        store.delete_session(session)
        assert persistence.restore(store, other)[0].columns == bench.columns, "a set that a layout names is kept"
        session = store.create_session("sampled")
        store.add_text(
            store.add_cell(session, bench.prompt, THREE_MADE, 1), 0, "kept", raw_text="", finish_reason="stop"
        )
        store.db.execute("PRAGMA foreign_keys = OFF")
        store.db.execute("DELETE FROM example_sets")
        for number in (other, session):
            restored, rows = persistence.restore(store, number)
            column = restored.columns[-1]
            assert column.hash == Column(replace(column.condition, context=THREE)).hash
            assert context_words(column.condition.context) == "examples that are gone"
            said = notice(column, restored.cell(column))
            assert said.startswith("The example set 'four'")
            assert "is not in the database any more" in said
            assert persistence.layout(restored)["columns"][-1]["condition"]["context"]["examples"]["set"] == "four"  # type: ignore[index]
        assert [row.text for row in rows] == ["kept"]
        assert restored.cell(column).samples[0].text == "kept"
        with pytest.raises(InputError, match="not in the database any more"):
            own_content(bench.prompt, column.condition.context)


def test_a_question_that_is_given_up_leaves_no_hint(tmp_path: Path) -> None:
    said: list[str] = []

    def report(doing: str) -> None:
        said.append(doing)
        if "writes" in doing:
            pool.stop()

    pool = CancellablePool(FakePool(), report=report)
    hint, prompt = Hint("summary", "", "a", 0, "demo-aligned", "{response}"), Prompt("p", "question")
    with Store.open(tmp_path / "x.db") as store:
        session = store.create_session("s")
        cell = store.add_cell(session, prompt, Condition.zero_shot(ALIGNED), 1)
        source = replace(store.add_error(cell, 0, "no text"), text="an answer")
        with pytest.raises(EngineError, match="Given up"):
            made_hint(store, pool, session, prompt, hint, source, ALIGNED)
        assert store.hints(session) == []
    assert said[0].startswith("loading demo-aligned")


def test_text_that_a_layout_adds_is_found() -> None:
    template = "<|im_start|>system\nYou are a friendly helper.<|im_end|>{{ query }}<|im_start|>assistant\n"
    around = Context("mine.jinja", source=template)
    assert "You are a friendly helper." in injected_text(render(Prompt("p", "Why?"), around, NO_MODEL).parts)
    assert injected_text(render(Prompt("p", "Why?"), PLAIN, NO_MODEL).parts) == ""


def test_a_marker_of_turns_is_no_second_bos() -> None:
    assert [leading(text, "<s>") for text in ("<s>a<s>b", "<s><s>a", "a<s>")] == [1, 2, 0]
    assert leading("a", "") == 0
