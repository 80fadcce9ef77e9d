"""`alignbench sessions`: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alignbench import paths
from alignbench.cli.sessions import app
from alignbench.errors import InputError, StoreError
from alignbench.spec import Condition, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support.samples import result

ALIGNED = Condition.zero_shot(Model("demo-smollm2", "demo-smollm2", "aligned"))
BASE = Condition.zero_shot(
    Model("demo-base", "demo-base", "base"), name="B", sampling=Sampling(top_p=0.9, stop=("\n\n",)), seed=7
)
HOSTILE = "[/] [INST] [@click=app.quit]x[/] \x1b]52;c;aGk=\x07 \u202e\ud800 :smile: [bold"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def session() -> int:
    """A session with a sample of every kind, in the default database."""
    with Store.open(paths.default_database()) as store:
        session = store.create_session("Why diaries?", reference="demo-smollm2")
        cells = [store.add_cell(session, Prompt("q1", "Why do people keep diaries?"), c, 5) for c in (ALIGNED, BASE)]
        store.add_sample(cells[0], result(0, "To remember."))
        store.add_sample(cells[1], result(0, "The diary is", "length"))
        store.add_sample(cells[1], result(1, "It", "cancelled"))
        store.add_sample(cells[1], result(2, ""))
        store.add_error(cells[1], 3, "the worker died")
        store.set_rendered(cells[0], "<|user|>Why?")
        store.add_note(session, "short answers")
    return session


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_list_without_a_database(tmp_path: Path, flags: tuple[str, ...]) -> None:
    path = tmp_path / "none" / "a.db"
    outcome = invoke("list", "--db", path, *flags)
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert outcome.stderr == f"No sessions yet: there is no database at {path}.\n"
    assert not path.parent.exists()


def test_list_of_an_empty_database() -> None:
    Store.open(paths.default_database()).close()
    outcome = invoke("list")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert "No sessions yet in " in outcome.stderr


def test_list_is_one_row_a_session_newest_first(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        store.create_session(HOSTILE + "\n" + "long " * 10)
    lines = invoke("list").stdout.splitlines()
    assert lines[0].split() == ["id", "created", "name", "models", "prompts", "samples", "errors"]
    assert "[/] [INST] [@click=app.quit]x[/] ␛]52;c;aGk=␇ \\u202e\\ud800 :smile: [bold␊" in lines[2]
    first = lines[3].split()
    assert (first[0], first[-3:]) == (str(session), ["1", "3", "1"])
    assert "Why diaries?" in lines[3]
    assert "demo-smollm2, demo-base" in lines[3]
    assert "\x1b" not in "".join(lines)


def test_a_note_is_added_and_shown(session: int) -> None:
    assert invoke("note", session, "too [cold]").exit_code == 0
    notes = json.loads(invoke("show", session, "--json").stdout)["notes"]
    assert [note["text"] for note in notes] == ["short answers", "too [cold]"]
    for number, text, error in ((session, " \n", "The note is empty"), (99, "x", "no session 99")):
        refused = invoke("note", number, text).exception
        assert isinstance(refused, InputError)
        assert error in str(refused)


def test_sessions_are_renamed_and_listed_by_words(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        other = store.create_session()
    assert invoke("rename", other, "the [pilot]").exit_code == 0
    invoke("tag", other, "Warm up")

    def found(*words: str) -> list[int]:
        return [json.loads(line)["id"] for line in invoke("list", *words, "--json").stdout.splitlines()]

    assert (found("PILOT"), found("#up"), found("#pilot"), found("demo-base", "diaries")) == (
        [other],
        [other],
        [],
        [session],
    )
    assert "No session of 2 has these words" in invoke("list", "nothing").stderr
    assert isinstance(invoke("rename", other, " ").exception, InputError)


def test_list_as_json_lines(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        newest = store.create_session(HOSTILE)
    outcome = invoke("list", "--json")
    rows = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [row["id"] for row in rows] == [newest, session]
    assert rows[0]["name"] == HOSTILE
    assert rows[1]["models"] == ["demo-smollm2", "demo-base"]
    assert (rows[1]["n_samples"], rows[1]["n_errors"], rows[1]["reference"]) == (3, 1, "demo-smollm2")


def test_a_model_that_has_another_name_now_is_shown_with_both() -> None:
    with Store.open(paths.default_database()) as store:
        session = store.create_session("of old")
        before = Condition.zero_shot(Model("demo-aligned", "demo-aligned", "aligned"))
        store.add_sample(store.add_cell(session, Prompt("q", "Why?"), before, 1), result(0, "So."))
    assert "demo-aligned, now demo-smollm2 (aligned), chat template" in invoke("show", session).stdout


def test_show_is_a_page_to_read(session: int) -> None:
    page = invoke("show", session).stdout
    for text in (
        "Session 1: Why diaries?",
        "reference  demo-smollm2",
        "samples    3 done, 1 failed",
        "demo-base (base), plain template",
        "temperature 0.7, top_p 0.9, max_tokens 256, stop '\\n\\n', seed 7, strict",
        "short answers",
        "Why do people keep diaries?",
        "    To remember.",
        "[0] cut at 3 tok",
        "[1] cancelled",
        "[2] empty",
        "[3] error: the worker died",
    ):
        assert text in page
    assert page.index("To remember.") < page.index("The diary is")


def test_show_wraps_and_shows_hostile_text_as_text(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        cell = store.add_cell(session, Prompt(HOSTILE, HOSTILE), Condition.zero_shot(BASE.model, name=HOSTILE), 5)
        store.add_sample(cell, result(0, HOSTILE + "y" * 100_000))
        store.add_note(session, HOSTILE)
    outcome = invoke("show", session)
    assert outcome.exit_code == 0
    assert outcome.stdout.count("[/] [INST] [@click=app.quit]x[/] ␛]52;c;aGk=␇") == 6
    assert not {"\x1b", "\x07", "\u202e"} & set(outcome.stdout)
    assert outcome.stdout.count("y") >= 100_000
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    assert not [line for line in outcome.stdout.splitlines() if line.endswith(" ")]


def test_show_as_json_is_exact(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        cell = store.add_cell(session, Prompt("q2", HOSTILE), ALIGNED, 2)
        unlikely = store.add_sample(cell, result(0, HOSTILE))
        store.db.execute("UPDATE samples SET logprob = -9e999 WHERE id = ?", [unlikely.id])
    shown = json.loads(invoke("show", session, "--json").stdout)
    assert list(shown) == ["session", "prompts", "conditions", "cells", "notes", "samples"]
    assert shown["session"]["name"] == "Why diaries?"
    assert shown["prompts"][1] == {"id": "q2", "text": HOSTILE, "set": ""}
    assert [c["hash"] for c in shown["conditions"]] == [ALIGNED.hash, BASE.hash]
    assert shown["conditions"][1]["sampling"]["stop"] == ["\n\n"]
    assert [cell["rendered"] for cell in shown["cells"]] == ["<|user|>Why?", None, None]
    assert [note["text"] for note in shown["notes"]] == ["short answers"]
    assert [row["status"] for row in shown["samples"]] == ["done", "done", "cancelled", "done", "error", "done"]
    assert shown["samples"][-1]["text"] == HOSTILE
    assert shown["samples"][-1]["logprob"] is None


def test_search_finds_words_in_every_session(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        other = store.create_session("other")
        cell = store.add_cell(other, Prompt(HOSTILE, "Why?"), Condition.zero_shot(ALIGNED.model, name="[b]"), 9)
        for i in range(3):
            store.add_sample(cell, result(i, f"to {HOSTILE} remember"))
    outcome = invoke("search", "to remember", "--json")
    rows = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [(row["session"], row["sample"]) for row in rows] == [(other, 2), (other, 1), (other, 0), (session, 0)]
    assert list(rows[0]) == ["session", "prompt_id", "condition", "sample", "snippet"]
    assert (rows[0]["prompt_id"], rows[0]["snippet"]) == (HOSTILE, f"to {HOSTILE} remember")
    assert rows[3]["snippet"] == "To remember."
    outcome = invoke("search", '"to remember"')
    assert outcome.stdout.splitlines()[1].split() == ["1", "q1", "demo-smollm2", "0", "To", "remember."]
    outcome = invoke("search", "remember", "--limit", 2)
    assert len(outcome.stdout.splitlines()) == 3
    assert not {"\x1b", "\x07", "\u202e"} & set(outcome.stdout)
    assert outcome.stderr == "These are the newest 2; --limit shows more.\n"
    outcome = invoke("search", "absent")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "No sample has these words.\n")
    assert isinstance(invoke("search", "?!").exception, InputError)


def test_tags(session: int) -> None:
    assert invoke("tag", session, "pilot", HOSTILE).exit_code == 0
    lines = invoke("list").stdout.splitlines()
    assert lines[0].split() == ["id", "created", "name", "models", "tags", "prompts", "samples", "errors"]
    assert "pilot" in lines[2]
    assert "\x1b" not in lines[2]
    assert json.loads(invoke("list", "--json").stdout)["tags"] == ["pilot", HOSTILE]
    assert "tags       " in invoke("show", session).stdout
    assert invoke("untag", session, "pilot").exit_code == 0
    assert isinstance(invoke("untag", session, HOSTILE, "pilot").exception, InputError)
    with Store.open(paths.default_database()) as store:
        assert store.session(session).tags == (HOSTILE,)


def test_merge_prints_the_number_of_the_new_session(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        other = store.create_session("other")
        cell = store.add_cell(other, Prompt("q", "How?"), Condition.zero_shot(BASE.model, name="B"), 1)
        store.add_sample(cell, result(0, "so"))
    outcome = invoke("merge", session, other)
    assert outcome.stdout == "3\n"
    assert outcome.stderr == "Session 3 has 4 samples of 3 conditions.\n"
    shown = json.loads(invoke("show", 3, "--json").stdout)
    assert shown["session"]["name"] == "Why diaries? + other"
    assert [condition["name"] for condition in shown["conditions"]] == ["demo-smollm2", "B", "B@2"]
    assert isinstance(invoke("merge", session).exception, InputError)


def test_compare(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        other = store.create_session("other")
        cell = store.add_cell(other, Prompt("p", "Why do people keep diaries?"), ALIGNED, 1)
        store.add_sample(cell, result(0, "To remember."))
        store.add_cell(other, Prompt(HOSTILE, "?"), Condition.zero_shot(BASE.model, name="B"), 1)
    comparison = json.loads(invoke("compare", session, other, "--json").stdout)
    assert (comparison["prompts"], comparison["only_prompts"]) == (1, [[], [HOSTILE]])
    assert [(each["names"], each["identical"], each["different"]) for each in comparison["conditions"]] == [
        (["demo-smollm2", "demo-smollm2"], 1, 0),
        (["B", "B"], 0, 0),
    ]
    assert comparison["conditions"][1]["differs"] == {"top_p": [0.9, 1.0], "stop": [["\n\n"], []], "seed": [7, 0]}
    page = invoke("compare", session, other).stdout
    assert "1 identical" in page
    assert not {"\x1b", "\x07", "\u202e"} & set(page)


def test_backup(session: int, tmp_path: Path) -> None:
    copy = tmp_path / "new" / "copy.db"
    outcome = invoke("backup", copy)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", f"wrote {copy}\n")
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]
    assert invoke("show", session, "--json", "--db", copy).stdout == invoke("show", session, "--json").stdout
    assert isinstance(invoke("backup", copy).exception, InputError)


def test_delete(session: int) -> None:
    outcome = invoke("delete", session, "--yes")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert outcome.stderr == "Deleted session 1 (Why diaries?) with 3 samples.\n"
    with Store.open(paths.default_database()) as store:
        assert store.sessions() == []


def test_delete_where_nobody_can_be_asked_needs_yes(session: int) -> None:
    outcome = invoke("delete", session)
    assert isinstance(outcome.exception, InputError)
    assert "needs --yes" in str(outcome.exception)
    with Store.open(paths.default_database()) as store:
        assert len(store.sessions()) == 1


@pytest.mark.parametrize(("answer", "exit_code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("", 1, 1)])
def test_delete_asks_at_a_terminal(
    session: int, monkeypatch: pytest.MonkeyPatch, answer: str, exit_code: int, left: int
) -> None:
    monkeypatch.setattr("alignbench.cli.printing.can_ask", lambda: True)
    outcome = CliRunner().invoke(app, ["delete", str(session)], input=answer)
    assert (outcome.exit_code, outcome.stdout) == (exit_code, "")
    assert "Delete session 1 (Why diaries?) with 3 samples?" in outcome.stderr
    with Store.open(paths.default_database()) as store:
        assert len(store.sessions()) == left


@pytest.mark.parametrize("command", [("show", "9"), ("delete", "9", "--yes")])
def test_a_session_that_is_not_there(session: int, command: tuple[str, ...]) -> None:
    outcome = invoke(*command)
    assert isinstance(outcome.exception, InputError)
    assert f"There is no session 9 in {paths.default_database()}; the newest are {session}." in str(outcome.exception)


@pytest.mark.parametrize("command", [("show", "1"), ("delete", "1", "--yes")])
def test_no_database_at_all(command: tuple[str, ...]) -> None:
    outcome = invoke(*command)
    assert isinstance(outcome.exception, InputError)
    assert "no database at" in str(outcome.exception)
    assert not paths.default_database().exists()


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    assert isinstance(invoke("list", "--db", path).exception, StoreError)
    assert path.read_text() == "hello"


def test_the_commands_load_nothing_before_they_run() -> None:
    script = "import sys, alignbench.cli.sessions; print({'numpy', 'sqlite_utils', 'sqlite3'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
