"""Prompts of different ids and one text: every command shows each id with its own samples."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import alignbench
from tests.support.pools import KnownTexts

ROWS = [
    ("q1", "Why?", "one"),
    ("q2", "Why?", "two"),
    ("q3", " Why? ", "three"),
    ("q2", "Why?", "four"),
    ("q4", "Who?", "five"),
]


def run(*arguments: str, code: int = 0) -> str:
    ran = alignbench(*arguments)
    assert ran.returncode == code, ran.stderr
    return ran.stdout if code == 0 else ran.stderr


def responses(path: Path, rows: list[tuple[str, str, str]], **fields: Any) -> str:
    keys = ("prompt_id", "prompt", "text")
    lines = [json.dumps({**dict(zip(keys, row, strict=True)), "condition": "ours", **fields}) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def exported(session: int = 1) -> list[tuple[str, int, str]]:
    rows = [json.loads(line) for line in run("export", "jsonl", str(session)).splitlines()]
    return [(row["prompt_id"], row["sample"], row["text"]) for row in rows]


EXPECTED = [("q1", 0, "one"), ("q2", 0, "two"), ("q2", 1, "four"), ("q3", 0, "three"), ("q4", 0, "five")]


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    run("import", "jsonl", responses(tmp_path / "same.jsonl", ROWS))
    return tmp_path


def test_imported_rows_are_all_there_and_counted_in_the_database(tmp_path: Path) -> None:
    (tmp_path / "same.csv").write_text(
        "prompt_id,prompt,condition,text\n" + "".join(f"{id},{prompt},ours,{text}\n" for id, prompt, text in ROWS)
    )
    for kind, file in (("jsonl", responses(tmp_path / "same.jsonl", ROWS)), ("csv", str(tmp_path / "same.csv"))):
        (landed,) = json.loads(run("import", kind, file, "--json"))
        assert (landed["samples"], landed["errors"]) == (5, 0)
        assert exported(landed["session"]) == EXPECTED
        (info,) = [
            each for line in run("sessions", "list", "--json").splitlines()
            if (each := json.loads(line))["id"] == landed["session"]
        ]  # fmt: skip
        assert (info["n_samples"], info["n_prompts"]) == (5, 4)


def test_every_id_is_shown(imported: Path) -> None:
    page = run("sessions", "show", "1")
    assert [page.index(f"{id} ─") for id in ("q1", "q2", "q3", "q4")] == sorted(
        page.index(f"{id} ─") for id in ("q1", "q2", "q3", "q4")
    )
    hits = [json.loads(line) for line in run("sessions", "search", "two", "--json").splitlines()]
    assert [hit["prompt_id"] for hit in hits] == ["q2"]
    score = alignbench("score", "--session", "1", "--metrics", "words", "--json")
    run("report", "1", "--metrics", "words", "-o", str(imported / "report.json"))
    for made in (json.loads(score.stdout), json.loads((imported / "report.json").read_text())):
        assert (made["meta"]["prompts"], made["meta"]["samples"]) == (4, 5)
        (note,) = [each for each in made["meta"]["notes"] if each.startswith("prompts that share a text")]
        assert "3, of 1 (q1, q2, q3); each counts as a prompt of its own" in note


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_what_is_exported_comes_back_with_ids_and_numbers(imported: Path, kind: str) -> None:
    file = imported / f"out.{kind}"
    run("export", kind, "1", "-o", str(file))
    run("import", kind, str(file))
    assert exported(2) == EXPECTED


def test_the_papers_layout_keeps_ids_and_texts(imported: Path) -> None:
    run("export", "overton", "1", str(imported))
    run("import", "overton", str(imported / "same"))
    assert [row[::2] for row in exported(2)] == [row[::2] for row in EXPECTED]


def test_rows_in_another_order_keep_the_numbers_that_they_have(tmp_path: Path) -> None:
    lines = [{"prompt_id": "q", "prompt": "Why?", "condition": "c", "text": f"of {i}", "sample": i} for i in (3, 0, 1)]
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("import", "jsonl", str(tmp_path / "some.jsonl"))
    assert exported() == [("q", 0, "of 0"), ("q", 1, "of 1"), ("q", 3, "of 3")]


@pytest.mark.parametrize("numbers", [(0, 0), (0, None), ("a", "b"), (-1, 1), (10**12, 0), (True, 0), (0.0, 1)])
def test_numbers_that_are_none_lose_no_row(tmp_path: Path, numbers: tuple[Any, ...]) -> None:
    rows = [{"prompt_id": "q", "prompt": "Why?", "condition": "c", "text": f"row {i}", "sample": n}
            for i, n in enumerate(numbers)]  # fmt: skip
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = alignbench("import", "jsonl", str(tmp_path / "some.jsonl"), "--json")
    assert json.loads(ran.stdout)[0]["samples"] == 2
    assert exported() == [("q", 0, "row 0"), ("q", 1, "row 1")]
    assert ("give one sample number twice; all are kept" in ran.stderr) == (numbers == (0, 0))


def test_two_files_joined_keep_the_samples_of_both(tmp_path: Path) -> None:
    out = [json.dumps({"prompt_id": "q", "prompt": "Why?", "condition": "c", "text": f"{file} {i}", "sample": i})
           for file in "ab" for i in (0, 1)]  # fmt: skip
    (tmp_path / "both.jsonl").write_text("\n".join(out))
    run("import", "jsonl", str(tmp_path / "both.jsonl"))
    assert [text for _, _, text in exported()] == ["a 0", "a 1", "b 0", "b 1"]


IDS = ["q", "Q", "q ", " q", "caf\u00e9", "cafe\u0301", "1", "01", "1.0", "x" * 3000, "\u200bq", "q\u0000", "\ud800"]


def test_ids_are_kept_as_they_are(tmp_path: Path) -> None:
    run("import", "jsonl", responses(tmp_path / "ids.jsonl", [(id, "Why?", f"of {i}") for i, id in enumerate(IDS)]))
    expected = [(id, 0, f"of {i}") for i, id in enumerate(IDS)]
    assert exported() == expected
    run("export", "csv", "1", "-o", str(tmp_path / "ids.csv"), "--prompt", "Q", "--prompt", "q ")
    with (tmp_path / "ids.csv").open(newline="") as file:
        assert [row["prompt_id"] for row in csv.DictReader(file)] == ["Q", "q "]


def test_a_number_is_the_id_that_its_digits_are(tmp_path: Path) -> None:
    file = tmp_path / "n.jsonl"
    file.write_text("".join(
        json.dumps({"prompt_id": id, "prompt": "Why?", "condition": "c", "text": "t"}) + "\n" for id in (1, "1", "01")
    ))  # fmt: skip
    run("import", "jsonl", str(file))
    assert [row[:2] for row in exported()] == [("1", 0), ("1", 1), ("01", 0)]


@pytest.mark.parametrize("command", ["import", "score"])
def test_an_id_of_two_texts_is_refused_with_its_line(tmp_path: Path, command: str) -> None:
    file = responses(tmp_path / "two.jsonl", [("1", "Why?", "a"), ("2", "Who?", "b"), ("1", "When?", "c")])
    message = run(*(("import", "jsonl", file) if command == "import" else ("score", "--file", file)), code=2)
    assert "two.jsonl, line 3, field \"prompt_id\": '1' stood for another prompt before" in message


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.commands.lent_pool", lambda **_: KnownTexts(demo_smollm2=["yes", "no"]))


@pytest.mark.models
@pytest.mark.usefixtures("known")
def test_every_id_of_a_set_is_sampled(tmp_path: Path) -> None:
    (tmp_path / "eq.jsonl").write_text("".join(
        json.dumps({"id": id, "prompt": text}) + "\n" for id, text in (("a", "Why?"), ("b", "Why?"), ("c", "Who?"))
    ))  # fmt: skip
    command = ("sample", "--prompts", str(tmp_path / "eq.jsonl"), "--model", "demo-smollm2", "-n", "2", "--json")
    ran = alignbench(*command)
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()][:-1]
    assert [(line["prompt_id"], line["sample"]) for line in lines] == [(id, i) for id in "abc" for i in (0, 1)]
    assert [row[:2] for row in exported()] == [(id, i) for id in "abc" for i in (0, 1)]
    assert "prompts that share a text: 2, of 1 (a, b)" in ran.stderr
    said = run("sample", "--prompt", "Why?", "--prompt", "Who?", "--model", "demo-smollm2", "-n", "1", "--json")
    assert [json.loads(line)["prompt"] for line in said.splitlines()[:-1]] == ["Why?", "Who?"]
    twice = run("sample", "--prompt", "Why?", "--prompt", " Why?", "--model", "demo-smollm2", code=2)
    assert "The prompt 'Why?' is there twice" in twice


def test_merging_keeps_ids_and_every_imported_response(imported: Path) -> None:
    other = responses(imported / "other.jsonl", [("q1", "Why?", "one"), ("q2", "Why?", "2"), ("z", "Why?", "new")])
    run("import", "jsonl", other)
    run("import", "jsonl", str(imported / "same.jsonl"))
    ran = alignbench("sessions", "merge", "1", "2", "3")
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in run("export", "jsonl", "4").splitlines()]
    kept = [(row["prompt_id"], row["condition"], row["sample"], row["text"]) for row in rows]
    assert sorted(kept) == sorted(
        [(id, "ours", sample, text) for id, sample, text in EXPECTED]
        + [("q1", "ours@2", 0, "one"), ("q2", "ours@2", 0, "2"), ("z", "ours@2", 0, "new")]
    )
    assert "Session 4 has 8 samples of 2 conditions." in ran.stderr
    assert (
        "Of session 3, 5 samples had a place that was taken: 5 with the text that is there, 0 with another"
        in ran.stderr
    )
    compared = json.loads(run("sessions", "compare", "1", "2", "--json"))
    assert (compared["prompts"], compared["only_prompts"]) == (3, [["q4"], []])


def test_csv_of_ids_that_look_like_formulas_comes_back(tmp_path: Path) -> None:
    ids = ["=1+1", "-a", "'q", "+x", "@y"]
    run("import", "jsonl", responses(tmp_path / "f.jsonl", [(id, "Why?", id) for id in ids]))
    table = io.StringIO(run("export", "csv", "1"))
    (tmp_path / "f.csv").write_text(table.getvalue(), newline="")
    run("import", "csv", str(tmp_path / "f.csv"))
    assert exported(2) == [(id, 0, id) for id in ids]
