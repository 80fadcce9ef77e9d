"""Samples for other programs, and back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.exporting.samples import COLUMNS, SampleFilter, sample_rows, write_csv, write_jsonl
from alignbench.importing.save import save_import
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.collected import read_jsonl
from tests.support.commands import alignbench
from tests.support.samples import ALIGNED, BASE, result

TEXTS = ["=SUM(A1)", 'two\nlines, "quoted"', "\ud800 half", "\x1b[31m \u202e", ""]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Session 1: hostile texts, one of them cut by length, and an error."""
    with Store.open(tmp_path / "alignbench.db") as store:
        session = store.create_session("s", reference="demo-smollm2")
        for model in (BASE, ALIGNED):
            cell = store.add_cell(session, Prompt("q", "Why?"), Condition.zero_shot(model), len(TEXTS) + 1)
            for i, text in enumerate(TEXTS):
                store.add_sample(cell, result(i, text, "length" if i == 1 else "stop"))
            store.add_error(cell, len(TEXTS), "overflow")
        yield store


def test_what_goes_out_as_jsonl_comes_back(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    with file.open("w", encoding="utf-8") as out:
        write_jsonl(sample_rows(store, 1), out)
    rows = [json.loads(line) for line in file.read_text("ascii").splitlines()]
    assert list(rows[0]) == list(COLUMNS)
    assert [row["text"] for row in rows[:5]] == TEXTS
    imported = save_import(store, read_jsonl(file))
    assert (imported.samples, imported.errors) == (10, 2)

    def kept(session: int) -> list[tuple[object, ...]]:
        return [
            (r.prompt_id, r.prompt, r.condition, r.sample, r.status, r.text, r.finish_reason, r.error)
            for r in store.samples(session)
        ]

    assert kept(imported.session) == kept(1)
    assert [c.model.kind for c in store.conditions(imported.session)] == ["base", "aligned"]
    assert store.session(imported.session).reference == "demo-smollm2"


def test_no_cell_of_the_csv_is_a_formula(store: Store) -> None:
    out = io.StringIO()
    write_csv(sample_rows(store, 1), out)
    out.getvalue().encode("utf-8")
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["text"] for row in rows[:3]] == ["'=SUM(A1)", TEXTS[1], "\\ud800 half"]
    assert rows[5]["error"] == "overflow"
    assert rows[5]["n_tokens"] == ""


def test_a_selection(store: Store) -> None:
    cell = store.add_cell(1, Prompt("q2", "How?"), Condition.zero_shot(BASE), 1)
    store.add_sample(cell, result(0, "so"))

    def selected(**names: list[str]) -> set[tuple[str, str]]:
        return {(row["prompt_id"], row["condition"]) for row in sample_rows(store, 1, SampleFilter(**names))}

    assert selected() == {("q", "demo-base"), ("q", "demo-smollm2"), ("q2", "demo-base")}
    assert selected(conditions=["demo-base"]) == {("q", "demo-base"), ("q2", "demo-base")}
    assert selected(prompts=["q"], conditions=["demo-smollm2"]) == {("q", "demo-smollm2")}
    with pytest.raises(InputError, match=r"has no condition 'demo-bas'\. Did you mean demo-base"):
        selected(conditions=["demo-bas"])
    with pytest.raises(InputError, match="has no prompt 'x'"):
        selected(prompts=["x"])


def test_the_commands(store: Store, tmp_path: Path) -> None:
    shown = alignbench("export", "jsonl", "1")
    assert shown.returncode == 0, shown.stderr
    assert len(shown.stdout.splitlines()) == 12
    file = tmp_path / "out.csv"
    assert alignbench("export", "csv", "1", "-o", str(file)).returncode == 0
    assert file.read_text(encoding="utf-8").startswith("prompt_id,prompt,condition,kind")
    back = alignbench("import", "csv", str(file), "--json")
    assert json.loads(back.stdout) == [{"session": 2, "dataset": "out", "samples": 10, "errors": 2}]
    one = alignbench("export", "jsonl", "1", "--condition", "demo-base", "--prompt", "q")
    assert len(one.stdout.splitlines()) == 6
    missing = alignbench("export", "csv", "9")
    assert missing.returncode == 2
    assert "There is no session 9" in missing.stderr
    nowhere = alignbench("export", "jsonl", "1", "-o", str(tmp_path / "no" / "x"))
    assert nowhere.returncode == 1
    assert "cannot be written" in nowhere.stderr
    assert store.session(1).n_samples == 10
