"""Responses from CSV files, and what a spreadsheet would have taken for a formula."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.display import from_spreadsheet_cell, spreadsheet_cell
from alignbench.errors import InputError
from alignbench.exporting.samples import sample_rows, write_csv
from alignbench.importing.save import save_import
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.collected import read_csv
from tests.support.samples import ALIGNED, BASE, result

TEXTS = [
    "=SUM(A1)",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "'=quoted",
    "''=twice",
    "'Tis",
    'a "b",\nc\r\nd',
    " ",
    "",
    "x" * 200_000,
]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(text: str) -> None:
    cell = spreadsheet_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert from_spreadsheet_cell(cell) == text


def test_what_goes_out_as_csv_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    with Store.open(tmp_path / "runs.db") as store:
        session = store.create_session("s", reference="demo-smollm2")
        for model in (BASE, ALIGNED):
            cell = store.add_cell(session, Prompt("-1", "=Why?"), Condition.zero_shot(model), len(TEXTS) + 1)
            for i, text in enumerate(TEXTS):
                store.add_sample(cell, result(i, text, "length" if i == 1 else "stop"))
            store.add_error(cell, len(TEXTS), "-overflow")
        with file.open("w", encoding="utf-8", newline="") as out:
            write_csv(sample_rows(store, session), out)
        imported = save_import(store, read_csv(file))

        def kept(session: int) -> list[tuple[object, ...]]:
            return [
                (r.prompt_id, r.prompt, r.condition, r.sample, r.status, r.text, r.finish_reason, r.error)
                for r in store.samples(session)
            ]

        assert kept(imported.session) == kept(session)
        assert [c.model.kind for c in store.conditions(imported.session)] == ["base", "aligned"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no responses"),
        ("prompt_id,prompt,condition\n1,Why?,a\n", r'in\.csv, line 2, field "text": missing'),
        ("prompt_id,prompt,condition,text\n1,Why?,a\n", r"in\.csv, line 2: 3 fields; expected 4 as in the header"),
        ('prompt_id,prompt,condition,text\n1,"a\nb",c,d\n1,,c,d\n', r'in\.csv, line 4, field "prompt": missing'),
        ('prompt_id,prompt,condition,text\n1,"Why?,a,b\n', r"in\.csv, line 2: not CSV"),
        ("text,text\n1,2\n", r"in\.csv, line 1: column 'text' is there twice"),
    ],
)
def test_faults_name_line_and_field(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "in.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_csv(file)
