"""Prompts of several messages: read, hashed, kept in a session, exported, imported, sent to a server."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.exporting.samples import COLUMNS, sample_rows, write_csv, write_jsonl
from alignbench.importing.save import save_import
from alignbench.prompt_parts import Turn
from alignbench.prompts import each_once, load_prompts
from alignbench.spec import Condition, Prompt, content_hash
from alignbench.store import Store
from tests.support.collected import read_csv, read_jsonl
from tests.support.commands import alignbench
from tests.support.samples import BASE, result
from tests.support.server import MODEL, ScriptedServer

EARLIER = (Turn("system", "Be brief."), Turn("user", "Hello."), Turn("assistant", "Good day."))
TALK = Prompt("talk", "Why?", earlier=EARLIER)
MESSAGES = [{"role": turn.role, "content": turn.content} for turn in TALK.messages]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "alignbench.db") as store:
        yield store


def written(folder: Path, name: str, *rows: object) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_hashes_go_by_all_messages_and_stay_what_they_were_without() -> None:
    assert Prompt("a", "Why?").hash == content_hash("Why?")
    assert TALK.hash != content_hash("Why?")
    assert TALK.hash == content_hash([[turn.role, turn.content] for turn in TALK.messages])
    assert Prompt.typed("Why?", EARLIER).hash == TALK.hash
    assert Prompt.typed("Why?", EARLIER[:1]).hash not in (TALK.hash, content_hash("Why?"))


def test_messages_are_read_from_jsonl_and_csv(tmp_path: Path) -> None:
    other = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    path = written(
        tmp_path,
        "set.jsonl",
        {"id": "talk", "messages": MESSAGES},
        {"messages": MESSAGES[-1:]},
        {"id": "c", "prompt": "Why?", "messages": MESSAGES},
        {"id": "d", "prompt": "Why?", "messages": other},  # a conversation with its answer, as data sets have them
    )
    talk, alone, beside, left_alone = load_prompts(str(path))
    assert talk == Prompt("talk", "Why?", "set", earlier=EARLIER)
    assert (alone.text, alone.earlier) == ("Why?", ())
    assert (beside.earlier, left_alone.earlier) == (EARLIER, ())
    table = tmp_path / "set.csv"
    with table.open("w", newline="") as out:
        csv.writer(out).writerows([["id", "messages"], ["talk", json.dumps(MESSAGES)]])
    assert load_prompts(str(table))[0].earlier == EARLIER
    with pytest.raises(Exception, match="stands for two texts"):
        each_once([talk, Prompt("talk", "Why?")])


def test_a_file_that_prompts_show_writes_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, "set.jsonl", {"id": "talk", "messages": MESSAGES})
    shown = alignbench("prompts", "show", str(path), "--json").stdout
    again = tmp_path / "again.jsonl"
    again.write_text(shown)
    assert load_prompts(str(again))[0].earlier == EARLIER
    assert "[system]" in alignbench("prompts", "show", str(path)).stdout


def test_a_session_keeps_them_apart_from_the_text_alone(store: Store) -> None:
    session = store.create_session("talk")
    condition = Condition.zero_shot(BASE)
    alone = Prompt("alone", "Why?")
    for prompt in (alone, TALK, Prompt.typed("Why?", EARLIER[:1])):
        store.add_sample(store.add_cell(session, prompt, condition, 1), result(0, prompt.id))
    kept = store.prompts(session)
    assert kept[:2] == [alone, TALK]
    assert kept[2].earlier == EARLIER[:1]
    assert [row.prompt for row in store.samples(session)] == ["Why?"] * 3
    assert store.prompt_keys(session, [Prompt.typed("Why?", EARLIER)]) == [TALK.key]
    assert store.add_cell(session, TALK, condition, 1) == store.cells(session)[1].id
    examples = store.condition_examples(session, BASE.name, 0)
    assert [item.prompt for item in examples.items] == ["Why?"] * 3


def test_what_is_exported_comes_back(store: Store, tmp_path: Path) -> None:
    session = store.create_session("talk")
    for prompt in (TALK, Prompt("alone", "What?")):
        store.add_sample(store.add_cell(session, prompt, Condition.zero_shot(BASE), 1), result(0, "Because."))
    file, table, out = tmp_path / "out.jsonl", tmp_path / "out.csv", io.StringIO()
    with file.open("w") as lines:
        write_jsonl(sample_rows(store, session), lines)
    write_csv(sample_rows(store, session), out)
    table.write_text(out.getvalue(), newline="")
    assert json.loads(file.read_text().splitlines()[0])["messages"] == MESSAGES
    for imported in (read_jsonl(file), read_csv(table)):
        again = save_import(store, imported).session
        assert [(prompt.id, prompt.earlier) for prompt in store.prompts(again)] == [("talk", EARLIER), ("alone", ())]


def test_a_session_without_them_is_exported_as_it_was(store: Store) -> None:
    session = store.create_session("alone")
    store.add_sample(store.add_cell(session, Prompt("a", "What?"), Condition.zero_shot(BASE), 1), result(0, "That."))
    assert [*next(sample_rows(store, session))] == [*COLUMNS]


def test_a_server_gets_all_of_them(tmp_path: Path) -> None:
    server = ScriptedServer()
    try:
        path = written(tmp_path, "set.jsonl", {"id": "talk", "messages": MESSAGES})
        models = tmp_path / "models.toml"
        models.write_text(f'[models.served]\nreference = "openai:{server.url}#{MODEL}"\nkind = "aligned"\n')
        arguments = ["sample", "--prompts", str(path), "--condition", f"served=openai:{server.url}#{MODEL}"]
        ran = alignbench(*arguments, "-n", "1", "--json", "--db", str(tmp_path / "served.db"))
        assert ran.returncode == 0, ran.stderr
    finally:
        server.close()
    bodies = [body for body in server.requests if "messages" in body]
    if bodies:  # as a chat; a base model's server gets the plain layout
        assert bodies[0]["messages"] == MESSAGES
    else:
        assert "# Instructions:\n\nBe brief.\n\n# Query:\n```\nHello." in server.requests[0]["prompt"]
    assert json.loads(ran.stdout.splitlines()[0])["messages"] == MESSAGES
