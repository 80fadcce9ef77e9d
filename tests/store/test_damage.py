"""A row that cannot be read is left out, with a note, and hides nothing else."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from alignbench import open as open_database
from alignbench.errors import StoreError
from alignbench.judging.summary import judgments_of
from alignbench.spec import Condition, Prompt, content_hash
from alignbench.store import Judgment, NewHint, PairScore, Store
from tests.support.commands import alignbench
from tests.support.samples import ALIGNED, BASE, result

READING = (
    ["sessions", "show", "1"],
    ["sessions", "search", "because"],
    ["sessions", "compare", "1", "2"],
    ["export", "overton", "1", "OUT"],
    ["report", "1", "--embedder", "none", "--format", "json"],
    ["export", "csv", "2"],
    ["sessions", "merge", "1", "2"],
    ["sessions", "delete", "2", "--yes"],
)
NO_UTF8 = "CAST(X'ff4142' AS TEXT)"
DAMAGE = {  # what is done to the file, and what the note names
    "sample, text no UTF-8": (f"UPDATE samples SET text = {NO_UTF8} WHERE id = 1", "sample 1 of session 1"),
    "sample, text no text": ("UPDATE samples SET text = X'ff' WHERE id = 1", "sample 1 of session 1"),
    "sample, no text": ("UPDATE samples SET text = NULL WHERE id = 1", "sample 1 of session 1"),
    "sample, status": ("UPDATE samples SET status = 'paused' WHERE id = 1", "status is 'paused'"),
    "sample, finish": ("UPDATE samples SET finish_reason = 'tool' WHERE id = 1", "finish_reason is 'tool'"),
    "sample, seed": ("UPDATE samples SET seed = 'x' WHERE id = 1", "seed is 'x'"),
    "sample, seconds": ("UPDATE samples SET seconds = 'soon' WHERE id = 1", "seconds is 'soon'"),
    "sample, tokens": ("UPDATE samples SET n_tokens = 1.5 WHERE id = 1", "n_tokens is 1.5"),
    "condition, JSON": ("UPDATE conditions SET context = '{' WHERE id = 1", "condition 'demo-base' of session 1"),
    "condition, unknown": (
        """UPDATE conditions SET context = '{"template": "plain", "tools": []}' WHERE id = 1""",
        "condition 'demo-base' of session 1",
    ),
    "condition, sampling": (
        "UPDATE conditions SET sampling = json_set(sampling, '$.top_h', 1) WHERE id = 1",
        "condition 'demo-base' of session 1",
    ),
    "condition, no sampling": ("UPDATE conditions SET sampling = NULL WHERE id = 1", "'demo-base' of session 1"),
    "condition, mode": ("UPDATE conditions SET mode = 'turbo' WHERE id = 1", "mode is 'turbo'"),
    "condition, name": (f"UPDATE conditions SET name = {NO_UTF8} WHERE id = 1", r"condition '\\xffAB' of session 1"),
    "reference": ("UPDATE conditions SET context = '[1]' WHERE id = 2", "condition 'demo-smollm2' of session 1"),
    "prompt": (f"UPDATE prompts SET name = {NO_UTF8} WHERE id = 1", r"prompt '\\xffAB' of session 1"),
    "text": (f"UPDATE texts SET text = {NO_UTF8} WHERE rowid = 1", "prompt 'q0' of session 1"),
    "text gone": ("DELETE FROM texts WHERE rowid = 1", "prompt 'q0' of session 1"),
    "manifest": ("UPDATE sessions SET manifest = '{broken' WHERE id = 1", "the manifest of session 1"),
    "manifest, nested": (
        """UPDATE sessions SET manifest = '{"imported": [1], "experiment": 3}' WHERE id = 1""",
        "imported in the manifest of session 1",
    ),
    "layout": ("UPDATE sessions SET layout = '[]' WHERE id = 1", "the layout of session 1"),
    "session": (f"UPDATE sessions SET name = {NO_UTF8}, created = NULL WHERE id = 1", ""),
    "reference, no text": ("UPDATE sessions SET reference = X'ff' WHERE id = 1", "the reference of session 1"),
    "cell": ("UPDATE cells SET n = X'ff' WHERE id = 1", ""),
    "note": ("UPDATE notes SET text = X'ff', created = NULL WHERE id = 1", ""),
    "judgment, JSON": ("UPDATE judgments SET fields = '{' WHERE id = 1", "judgment 1 of session 1"),
    "judgment, template": ("UPDATE judgments SET template_hash = X'ff' WHERE id = 1", "judgment 1 of session 1"),
    "hint, level": ("UPDATE hints SET level = 'word' WHERE id = 1", "level is 'word'"),
    "hint, number": ("UPDATE hints SET give_away = 'all' WHERE id = 1", "give_away is 'all'"),
    "judgment, field": ("""UPDATE judgments SET fields = '{"clarity": "good"}' WHERE id = 1""", "judgment 1"),
    "judgment, status": ("UPDATE judgments SET status = 'open' WHERE id = 1", "judgment 1 of session 1"),
    "score": ("UPDATE scores SET parameters = '{\"reference_sample\"' WHERE id = 1", "score 1 of session 1"),
    "score, value": ("UPDATE scores SET value = 'high' WHERE id = 1", "score 1 of session 1"),
    "hint": ("UPDATE hints SET text = X'ff' WHERE id = 1", "hint 1 of session 1"),
    "tokens": ("UPDATE sample_tokens SET logprob = X'0000' WHERE sample_id = 1", "the tokens of sample 1"),
    "tokens, short": ("UPDATE sample_tokens SET logprob = X'00000000' WHERE sample_id = 1", "the tokens of sample 1"),
    "vector": ("UPDATE embeddings SET vector = X'0000' WHERE rowid = 1", ""),
    "model gone": ("UPDATE conditions SET model_id = 99 WHERE id = 1", "condition 'demo-base' of session 1"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sessions that have something in every table, in a file whose columns take anything."""
    path = tmp_path_factory.mktemp("sound") / "a.db"
    with Store.open(path) as store:
        for name in ("first", "second"):
            session = store.create_session(name, reference="demo-smollm2", manifest={"loaded": {}})
            for p in range(2):
                prompt = Prompt(f"q{p}", f"Why {p}? {name}")
                samples = []
                for model in (BASE, ALIGNED):
                    cell = store.add_cell(session, prompt, Condition.zero_shot(model), 2)
                    texts = [f"Because of {p} and {i}, says {model.name}." for i in range(2)]
                    samples += [store.add_sample(cell, result(i, text)) for i, text in enumerate(texts)]
                    store.set_rendered(cell, prompt.text)
                    vectors = {content_hash(text): np.ones(4, np.float32) for text in texts}
                    store.add_embeddings("m", vectors, windows=dict.fromkeys(vectors, 1), mode="mean")
                judgment = Judgment("quality", "me", "t", samples[0].id, None, "valid", {"clarity": 4})
                store.add_judgments(session, [judgment])
                pair = PairScore(prompt.id, "demo-smollm2", "demo-base", 0, 0, 0.5)
                store.add_pair_scores(session, "bertscore_f1", "v", [pair])
                store.add_hint(session, prompt, NewHint("summary", "so", "demo-smollm2", "t", samples[2].id, "h"))
            store.add_note(session, "a note")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
    return path


def damaged(sound: Path, folder: Path, sql: str) -> Path:
    path = folder / "a.db"
    path.write_bytes(sound.read_bytes())
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        assert db.execute(sql).rowcount == 1
    return path


@pytest.mark.parametrize("what", DAMAGE)
def test_the_rest_of_the_session_is_read(sound: Path, tmp_path: Path, what: str) -> None:
    sql, noted = DAMAGE[what]
    with Store.read(damaged(sound, tmp_path, sql)) as store:
        assert len(store.sessions()) == 2
        rows = list(store.samples(1))
        assert len(rows) >= 4
        assert {row.condition for row in rows} <= {condition.name for condition in store.conditions(1)}
        assert {row.prompt_id for row in rows} <= {prompt.id for prompt in store.prompts(1)}
        assert len(list(store.samples(2))) == 8
        store.token_stats([row.id for row in rows])
        store.manifest(1), store.layout(1), store.notes(1), store.hints(1)
        store.pair_scores(1, "bertscore_f1"), judgments_of(store, 1, "quality", "me")
        assert noted in "\n".join(store.damage)
        assert bool(noted) == bool(store.damage)


@pytest.mark.parametrize(
    "what", ["sample, text no UTF-8", "reference", "text gone", "manifest, nested", "judgment, field"]
)
def test_no_command_is_stopped(sound: Path, tmp_path: Path, what: str) -> None:
    sql, noted = DAMAGE[what]
    path = damaged(sound, tmp_path, sql)
    told = ""
    for command in READING:
        words = [str(tmp_path / "out") if word == "OUT" else word for word in command]
        done = alignbench(*words, "--db", str(path))
        assert done.returncode == 0, (command, done.stderr)
        told += done.stderr
    assert noted in told


def test_a_report_and_a_frame_say_what_is_left_out(sound: Path, tmp_path: Path) -> None:
    path = damaged(sound, tmp_path, DAMAGE["sample, seed"][0])
    page = tmp_path / "report.md"
    assert alignbench("report", "1", "--metrics", "words", "-o", str(page), "--db", str(path)).returncode == 0
    assert "sample 1 of session 1 cannot be read and is left out" in page.read_text()
    with pytest.warns(UserWarning, match="sample 1 of session 1 cannot be read"):
        assert len(open_database(path).session(1).samples()) == 7


def test_one_that_is_asked_for_is_one_message(sound: Path, tmp_path: Path) -> None:
    path = damaged(sound, tmp_path, "UPDATE samples SET status = 'paused' WHERE id = 1")
    with Store.read(path) as store, pytest.raises(StoreError, match=r"sample 1 of session 1 cannot be read: status is"):
        store.sample(1)


def test_a_session_that_is_resumed_by_its_file_is_found_beside_a_damaged_one(sound: Path, tmp_path: Path) -> None:
    manifest = json.dumps({"experiment": {"file": "a.toml"}})
    path = damaged(sound, tmp_path, f"UPDATE sessions SET manifest = '{manifest}' WHERE id = 2")
    with Store.open(path) as store:
        store.db.execute("UPDATE sessions SET manifest = '{broken' WHERE id = 1")
        assert store.session_of_experiment("a.toml") == 2


def test_of_many_notes_the_first_are_said(sound: Path, tmp_path: Path) -> None:
    path = damaged(sound, tmp_path, "UPDATE samples SET text = X'ff' WHERE id = 1")
    with Store.read(path) as store:
        store.db.execute("UPDATE samples SET text = X'ff'")
        assert list(store.samples(1)) == []
        assert len(store.damage) == 6
        assert store.damage[-1] == f"3 more rows of {path} cannot be read."
