"""What a file does not say is not recorded anywhere, in sessions of older versions too."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.experiments.condition_changes import changes
from alignbench.exporting.samples import sample_rows
from alignbench.importing.save import save_import
from alignbench.scoring.endings import ending
from alignbench.scoring.truncation import session_truncations
from alignbench.session_diff import compare_sessions
from alignbench.spec import SETTINGS, Condition, Sampling, content_hash
from alignbench.store import Store
from alignbench.tui.condition_text import settings
from alignbench.tui.viewer.screen import facts
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.state import Bench
from tests.support.collected import read_jsonl
from tests.support.commands import alignbench
from tests.support.samples import BASE

ROW = {"prompt_id": "q1", "prompt": "Why?", "condition": "ours", "text": "No finish told."}
OLD = {**dict.fromkeys(("top_k", "min_p"), 0), "top_p": 1.0, "typical_p": 1.0, "repetition_penalty": 1.0,
       "temperature": 0.7, "max_tokens": 256, "stop": []}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return path


def imported(store: Store, file: Path) -> tuple[int, Condition]:
    session = save_import(store, read_jsonl(file)).session
    (condition,) = store.conditions(session)
    return session, condition


def test_settings_and_ends_are_null_in_the_store(store: Store, file: Path) -> None:
    session, condition = imported(store, file)
    assert condition.unrecorded == {*SETTINGS}
    assert condition.settings == dict.fromkeys(SETTINGS)
    row = next(store.samples(session))
    assert (row.seed, row.finish_reason, row.n_tokens, row.seconds, row.logprob) == (None,) * 5
    assert ending(row, condition) == "unknown"
    (counts,) = store.counts(session)
    assert (counts.samples, counts.truncated) == (1, None)
    assert session_truncations(store, session)["ours"].cut is None
    (exported,) = sample_rows(store, session)
    assert (exported["seed"], exported["finish_reason"]) == (None, None)
    assert store.stored_cells(session, condition), "its hash is found again"


def test_they_stay_so_in_merges_diffs_and_under_another_name(store: Store, file: Path) -> None:
    first, _ = imported(store, file)
    second, _ = imported(store, file)
    store.rename_condition(second, "ours", "theirs")
    assert store.counts(second)[0].truncated is None
    merged = store.merge_sessions([first, second], "both")
    assert {each.truncated for each in store.counts(merged)} == {None}
    assert all(condition.unrecorded for condition in store.conditions(merged))
    own = store.create_session("own")
    store.add_cell(own, store.prompts(first)[0], Condition.zero_shot(BASE, name="ours"), 1)
    (diff,) = compare_sessions(store, first, own).conditions
    assert diff.differs["temperature"] == ("not recorded", 0.7)


def test_the_app_shows_none_of_them(store: Store, file: Path) -> None:
    session, condition = imported(store, file)
    column = Column(condition, 1)
    sample = BenchSample.stored(next(store.samples(session)))
    assert settings(condition) == "settings not recorded"
    assert sample.words(condition.settings["max_tokens"]) == ""
    assert facts(sample, column) == "how it ended is not recorded   seed not recorded"
    told = {what: before for what, before, _ in changes(condition, Condition.zero_shot(BASE))}
    assert (told["temperature"], told["seed"], told["mode"]) == ("not recorded",) * 3
    bench = Bench(columns=[column])
    assert bench.reseeded(column).condition.hash != condition.hash, "and this comes to an end"


def test_a_part_may_be_known() -> None:
    known = Condition.zero_shot(BASE, sampling=Sampling(temperature=0.0))
    part = Condition.of_settings("c", BASE, known.context, {**dict.fromkeys(SETTINGS), "temperature": 0.0})
    assert part.unrecorded == {*SETTINGS} - {"temperature"}
    assert settings(part) == "T 0  others not recorded"
    assert Condition.of_settings(known.name, BASE, known.context, known.settings) == known
    assert replace(part, unrecorded=frozenset()).hash != part.hash


def test_reports_and_commands_say_so(file: Path) -> None:
    assert alignbench("import", "jsonl", str(file)).returncode == 0
    report = alignbench("report", "1", "--embedder", "none").stdout
    assert report.count("not recorded") >= 9
    assert "0.7" not in report.partition("Settings")[2].partition("\n\n")[0]
    assert "sampling parameters not recorded" in alignbench("sessions", "show", "1").stdout
    shown = json.loads(alignbench("sessions", "show", "1", "--json").stdout)
    assert shown["conditions"][0]["sampling"] == dict.fromkeys(OLD)
    assert (shown["conditions"][0]["seed"], shown["conditions"][0]["mode"]) == (None, None)


def test_sessions_of_older_versions_forget_what_they_made_up(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "old.db"
    with Store.open(path) as store:
        session, condition = imported(store, file)
    old = {"model": "imported:ours", "context": condition.context.hash, "sampling": OLD, "seed": 0, "mode": "strict"}
    with closing(sqlite3.connect(path)) as db, db:
        change = "UPDATE conditions SET sampling = ?, seed = 0, mode = 'strict', hash = ?"
        db.execute(change, (json.dumps(OLD), content_hash(old)))
        db.execute("UPDATE samples SET seed = 0, finish_reason = 'stop'")
        db.execute("DELETE FROM _migrations WHERE name = '0012_unrecorded_facts'")
    with Store.open(path) as store:
        assert store.conditions(session) == [condition]
        assert store.stored_cells(session, condition)
        assert next(store.samples(session)).finish_reason is None
        assert next(iter(store.db.query("PRAGMA integrity_check(1)"))) == {"integrity_check": "ok"}


def test_the_database_takes_null_where_older_ones_did_not(store: Store) -> None:
    columns = {row["name"]: row["notnull"] for row in store.db.query("PRAGMA table_info(samples)")}
    assert (columns["seed"], columns["finish_reason"], columns["status"]) == (0, 0, 1)
