"""Sessions, notes, and what deleting one leaves behind."""

from __future__ import annotations

import numpy as np
import pytest

from alignbench.contexts.selection import ExampleSelection, Selected
from alignbench.errors import InputError
from alignbench.experiments.plan import make_plan
from alignbench.metrics.likelihood import TokenLogprobs
from alignbench.spec import Condition, Example, ExampleSet, Prompt, content_hash
from alignbench.store import Judgment, NewHint, Store
from alignbench.store.session_names import session_name
from tests.support.samples import ALIGNED, BASE, result


def test_a_session_counts_what_is_in_it(store: Store, session: int) -> None:
    cells = [store.add_cell(session, Prompt("q1", "One?"), Condition.zero_shot(model), 5) for model in (ALIGNED, BASE)]
    store.add_cell(session, Prompt("q2", "Two?"), Condition.zero_shot(BASE), 5)
    store.add_sample(cells[0], result(0, "done"))
    store.add_sample(cells[1], result(0, "part", "cancelled"))
    store.add_error(cells[1], 1, "broken")
    info = store.session(session)
    assert (info.name, info.reference) == ("first", "demo-smollm2")
    assert (info.n_prompts, info.n_conditions, info.n_samples, info.n_errors) == (2, 2, 1, 1)
    assert info.models == ("demo-smollm2", "demo-base")
    assert info.created <= info.updated


def test_sessions_are_listed_newest_first(store: Store) -> None:
    ids = [store.create_session(name) for name in "abc"]
    assert [info.id for info in store.sessions()] == ids[::-1]


def test_name_reference_layout_and_manifest(store: Store) -> None:
    session = store.create_session("draft", manifest={"versions": {"alignbench": "0.1.0"}})
    assert store.session(session).reference is None
    assert store.layout(session) == {}
    store.rename_session(session, "final")
    store.set_reference(session, "B")
    store.set_layout(session, {"columns": ["A", "B"], "n": 5, "prompt": "q\ud800"})
    info = store.session(session)
    assert (info.name, info.reference) == ("final", "B")
    assert store.layout(session) == {"columns": ["A", "B"], "n": 5, "prompt": "q\ud800"}
    assert store.manifest(session) == {"versions": {"alignbench": "0.1.0"}}
    store.set_reference(session, None)
    assert store.session(session).reference is None


def test_an_unknown_session_is_named_with_those_that_exist(store: Store) -> None:
    with pytest.raises(InputError, match=r"There is no session 7 in .*; it holds no sessions yet"):
        store.session(7)
    store.create_session("a")
    store.create_session("b")
    for ask in (store.session, store.layout, store.manifest, store.delete_session):
        with pytest.raises(InputError, match=r"There is no session 7 in .*; the newest are 2, 1"):
            ask(7)
    with pytest.raises(InputError, match="There is no session 7"):
        store.rename_session(7, "x")
    with pytest.raises(InputError, match="There is no session 7"):
        store.add_note(7, "x")


def test_notes_keep_their_order_and_text(store: Store, session: int) -> None:
    texts = ["shorter after alignment?", "[/]\x1b\ud800"]
    added = [store.add_note(session, text) for text in texts]
    assert store.notes(session) == added
    assert [note.text for note in added] == texts


def tables(store: Store) -> dict[str, int]:
    """Rows of each table, without the list of migrations and the insides of the search index."""
    names = (table for table in store.db.tables if not table.name.startswith(("_migrations", "samples_fts")))
    return {table.name: table.count for table in names}


def test_deleting_a_session_leaves_nothing_of_it_and_all_of_the_others(store: Store) -> None:
    vector = np.ones(4, np.float32)
    shared, own = Prompt("q1", "Shared?"), Prompt("q2", "Own?")
    first, second = store.create_session("first"), store.create_session("second")
    for session, prompts, model in ((first, (shared,), BASE), (second, (shared, own), ALIGNED)):
        for prompt in prompts:
            cell = store.add_cell(session, prompt, Condition.zero_shot(model), 5)
            store.set_rendered(cell, f"<{model.name}> {prompt.text}")
            store.keep_selection(cell, ExampleSet((Example(model.name, "So."),)), ExampleSelection((Selected(0, 1),)))
            hint = store.add_hint(session, prompt, NewHint("free", "a hint")).id
            store.set_cell_hint(cell, hint)
            store.set_prefill(cell, "Well,")
            tokens = TokenLogprobs(np.arange(2, dtype=np.int32), -np.ones(2, np.float32), np.ones(2, np.int32))
            for i, text in enumerate(("same everywhere", f"only in {session}")):
                store.add_likelihood("weights", content_hash("what came before"), content_hash(text), tokens)
                sample = store.add_sample(cell, result(i, text)).id
                store.set_sample_hint(sample, hint)
                store.add_judgments(session, [Judgment("stance", "me", "", sample, None, "na", {})])
                store.add_embeddings("mini", {content_hash(text): vector}, windows={content_hash(text): 1}, mode="mean")
        store.add_note(session, "n")
        store.tag_session(session, "t")
    kept = list(store.samples(first))
    store.delete_session(second)
    assert [info.id for info in store.sessions()] == [first]
    assert list(store.samples(first)) == kept
    assert store.prompts(first) == [shared]
    assert tables(store) == {
        "sessions": 1, "texts": 2, "prompts": 1, "models": 1, "conditions": 1, "cells": 1,
        "samples": 2, "sample_tokens": 2, "embeddings": 2, "likelihoods": 2, "scores": 0, "notes": 1, "judgments": 2,
        "example_sets": 1, "examples": 1, "selections": 1, "hints": 1, "cell_hints": 1, "sample_hints": 2,
        "cell_prefills": 1, "session_tags": 1, "option_masses": 0,
    }  # fmt: skip
    store.delete_session(first)
    assert sum(tables(store).values()) == 0
    assert store.search("everywhere", 9) == []


def test_tags_are_sorted_and_kept_once(store: Store, session: int) -> None:
    for tag in ("pilot", " paper ", "pilot", "[/]\ud800"):
        store.tag_session(session, tag)
    assert store.session(session).tags == ("paper", "pilot", "[/]\ud800")
    store.untag_session(session, "pilot")
    assert store.sessions()[0].tags == ("paper", "[/]\ud800")
    with pytest.raises(InputError, match=r"has no tag 'papers'. Did you mean paper\?"):
        store.untag_session(session, "papers")
    with pytest.raises(InputError, match="The tag is empty"):
        store.tag_session(session, " ")


def test_counts_follow_every_change_of_a_sample(store: Store, session: int, cell: int) -> None:
    def counts() -> tuple[int, int]:
        info = store.session(session)
        return info.n_samples, info.n_errors

    store.add_error(cell, 0, "late")
    store.add_sample(cell, result(1, "a", "cancelled"))
    store.add_sample(cell, result(2, "a"))
    assert counts() == (1, 1)
    store.add_sample(cell, result(0, "b"))
    store.add_error(cell, 1, "late")
    assert counts() == (2, 1)
    store.add_sample(cell, result(0, "a done one stays"))
    failed = Condition.zero_shot(ALIGNED)
    store.add_error(store.add_cell(session, Prompt("q1", "Why diaries?"), failed, 1), 0, "late")
    assert counts() == (2, 2)
    assert store.drop_condition_if_empty(session, failed.name)
    assert counts() == (2, 1)


def test_a_session_is_called_by_its_date_prompts_and_models_until_it_is_renamed(store: Store) -> None:
    session = store.create_session()
    day = store.session(session).created[:10]
    assert store.session(session).name == day
    typed, of_set = Prompt.typed("Why do people\nkeep [/] diaries?"), Prompt("q1", "One?", "open-ended")
    make_plan(store, session, [typed], [Condition.zero_shot(ALIGNED)], 1)
    assert store.session(session).name == f"{day} “Why do people” · demo-smollm2"
    make_plan(store, session, [of_set], [Condition.zero_shot(ALIGNED), Condition.zero_shot(BASE)], 1)
    assert store.session(session).name == f"{day} open-ended · demo-smollm2, demo-base"
    store.rename_session(session, "the pilot")
    make_plan(store, session, [Prompt("q2", "Two?", "other")], [Condition.zero_shot(BASE)], 1)
    assert store.session(session).name == "the pilot"
    with pytest.raises(InputError, match="The name is empty"):
        store.rename_session(session, "  ")


def test_long_names_are_cut_to_what_tells_sessions_apart() -> None:
    name = session_name("2026-11-28T20:00:00+00:00", [*"abcde"], "", ["m 1", "m\n2", "m3", "m4"])
    assert name == "2026-11-28 a, b, c and 2 more · m 1, m 2, m3 and 1 more"
    assert session_name("2026-11-28", [], "word " * 20, []) == "2026-11-28 “word word word word word word word word…”"


def test_the_session_that_was_changed_last(store: Store) -> None:
    assert store.last_session() is None
    first, second = store.create_session("a"), store.create_session("b")
    store.db.execute("UPDATE sessions SET updated = '2026-01-01' WHERE id = ?", [second])
    last = store.last_session()
    assert last is not None
    assert (last.info.id, last.others) == (first, 1)
