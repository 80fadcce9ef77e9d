"""Search over the texts of all samples, and its index in files that had none."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.store import Store, schema
from alignbench.store.connection import transaction
from alignbench.store.search import search_phrases
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


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("人们写日记是为了记住发生过的事情。", ("日记", "记", "写日记", '"日记是"')),
        ("Party 🎉 time, iPhone手机 is here", ("iPhone", "iphone手机", "手机 party", "IPHONE")),
        ("日本語の「カタカナ」とひらがな", ("カタカナ", "日本語", "ひら", "ｶﾀｶﾅ")),
        ("เขียนบันทึกประจำวัน", ("บันทึก", "วัน")),
        ("학교에서 일기를 쓴다", ("학교", "일기", "학교에서", "일기를 쓴")),
        ("मैं डायरी लिखता हूँ", ("डायरी", "लिखता")),
        ("كَتَبَ اليوميّات", ("كتب", "اليوميات")),
        (
            "straße İstanbul ﬁne naïve CAFÉ Ελλάς Ёлка",
            ("strasse", "istanbul", "fine", "naive", "cafe", "ελλασ", "елка"),
        ),
        ("𠀀𠀁 rare", ("𠀀", "𠀁 rare")),
        (
            "Don’t pay 3.14 for foo_bar, user@example.com",
            ("don't", "3.14", "foo_bar", "user@example.com", "bar", "don"),
        ),
        ("a caf\u00e9", ("caf\udce9",)),  # a byte of Latin-1, as a command line has it
        ("before\0after half \ud83d word", ("after", "before", "word")),
    ],
)
def test_words_of_every_script(store: Store, cell: int, text: str, queries: tuple[str, ...]) -> None:
    store.add_sample(cell, result(0, text))
    assert [query for query in queries if hits(store, query) != [0]] == []
    assert hits(store, "xyz") == []


def test_parts_of_other_words_are_not_found(store: Store, cell: int) -> None:
    store.add_sample(cell, result(0, "diary 日记本"))
    assert [hits(store, query) for query in ("diar", "日本", "记日")] == [[], [], []]


def test_a_file_with_another_index_gets_this_one(store: Store, cell: int) -> None:
    store.add_sample(cell, result(0, "写日记"))
    with transaction(store.db):
        for trigger in ("insert", "update", "delete"):
            store.db.execute(f"DROP TRIGGER samples_fts_{trigger}")
        for statement in (
            "DROP TABLE samples_fts",
            "ALTER TABLE samples DROP COLUMN words",
            "CREATE VIRTUAL TABLE samples_fts USING fts5(text, content='samples', content_rowid='id')",
            "DELETE FROM _migrations WHERE name = '0012_words'",
        ):
            store.db.execute(statement)
    with Store.open(store.path) as reopened:
        assert hits(reopened, "日记") == [0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_no_query_is_a_syntax_error(store: Store, query: str) -> None:
    try:
        search_phrases(query)
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
            "ALTER TABLE samples DROP COLUMN words",
            "DELETE FROM _migrations WHERE name IN ('0005_sessions', '0012_words')",
        ):
            store.db.execute(statement)
    assert "0005_sessions" not in schema.applied_migrations(store.db)
    with Store.open(store.path) as reopened:
        assert hits(reopened, "old") == [0]
        assert (reopened.session(session).n_samples, reopened.session(session).n_errors) == (1, 1)
