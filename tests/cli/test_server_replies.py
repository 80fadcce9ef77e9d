"""What a server says beside its answers, on its way through every command."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alignbench.store import SampleRow, Store
from tests.support.commands import alignbench
from tests.support.server import DONE, MODEL, Reply, ScriptedServer, event

THOUGHTS = "Let me\nsee."
REFUSAL = "I can't help with that."
NOTE = "1 of 1 log-probs are -Infinity, and so is their sum."


def said(finish: str | None = None, logprob: float | None = None, **delta: object) -> bytes:
    logprobs = None if logprob is None else {"content": [{"token": "t", "logprob": logprob}]}
    return event([{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": logprobs}])


REPLIES = [
    [said(reasoning_content=THOUGHTS, logprob=-5.0), said(content="Yes.", logprob=-1.0), said("stop"), DONE],
    [said(refusal=REFUSAL), said("stop"), DONE],
    [said(content="Hello.", logprob=float("-inf")), said("stop"), DONE],
    [said(content="Half of an ans"), said("content_filter"), DONE],
    [said(reasoning_content="Hm"), said("length"), DONE],
]


class Server(ScriptedServer):
    """Gives each of five samples in a row another one of these replies."""

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if not body.get("stream"):
            return super().answer(path, body)
        self.requests.append(body)
        return Reply(pieces=REPLIES[body["seed"] % len(REPLIES)])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def strict(text: str) -> Any:
    """JSON by the book."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def by_text(rows: list[Any]) -> dict[str, Any]:
    return {row["text"] if isinstance(row, dict) else row.text: row for row in rows}


@pytest.fixture(scope="module")
def sampled(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A database, and the lines that were printed while it was made."""
    db = tmp_path_factory.mktemp("replies") / "runs.db"
    condition = f"s=openai:{server.url}#{MODEL}"
    done = alignbench(
        "sample", "--db", str(db), "--prompt", "why?", "--condition", condition, "-n", "5", "--json"
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    return db, [strict(line) for line in done.stdout.splitlines()]


def stored(db: Path, session: int = 1) -> list[SampleRow]:
    with Store.open(db) as store:
        return list(store.samples(session))


def test_a_line_of_json_tells_all_of_it(sampled: tuple[Path, list[dict[str, Any]]]) -> None:
    *rows, scores = sampled[1]
    row = by_text(rows)
    assert {text: (row[text]["thinking"], row[text]["finish_reason"], row[text]["status"]) for text in row} == {
        "Yes.": (THOUGHTS, "stop", "done"),
        REFUSAL: (None, "stop", "done"),
        "Hello.": (None, "stop", "done"),
        "Half of an ans": (None, "error", "error"),
        "": ("Hm", "length", "done"),
    }
    assert {text for text in row if row[text]["refused"]} == {REFUSAL}
    assert (row["Yes."]["logprob"], row["Yes."]["n_tokens"], row["Yes."]["n_thinking_tokens"]) == (-1.0, 1, 1)
    assert (row["Hello."]["logprob"], row["Hello."]["note"]) == (None, NOTE)
    assert "scores" in scores


def test_what_is_stored_can_be_asked_with_sql(sampled: tuple[Path, list[dict[str, Any]]]) -> None:
    with closing(sqlite3.connect(sampled[0])) as db:
        asked = "SELECT {} FROM {} WHERE text IN ('Yes.', ?) ORDER BY text"
        for table in ("samples", "sample_details"):
            columns = "text, thinking, n_thinking_tokens, refused, note"
            assert db.execute(asked.format(columns, table), [REFUSAL]).fetchall() == [
                (REFUSAL, None, None, 1, None),
                ("Yes.", THOUGHTS, 1, 0, None),
            ]


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_an_export_comes_back(format: str, sampled: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    db = sampled[0]
    file = tmp_path / f"out.{format}"
    assert alignbench("export", format, "1", "--db", str(db), "-o", str(file)).returncode == 0
    if format == "jsonl":
        assert len([strict(line) for line in file.read_text().splitlines()]) == 5
    else:
        with file.open(newline="") as rows:
            assert by_text(list(csv.DictReader(rows)))["Yes."]["thinking"] == THOUGHTS
    other = tmp_path / "other.db"
    assert alignbench("import", format, str(file), "--db", str(other)).returncode == 0
    kept = ("text", "thinking", "refused", "note", "status", "error")
    assert [[getattr(row, name) for name in kept] for row in stored(other)] == [
        [getattr(row, name) for name in kept] for row in stored(db)
    ]


def test_sessions_that_are_merged_keep_it(sampled: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    with Store.open(sampled[0]) as store, Store.open(tmp_path / "copy.db") as copy:
        store.db.conn.backup(copy.db.conn)
    with Store.open(tmp_path / "copy.db") as store:
        merged = store.merge_sessions([1, store.create_session("empty")], "both")
        kept = ("text", "thinking", "n_thinking_tokens", "refused", "note", "status")
        before, after = ([[getattr(row, name) for name in kept] for row in store.samples(s)] for s in (1, merged))
    assert before == after


def test_reports_count_refusals_and_leave_infinite_numbers_out(sampled: tuple[Path, list[dict[str, Any]]]) -> None:
    db = str(sampled[0])
    report = strict(alignbench("report", "1", "--db", db, "--format", "json").stdout)
    assert report["counts"]["s"] == {"samples": 4, "errors": 1, "truncated": 1, "refused": 1}
    scores = strict(alignbench("score", "--session", "1", "--db", db, "--metrics", "surprisal", "--json").stdout)
    for value in (report, scores):
        notes = " ".join(value["meta"]["notes"])
        assert "refusals, as their servers say, scored as the responses that they are: 1 of 4 in s" in notes
    assert "responses with a token of log-prob -Infinity, left out of surprisal: 1 of 4 in s" in notes
    table = alignbench("report", "1", "--db", db, "--format", "csv").stdout
    assert "counts,s,refused,1,,,4," in table
    page = alignbench("report", "1", "--db", db, "--format", "md").stdout
    assert "| condition | samples | errors | cut by length | refused |" in page


def test_pages_show_it(sampled: tuple[Path, list[dict[str, Any]]]) -> None:
    shown = alignbench("sessions", "show", "1", "--db", str(sampled[0])).stdout
    for words in ("refused", f"({NOTE})", "in its thoughts", "content filter", "Half of an ans"):
        assert words in shown
    assert all(strict(alignbench("sessions", "show", "1", "--db", str(sampled[0]), "--json").stdout))


def test_what_broke_off_is_asked_again(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "again.toml"
    file.write_text(
        f'n = 5\n[prompts]\nfiles = ["p.jsonl"]\n[[conditions]]\nname = "s"\nmodel = "openai:{server.url}#{MODEL}"\n'
    )
    (tmp_path / "p.jsonl").write_text('{"id": "p", "prompt": "why?"}\n')
    db = tmp_path / "runs.db"
    assert alignbench("run", str(file), "--db", str(db)).returncode == 3
    n = len(server.requests)
    assert alignbench("run", str(file), "--db", str(db), "--retry-errors").returncode == 1
    assert len(server.requests) == n + 1
    assert [row.text for row in stored(db) if row.status == "error"] == ["Half of an ans"]
