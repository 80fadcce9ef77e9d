"""Files of older versions open with all they hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alignbench.spec import Condition, Prompt, content_hash
from alignbench.store import NewHint, Store, schema
from alignbench.store.sqlite import Database
from tests.support.samples import BASE, result

WHY, HOW = Prompt("q1", "Why?", "house"), Prompt("typed-1", "How?")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """Two sessions as the versions before prompts went by their ids have written them, with the same prompts."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(Database(connection), schema.MIGRATIONS[:9])
        for session in (1, 2):
            connection.execute("INSERT INTO sessions (id, name, created, updated) VALUES (?, 's', 'c', 'u')", [session])
        connection.execute("INSERT INTO models VALUES (1, 'demo-base', 'demo-base', 'base', 'abc')")
        for prompt in (WHY, HOW):
            connection.execute("INSERT INTO texts VALUES (?, ?)", [prompt.hash, prompt.text])
        for session, first in ((1, 7), (2, 70)):
            for place, prompt in enumerate((WHY, HOW)):
                row = [first + place, session, prompt.id, prompt.set, prompt.hash, place]
                connection.execute("INSERT INTO prompts VALUES (?, ?, ?, ?, ?, ?)", row)
            condition = Condition.zero_shot(BASE)
            connection.execute(
                "INSERT INTO conditions VALUES (?, ?, 'demo-base', 1, '{\"template\": \"plain\"}', ?, "
                "'{\"stop\": []}', 0, 'strict', ?, 0, 'abc')",
                [session, session, condition.context.hash, condition.hash],
            )
            for place in (0, 1):
                cell = first * 10 + place
                connection.execute("INSERT INTO cells VALUES (?, ?, ?, ?, 2, NULL, NULL)",
                                   [cell, session, first + place, session])  # fmt: skip
                for sample in (0, 1):
                    text = f"answer {cell} {sample}"
                    connection.execute(
                        "INSERT INTO samples (cell_id, sample, seed, status, finish_reason, created, text_hash, text, "
                        "raw_text) VALUES (?, ?, ?, 'done', 'stop', 'c', ?, ?, ?)",
                        [cell, sample, sample, content_hash(text), text, text],
                    )
            hint = (
                "INSERT INTO hints VALUES (NULL, ?, ?, 'summary', 'a hint', 'm', 't', NULL, '', NULL, NULL, NULL, 'c')"
            )
            connection.execute(hint, [session, HOW.hash])
            connection.execute(hint, [session, content_hash("of no prompt here")])
            connection.execute("INSERT INTO scores (session_id, prompt_id, condition_id, metric, version, parameters, "
                               "value, n, created) VALUES (?, ?, ?, 'm', '1', '{}', 0.5, 1, 'c')",
                               [session, first, session])  # fmt: skip
    return path


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def test_a_file_from_before_prompts_went_by_ids_keeps_every_row(old: Path) -> None:
    tables = ("sessions", "texts", "prompts", "models", "conditions", "cells", "samples", "scores")
    before = {table: rows(old, table) for table in tables}
    hints = [row[:13] for row in rows(old, "hints")]
    assert [len(before[table]) for table in tables] == [2, 2, 4, 1, 2, 4, 8, 2]
    with Store.open(old) as store:
        assert store.db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        assert store.db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        for session, cell in ((1, 70), (2, 700)):
            assert store.prompts(session) == [WHY, HOW]
            texts = [(row.prompt_id, row.prompt, row.text) for row in store.samples(session)]
            assert texts == [
                (prompt.id, prompt.text, f"answer {cell + place} {sample}")
                for place, prompt in enumerate((WHY, HOW))
                for sample in (0, 1)
            ]
            assert [hint.prompt_id for hint in store.hints(session)] == [HOW.id, None]
            assert (store.session(session).n_samples, store.session(session).n_prompts) == (4, 2)
        assert len(store.search("answer", 20)) == 8
    for table in tables:
        assert [row[: len(old_row)] for row, old_row in zip(rows(old, table), before[table], strict=True)] == before[
            table
        ]
    assert [row[:13] for row in rows(old, "hints")] == hints


def test_an_old_file_takes_two_prompts_of_one_text_and_goes_on_where_it_was(old: Path) -> None:
    condition = Condition.zero_shot(BASE)
    with Store.open(old) as store:
        assert store.add_cell(1, WHY, condition, 2) == 70
        assert store.stored_cells(1, condition)[WHY.key].there == {0, 1}
        again = store.add_cell(1, Prompt("q2", WHY.text), condition, 1)
        store.add_sample(again, result(0, "of q2"))
        assert [prompt.id for prompt in store.prompts(1)] == ["q1", "typed-1", "q2"]
        hint = store.add_hint(1, WHY, NewHint("free", "mine"))
        store.set_cell_hint(again, hint.id)
        store.delete_session(2)
        assert (store.session(1).n_samples, len(store.hints(1))) == (5, 3)
        assert store.db.execute("PRAGMA foreign_key_check").fetchall() == []
    with Store.open(old) as reopened:
        assert len(reopened.prompts(1)) == 3


def test_a_file_that_was_brought_up_to_date_is_as_a_new_one(old: Path, tmp_path: Path) -> None:
    def described(path: Path) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            indexes = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'table'")
            keys = [(each, *connection.execute(f"PRAGMA foreign_key_list({each})").fetchall()) for each in tables]
            columns = [(each, *connection.execute(f"PRAGMA table_info({each})").fetchall()) for each in tables]
            return sorted([*indexes.fetchall(), *keys, *columns], key=str)

    new = tmp_path / "new.db"
    for path in (old, new):
        Store.open(path).close()
    assert described(old) == described(new)
    assert not [row for row in described(new) if row[:1] == ("index",) and row[2] == "prompts" and row[3] is None]
