"""CSV as spreadsheets and programs write it, through every reader of the program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alignbench.contexts.example_files import read_examples
from alignbench.csv_files import read_csv_table
from alignbench.errors import InputError
from alignbench.prompts import load_prompts
from alignbench.scoring.responses import FileResponses
from tests.support.collected import read_csv, read_jsonl

ROWS = [["prompt_id", "prompt", "condition", "text"], ["q1", "Why, then?", "ours", 'a "b", c; d\te|f']]


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def written(separator: str, end: str = "\r\n", head: Callable[[str], str] = str) -> str:
    header, *rows = ROWS
    lines = [map(head, header), *(map(quoted, row) for row in rows)]
    return "".join(separator.join(line) + end for line in lines)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("head", [str, str.upper, str.title, "  {} ".format, lambda name: name.replace("_", " ")])
def test_separators_line_ends_and_spellings_of_names(
    tmp_path: Path, separator: str, end: str, head: Callable[[str], str]
) -> None:
    file = tmp_path / "in.csv"
    file.write_bytes(b"\xef\xbb\xbf" + written(separator, end, head).encode())
    imported = read_csv(file)
    (cell,) = imported.conditions[0].cells
    assert (cell.prompt.id, cell.prompt.text, cell.samples[0].text) == ("q1", "Why, then?", 'a "b", c; d\te|f')


@pytest.mark.parametrize(("first", "separator"), [("sep=;", ";"), ("SEP=^", "^"), ('"sep=,"', ",")])
def test_a_first_line_names_the_separator(tmp_path: Path, first: str, separator: str) -> None:
    file = tmp_path / "in.csv"
    file.write_text(f"{first}\r\n{written(separator)}q2{separator}Why?\r\n", encoding="utf-8", newline="")
    with pytest.raises(InputError, match=r"in\.csv, line 4: 2 fields; expected 4"):
        read_csv(file)


def test_rows_without_content_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(f",,,\n\n{written(',')},,,\n , ,,\n\nq2,Why?,ours,\n", encoding="utf-8")
    imported = read_csv(file)
    assert imported.notes == ("3 empty rows were left out",)
    assert [cell.samples[0].text for cell in imported.conditions[0].cells] == ['a "b", c; d\te|f', ""]


def test_apostrophes_are_taken_away_from_our_own_exports_only(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    texts = ["'-5 degrees' is cold", "'=x", "'Tis", "'@home' was a project"]
    file.write_text("prompt_id,prompt,condition,text\n" + "".join(f"q,Why?,a,{text}\n" for text in texts))
    (cell,) = read_csv(file).conditions[0].cells
    assert [sample.text for sample in cell.samples] == texts


def test_prompts_and_examples_are_read_alike(tmp_path: Path) -> None:
    long = "x" * 200_000
    prompts = tmp_path / "prompts.csv"
    prompts.write_text(f'\ufeffID; Prompt \r\na;"Why; then?"\r\n;\r\nb;{long}\r\n', encoding="utf-8", newline="")
    assert [(each.id, each.text) for each in load_prompts(str(prompts))] == [("a", "Why; then?"), ("b", long)]
    examples = tmp_path / "examples.csv"
    examples.write_text(f"PROMPT\tResponse\tnote\nWhy?\t{long}\tmine\n\t\t\nWho?\tWe.\t\n", encoding="utf-8")
    assert [each.response for each in read_examples(examples).items] == [long, "We."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('prompt\n\n"a\nb"\n"c\n', r"p\.csv, line 5: not CSV"),
        ("prompt,id\na,1,2\n", r"p\.csv, line 2: 3 fields; expected 2"),
        ("prompt,id\na\n", r"p\.csv, line 2: 1 fields; expected 2"),
        ("Prompt, PROMPT\na,b\n", r"p\.csv, line 1: column 'prompt' is there twice"),
        ("question;id\na;b\n", r"p\.csv, line 1: columns question, id; expected one called prompt or text"),
        ("prompt,\na,lost\n", r"p\.csv, line 2: 'lost' stands in a column without a name"),
    ],
)
def test_faults_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "p.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_prompts(str(file))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "in.csv"
    file.write_bytes(written(",").encode(encoding))
    with pytest.raises(InputError, match=r"is UTF-16"):
        read_csv(file)


def test_a_nul_is_a_character_of_a_cell(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("prompt\na\0b\n", encoding="utf-8")
    assert read_csv_table(file, ("prompt",), ()).rows[0].cells == {"prompt": "a\0b"}


def test_a_key_that_is_there_twice_and_a_list_are_named(tmp_path: Path) -> None:
    twice = tmp_path / "twice.jsonl"
    twice.write_text('\n{"prompt_id": "1", "condition": "a", "text": "x", "text": "y", "prompt": "Why?"}\n')
    for read in (read_jsonl, FileResponses):
        with pytest.raises(InputError, match=r"twice\.jsonl, line 2.*'text'.*twice"):
            read(twice)
    listed = tmp_path / "list.jsonl"
    listed.write_text('[\n{"prompt": "Why?"}\n]\n')
    with pytest.raises(InputError, match="is one JSON list; expected JSON Lines"):
        load_prompts(str(listed))
