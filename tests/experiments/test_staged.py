"""Contexts that are made of other conditions' samples, on the deterministic pool and a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench.contexts.source_samples import needed_conditions, samples_in_context, unknown_conditions
from alignbench.engines.embedder import DEFAULT_EMBEDDER, embedder_name
from alignbench.engines.protocol import Embedded, Failed
from alignbench.errors import InputError
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import CellFailed, CellPrepared, RunEvent
from alignbench.experiments.staged import StagedRun
from alignbench.spec import (
    Condition,
    Context,
    EmbedderPrompt,
    Example,
    Examples,
    ExampleSet,
    Hint,
    Model,
    Prefill,
    Prompt,
    Sampling,
)
from alignbench.store import Store
from tests.support.fakes import FakePool
from tests.support.stored import sample_hint

GOOD, RAW = Model("good", "demo-smollm2", "aligned"), Model("raw", "demo-base", "base")
TEACHER = Condition.zero_shot(GOOD)
PROMPTS = [Prompt("p1", "apples and pears"), Prompt("p2", "pears and plums"), Prompt("p3", "zebras in zoos")]
ITEMS = (Example("apples", "red"), Example("plums", "blue"), Example("zoos", "grey"))


@dataclass
class Pool(FakePool):
    """Embeds a text as the counts of its letters."""

    embedded: int = 0
    model: str = DEFAULT_EMBEDDER
    prefixes: list[tuple[str | None, tuple[str, ...]]] = field(default_factory=list)

    def embed(
        self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None], prefix: str | None = None
    ) -> None:
        self.embedded += len(texts)
        self.prefixes.append((prefix, texts))
        counts = np.array([[text.count(chr(97 + i)) for i in range(26)] for text in texts], np.float32)
        vectors = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        sink(Embedded(0, vectors, tuple(1 for _ in texts), self.model))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def under(context: Context, **changes: Any) -> Condition:
    return replace(Condition("raw + context", RAW, context), **changes)


def run(store: Store, session: int, pool: Pool, *conditions: Condition, n: int = 2) -> list[RunEvent]:
    return list(StagedRun(make_plan(store, session, PROMPTS, conditions, n), pool, store, pool))


def rendered(store: Store, session: int, condition: str) -> dict[str, str]:
    cells = [cell for cell in store.cells(session) if cell.condition == condition]
    return {cell.prompt_id: store.rendered(cell.id) or "" for cell in cells}


def errors(store: Store, session: int) -> set[str]:
    return {row.error or "" for row in store.samples(session) if row.status == "error"}


def test_nearest_examples_of_the_teacher_never_hold_the_prompt_itself(store: Store) -> None:
    session = store.create_session("t", reference="good")
    context = Context("plain", examples=Examples(condition="good", select="nearest-prompt", k=1))
    events = run(store, session, Pool(), under(context), TEACHER)  # the teacher comes second, and is drawn first
    assert not errors(store, session)
    texts = rendered(store, session, "raw + context")
    assert "# Query:\n```\npears and plums" in texts["p1"].removesuffix("apples and pears\n```\n\n# Answer:\n```\n")
    assert texts["p2"].count("pears and plums") == 1
    assert "apples and pears" in texts["p2"]
    answer = next(row.text for row in store.samples(session) if (row.prompt_id, row.condition) == ("p2", "good"))
    assert answer.strip() in texts["p1"]
    assert sum(isinstance(event, CellPrepared) for event in events) == 3


def test_what_was_selected_is_stored_with_rank_and_similarity(store: Store) -> None:
    session = store.create_session("t")
    examples = Examples(ExampleSet(ITEMS), select="nearest-prompt", k=2, near_duplicate=1.0)
    run(store, session, Pool(), under(Context("plain", examples=examples)))
    selection = store.selection(store.cells(session)[0].id)
    assert selection is not None
    assert [selection[0].items[selected.index].prompt for selected in selection[1].chosen] == ["apples", "plums"]
    assert [selected.rank for selected in selection[1].chosen] == [1, 2]
    similarities = [selected.similarity or 0.0 for selected in selection[1].chosen]
    assert 1 > similarities[0] > similarities[1] > 0


def test_nearest_response_looks_at_the_teachers_answer(store: Store) -> None:
    session = store.create_session("t", reference="good")
    pool = Pool(texts={"good": ["red red grey"]})
    examples = Examples(ExampleSet(ITEMS), select="nearest-response", k=1)
    run(store, session, pool, TEACHER, under(Context("plain", examples=examples)))
    assert all("```\nred\n```" in text for text in rendered(store, session, "raw + context").values())


def test_neighbours_by_form_need_no_embeddings(store: Store) -> None:
    session = store.create_session("t", reference="good")
    pool = Pool(texts={"good": ["Well:\n\n- one\n- two\n- three"]})
    items = (Example("apples", "red and round"), Example("plums", "So:\n\n- blue\n- small\n- sweet"))
    examples = Examples(ExampleSet(items), select="nearest-format", k=1)
    condition = under(Context("plain", examples=examples))
    assert needed_conditions(condition.context, "good") == {"good"}
    assert samples_in_context(condition.context, "good") == {0}
    run(store, session, pool, TEACHER, condition)
    assert all("- blue" in text for text in rendered(store, session, "raw + context").values())
    assert pool.embedded == 0


def test_query_and_examples_are_embedded_after_their_own_prompts(store: Store) -> None:
    examples = Examples(ExampleSet(ITEMS), select="nearest-prompt", k=1, embedder_prompt=EmbedderPrompt("q: ", "d: "))
    pool, texts = Pool(), tuple(item.prompt for item in ITEMS)
    run(store, store.create_session("t"), pool, under(Context("plain", examples=examples)))
    assert sorted(pool.prefixes, key=str) == [("d: ", texts), *(("q: ", (prompt.text,)) for prompt in PROMPTS)]
    bare = Pool()
    plain = under(Context("plain", examples=replace(examples, embedder_prompt=None)))
    run(store, store.create_session("u"), bare, plain)
    assert {prefix for prefix, _ in bare.prefixes} == {None}
    assert bare.embedded == len(ITEMS) + len(PROMPTS)  # vectors of other texts are other vectors


def test_a_model_that_wants_a_prefix_gets_what_it_asks_for_or_is_refused(store: Store, tmp_path: Path) -> None:
    session = store.create_session("t")
    model = tmp_path / "model"
    model.mkdir()
    config = model / "config_sentence_transformers.json"
    examples = Examples(ExampleSet(ITEMS), select="nearest-prompt", k=1, embedder=str(model))
    config.write_text('{"prompts": {"web": "w: ", "sts": "s: "}}')
    preparer = Preparer(store, Pool(), session, None)
    with pytest.raises(InputError, match=r"prompts for tasks \(sts, web\).*examples.embedder_prompt"):
        preparer.selection(PROMPTS[0], examples)
    config.write_text('{"prompts": {"query": "q: ", "document": "d: "}}')
    pool = Pool(model=embedder_name(model))
    preparer._embedders[str(model)] = pool  # type: ignore[assignment]  # in place of a process of its own
    preparer.selection(PROMPTS[0], examples)
    assert [prefix for prefix, _ in pool.prefixes] == ["q: ", None], "a model writes its own before documents"


def test_the_index_is_built_once_and_kept(store: Store) -> None:
    examples = Examples(ExampleSet(ITEMS), select="nearest-prompt", k=1)
    condition = under(Context("plain", examples=examples))
    pool = Pool()
    run(store, store.create_session("t"), pool, condition)
    assert pool.embedded == len(ITEMS) + len(PROMPTS)
    again = Pool()
    run(store, store.create_session("u"), again, condition)
    assert again.embedded == 0


def test_a_hint_is_made_of_the_teachers_sample_and_kept(store: Store) -> None:
    session = store.create_session("t")
    pool = Pool(texts={"good": ["One two three four five six seven eight nine."], "maker": ["short hint"]})
    hint = Hint("summary", condition="good", sample=1, maker="good", template="Sum up: {response}")
    events = run(store, session, pool, under(Context("plain", hint=hint)), TEACHER)
    rows = store.hints(session)
    assert len(rows) == 3
    assert {row.text for row in rows} == {"One two three four five six seven eight nine."}
    assert {(row.source_condition, row.source_sample, row.longest_quote, row.give_away) for row in rows} == {
        ("good", 1, 9, 1.0)
    }
    assert all("# Summary:\n```\nOne two" in text for text in rendered(store, session, "raw + context").values())
    notes = [note for event in events if isinstance(event, CellPrepared) for note in event.notes]
    assert notes == ["the hint quotes 9 words in a row from its source"] * 3
    again = Pool()
    run(store, session, again, under(Context("plain", hint=hint)), TEACHER, n=3)
    asked = [request for name, request in again.requests if "Sum up" in request.query]
    assert asked == []  # a resumed run makes no hint again


def test_the_name_of_a_model_means_what_it_means_in_the_session(store: Store) -> None:
    """And not what it means elsewhere: here nothing, and of an older demo-aligned another model."""
    session = store.create_session("t")
    teacher = Condition("hot", Model("tuned", "demo-smollm2", "aligned"), Context("chat"))
    pool = Pool(texts={"tuned": ["A short answer."]})
    hint = Hint("summary", condition="hot", maker="tuned", template="Sum up: {response}")
    run(store, session, pool, under(Context("plain", hint=hint)), teacher)
    assert not errors(store, session)


def test_every_example_of_a_teacher_gets_a_hint_of_its_own_answer(store: Store) -> None:
    session = store.create_session("t")
    pool = Pool(texts={"good": ["An answer."], "maker": ["In short."]})
    hint = Hint("summary", condition="good", maker="maker", template="Sum up {prompt}: {response}")
    examples = Examples(condition="good", select="random", k=2, hints=True)
    maker = Condition(
        "maker", Model("maker", "demo-smaller", "aligned"), Context("chat")
    )  # another one than the teacher
    conditions = (TEACHER, maker, under(Context("plain", examples=examples, hint=hint)))
    run(store, session, pool, *conditions, n=1)
    assert not errors(store, session)
    for text in rendered(store, session, "raw + context").values():
        assert text.count("# Summary:\n```\nIn short.\n```\n\n# Answer:") == 3  # of two examples and of the query
    asked = [request.query for name, request in pool.requests if name == "maker" and "Sum up" in request.query]
    assert len(asked) == len(set(asked)) == len(PROMPTS)  # an example's hint is that of the prompt it answers
    assert {(row.source_condition, row.source_sample) for row in store.hints(session)} == {("good", 0)}

    kept = store.selection(next(cell.id for cell in store.cells(session) if cell.condition == "raw + context"))
    assert kept is not None
    assert [example.hint for example in kept[1].examples(kept[0].items)] == ["In short."] * 2
    again = Pool(texts=pool.texts)
    run(store, session, again, *conditions, n=2)
    assert not [request for name, request in again.requests if "Sum up" in request.query]


@pytest.mark.extras
def test_hints_are_made_of_examples_of_a_set_too_and_kept_for_the_next_prompt(store: Store) -> None:
    session = store.create_session("t")
    pool = Pool(texts={"demo-smollm2": ["In short."], "raw": ["first\n```\n\n# Answer:\n```\nlong\n"]})
    own = (Example("apples", "red"), Example("plums", "blue", "own"))
    examples = Examples(ExampleSet(own), hints=True)
    run(store, session, pool, under(Context("plain", examples=examples, hint=Hint("first", maker="demo-smollm2"))), n=1)
    texts = rendered(store, session, "raw + context").values()
    assert all("\nown\n" in text and text.count("# Summary:\n```\nIn short.\n") == 1 for text in texts)
    asked = [request.query for name, request in pool.requests if name == "demo-smollm2"]
    assert len(asked) == 1
    assert "Answer: red" in asked[0]


def test_a_maker_that_answers_nothing_fails_its_cells_alone(store: Store) -> None:
    session = store.create_session("t")
    hint = Hint("summary", condition="good", maker="raw", template="Sum up: {response}")
    maker = under(Context("plain"), name="raw")
    pool = Pool(texts={"raw": [" "]})
    events = run(store, session, pool, TEACHER, maker, under(Context("plain", hint=hint)))
    assert next(e.message for e in events if isinstance(e, CellFailed)) == (
        "raw gave no summary for the prompt p1: it answered nothing."
    )
    assert len(errors(store, session)) == 3
    assert sum(row.status == "done" for row in store.samples(session)) == 2 * 2 * 3


def test_a_hint_written_first_is_parsed_off_and_kept(store: Store) -> None:
    session = store.create_session("t")
    text = "in short\n```\n\n# Answer:\n```\nat length\n"
    run(store, session, Pool(texts={"raw": [text]}), under(Context("plain", hint=Hint("first"))))
    rows = list(store.samples(session))
    assert {row.text for row in rows} == {"at length"}
    assert {row.raw_text for row in rows} == {text}
    hints = [sample_hint(store, row.id) for row in rows]
    assert {(hint.text, hint.level, hint.maker) for hint in hints if hint} == {("in short", "first", "raw")}
    assert all(hints)


def test_the_thoughts_of_a_reasoning_model_are_no_part_of_its_answer(store: Store) -> None:
    session = store.create_session("t")
    pool = Pool(texts={"good": ["<think>\nhm\n</think>\n\nYes.", "<think>\nstill thinking", "No thoughts. "]})
    run(store, session, pool, Condition("good", GOOD, Context("chat", thinking_end="</think>")), n=3)
    rows = [row for row in store.samples(session) if row.prompt_id == "p1"]
    assert [row.text for row in rows] == ["Yes.", "", "No thoughts. "]
    assert [row.thinking for row in rows] == ["hm", "still thinking", None]
    assert {request.thinking_end for _, request in pool.requests} == {"</think>"}
    assert rows[0].raw_text.startswith("<think>")


def test_a_prefill_is_the_first_tokens_of_the_teachers_answer(store: Store) -> None:
    session = store.create_session("t")
    pool = Pool(texts={"good": ["Indeed it is."]})
    context = Context("plain", prefill=Prefill(condition="good", tokens=6))
    run(store, session, pool, TEACHER, under(context))
    assert all(text.endswith("# Answer:\n```\nIndeed") for text in rendered(store, session, "raw + context").values())


def test_examples_that_do_not_fit_are_dropped_from_the_farthest_or_refused(store: Store) -> None:
    session = store.create_session("t")
    long = tuple(Example(word, f"{word} " * 120) for word in ("apples", "plums", "zoos"))
    examples = Examples(ExampleSet(long), select="nearest-prompt", k=3, near_duplicate=1.0)
    sampling = Sampling(max_tokens=200)  # of a window of 2048, a token a byte
    events = run(store, session, Pool(), under(Context("plain", examples=examples), sampling=sampling))
    notes = {note for event in events if isinstance(event, CellPrepared) for note in event.notes}
    assert notes == {"1 of 3 examples dropped: they do not fit the window"}
    selection = store.selection(store.cells(session)[0].id)
    assert selection is not None
    assert [long[selected.index].prompt for selected in selection[1].dropped] == ["zoos"]
    refusing = under(Context("plain", examples=examples, overflow="refuse"), sampling=sampling, name="refusing")
    run(store, session, Pool(), refusing)
    (message,) = {error[:16] for error in errors(store, session)}
    assert message == "The context has "
    assert all("context window is 2048" in error for error in errors(store, session))


def test_a_prompt_alone_that_does_not_fit_is_refused_with_the_numbers(store: Store) -> None:
    session = store.create_session("t")
    condition = under(Context("plain", instruction="word " * 500, examples=Examples(ExampleSet(ITEMS))))
    run(store, session, Pool(), condition)
    assert all("context window is 2048" in error for error in errors(store, session))


def test_resuming_uses_the_selection_that_is_stored(store: Store) -> None:
    session = store.create_session("t", reference="good")
    context = Context("plain", examples=Examples(condition="good", select="nearest-prompt", k=1))
    run(store, session, Pool(), TEACHER, under(context))
    before = rendered(store, session, "raw + context")
    store.add_cell(session, Prompt("p4", "apples and pears too"), TEACHER, 2)
    plan = make_plan(store, session, [*PROMPTS, Prompt("p4", "apples and pears too")], (TEACHER, under(context)), 3)
    list(StagedRun(plan, Pool(), store, Pool()))
    after = rendered(store, session, "raw + context")
    assert {id: after[id] for id in before} == before
    assert len(after) == 4


def test_a_preview_counts_the_tokens_of_each_part(store: Store) -> None:
    session = store.create_session("t")
    context = Context("plain", instruction="Be kind.", examples=Examples(ExampleSet(ITEMS[:2])))
    shown = Preparer(store, Pool(), session, None).compose(PROMPTS[2], under(context)).preview
    assert shown is not None
    assert shown.text.startswith("<s># Instructions:")
    assert [(part.kind, part.number, part.n_tokens) for part in shown.parts[:3]] == [
        ("special", 0, 1),
        ("instruction", 0, len("# Instructions:\n\nBe kind.\n\n")),
        ("example", 1, len("# Query:\n```\napples\n```\n\n# Answer:\n```\nred\n```\n\n")),
    ]
    assert sum(part.n_tokens for part in shown.parts) == shown.n_tokens == len(shown.text) - 2
    assert shown.share == pytest.approx((shown.n_tokens + 256) / 2048)


def test_what_a_context_needs() -> None:
    context = Context(
        "plain",
        examples=Examples(ExampleSet(ITEMS), select="nearest-response", k=1),
        hint=Hint("summary", condition="a", maker="m", template="{response}"),
        prefill=Prefill(condition="b", tokens=1),
    )
    assert needed_conditions(context, "ref") == {"ref", "a", "b"}
    assert unknown_conditions([context, Context("plain")], "ref", ["ref", "a"]) == ["b"]


def test_a_circle_fails_with_the_sample_that_is_not_there(store: Store) -> None:
    session = store.create_session("t")
    context = Context("plain", examples=Examples(condition="raw + context", select="random", k=1))
    run(store, session, Pool(), under(context))
    assert errors(store, session) == {f"raw + context has no sample 0 in session {session} to take for an example."}


def test_cancelling_stops_the_preparation(store: Store) -> None:
    session = store.create_session("t")
    examples = Examples(ExampleSet(ITEMS), select="random", k=1)
    plan = make_plan(store, session, PROMPTS, (under(Context("plain", examples=examples)),), 1)
    work = StagedRun(plan, Pool(), store, None)
    for event in work:
        if isinstance(event, CellPrepared):
            work.cancel()
    assert list(store.samples(session)) == []


def test_a_cancelled_cell_is_not_prepared_and_the_others_are(store: Store) -> None:
    session = store.create_session("t")
    examples = Examples(ExampleSet(ITEMS), select="random", k=1)
    plan = make_plan(store, session, PROMPTS, (under(Context("plain", examples=examples)),), 1)
    work = StagedRun(plan, Pool(), store, None)
    work.cancel(plan.cells[1].id)
    prepared = [event.cell for event in work if isinstance(event, CellPrepared)]
    assert prepared == [plan.cells[0], plan.cells[2]]
    assert {row.prompt_id for row in store.samples(session)} == {"p1", "p3"}


def test_a_teacher_without_a_name_needs_a_reference(store: Store) -> None:
    session = store.create_session("t")
    context = Context("plain", examples=Examples(ExampleSet(ITEMS), select="nearest-response", k=1))
    with pytest.raises(InputError, match="needs a teacher"):
        Preparer(store, Pool(), session, None).compose(PROMPTS[0], under(context))


def test_a_hint_by_hand_is_kept_with_its_cell_and_not_with_a_preview(store: Store) -> None:
    session = store.create_session("t")
    condition = under(Context("plain", hint=Hint("keywords", text="one, two")))
    shown = Preparer(store, Pool(), session, None).compose(PROMPTS[0], condition)
    assert "# Keywords:\n```\none, two\n```" in (shown.preview.text if shown.preview else "")
    assert store.hints(session) == []
    run(store, session, Pool(), condition)
    kept = store.cell_hint(store.cells(session)[0].id)
    assert kept is not None
    assert (kept.level, kept.text, kept.maker, kept.n_tokens) == ("keywords", "one, two", "", len("one, two"))


def test_prompts_of_one_text_have_contexts_of_their_own_answers(store: Store) -> None:
    session = store.create_session("t", reference="good")
    said = {"a": "It is so.", "b": "It is not so.", "c": "It is so."}
    prompts = [Prompt(id, "Is it so?") for id in said]
    for prompt in prompts:
        cell = store.add_cell(session, prompt, TEACHER, 1)
        store.add_text(cell, 0, said[prompt.id], raw_text="", finish_reason="stop")
    hint = Hint("summary", condition="good", maker="good", template="{response}")
    taught = under(Context("plain", hint=hint, prefill=Prefill(condition="good", tokens=20)))
    pool = Pool()
    list(StagedRun(make_plan(store, session, prompts, [taught], 1), pool, store, pool))
    assert not errors(store, session)
    hints = {each.prompt_id: each for each in store.hints(session)}
    cells = {cell.prompt_id: cell.id for cell in store.cells(session) if cell.condition == "raw + context"}
    answers = {row.prompt_id: row for row in store.samples(session) if row.condition == "good"}
    assert hints.keys() == said.keys()
    for id, answer in answers.items():
        assert hints[id].source_id == answer.id
        assert store.cell_hint(cells[id]) == hints[id]
        assert store.prefill(cells[id]) == said[id]
    assert hints["a"].text == hints["c"].text
    asked = [request for name, request in pool.requests if name == "good" and request.alone]
    assert len(asked) == 2  # one text needs one hint, whoever said it
    assert make_plan(store, session, prompts, [taught], 1).n_missing == 0
