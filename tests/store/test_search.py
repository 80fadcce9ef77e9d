"""Search over the texts of all samples, and its index in files that had none."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.store import Store, schema
from alignbench.store.connection import transaction
from alignbench.store.search import match_expression
from tests.support.samples import result


def hits(store: Store, text: str) -> list[int]:
    return [each.sample for each in store.search(text, 10)]


def test_all_words_in_any_order_newest_first(store: Store, session: int, cell: int) -> None:
    for i, text in enumerate(("To keep a Café diary.", "A diary is kept", "the diary, keep it")):
        store.add_sample(cell, result(i, text))
    assert hits(store, "diary") == [2, 1, 0]
    assert hits(store, "DIARY keep") == [2, 0]
    assert hits(store, "cafe") == [0]
    assert hits(store, '"diary keep"') == [2]
    assert hits(store, "nothing") == []
    assert [each.sample for each in store.search("diary", 1)] == [2]
    (first,) = store.search("cafe", 10)
    assert (first.session, first.prompt_id, first.condition) == (session, "q1", "demo-base")
    assert first.snippet == "To keep a Café diary."


def test_a_snippet_is_around_the_match(store: Store, cell: int) -> None:
    store.add_sample(cell, result(0, "before " * 100 + "needle" + " after" * 100))
    (one,) = store.search("needle", 10)
    assert "before needle after" in one.snippet
    assert one.snippet.startswith("…")
    assert one.snippet.endswith("…")
    assert len(one.snippet.split()) < 30


def test_the_index_follows_changes(store: Store, session: int, cell: int) -> None:
    store.add_sample(cell, result(0, "half an ans", "cancelled"))
    assert hits(store, "half") == [0]
    store.add_sample(cell, result(0, "a whole answer"))
    assert (hits(store, "half"), hits(store, "whole")) == ([], [0])
    store.delete_session(session)
    assert hits(store, "whole") == []
    store.db.execute("INSERT INTO samples_fts(samples_fts, rank) VALUES ('integrity-check', 1)")


@pytest.mark.parametrize(
    ("query", "there"),
    [("AND", 1), ("keep* OR", 0), ('"', None), ("NEAR(keep, 2)", 0), ("text:keep", 0), ("^keep - -keep", 1),
     ("keep \x00 x", 0), ("\ud800 keep", 1), ("…!?", None), ('"open', 0), ("{keep}", 1), ('"keep" AND "and"', 1)],
)  # fmt: skip
def test_a_query_is_data(store: Store, cell: int, query: str, there: int | None) -> None:
    store.add_sample(cell, result(0, "keep and \ud800 hold"))
    if there is None:
        with pytest.raises(InputError, match="There is no word to search for"):
            store.search(query, 10)
    else:
        assert len(store.search(query, 10)) == there


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_no_query_is_a_syntax_error(store: Store, query: str) -> None:
    try:
        match_expression(query)
    except InputError:
        return
    assert store.search(query, 10) == []


def test_a_file_without_an_index_gets_one(store: Store, session: int, cell: int) -> None:
    store.add_sample(cell, result(0, "an old diary"))
    store.add_error(cell, 1, "late")
    with transaction(store.db):  # back to what files were like before
        for trigger in ("insert", "update", "delete"):
            store.db.execute(f"DROP TRIGGER samples_fts_{trigger}")
            store.db.execute(f"DROP TRIGGER samples_count_{trigger}")
        for statement in (
            "DROP TRIGGER cells_samples_first",
            "DROP TABLE samples_fts",
            "DROP TABLE session_tags",
            "ALTER TABLE sessions DROP COLUMN n_samples",
            "ALTER TABLE sessions DROP COLUMN n_errors",
            "DELETE FROM _migrations WHERE name = '0005_sessions'",
        ):
            store.db.execute(statement)
    assert "0005_sessions" not in schema.applied_migrations(store.db)
    with Store.open(store.path) as reopened:
        assert hits(reopened, "old") == [0]
        assert (reopened.session(session).n_samples, reopened.session(session).n_errors) == (1, 1)
