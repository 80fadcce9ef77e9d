"""Texts to be read by models, from three kinds of file."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.importing.texts import GivenText, read_texts
from alignbench.spec import Prompt


def written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_paragraphs_of_plain_text(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", "\nOne\nof two lines.\n\n \nThe other. \n")
    assert read_texts(path).texts == (GivenText("line 2", "One\nof two lines."), GivenText("line 6", "The other. "))


def test_rows_with_prompts_and_ids(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "a.jsonl",
        '{"text": " As it stands."}\n{"text": "A reply.", "prompt": "Why? ", "prompt_id": 7}\n{"text": "", "id": "e"}\n'
        '{"text": "half", "status": "error"}\n{"scores": {}}\n',
    )
    read = read_texts(path)
    assert read.texts == (GivenText("line 1", " As it stands."), GivenText("7", "A reply.", Prompt.typed("Why?")))
    assert read.empty == 1
    table = written(tmp_path, "a.csv", "id,prompt,text\nx,,Alone\ny,Why?,Because\n")
    assert read_texts(table).texts == (GivenText("x", "Alone"), GivenText("y", "Because", Prompt.typed("Why?")))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"txt": "x"}\n', 'line 1, field "text": missing'),
        ("a.jsonl", '{"text": 5}\n', 'line 1, field "text": a number; expected a text'),
        ("a.jsonl", '{"text": "\\ud800"}\n', "half of a surrogate pair"),
        ("a.csv", "id\nx\n", "expected one called text"),
        ("a.txt", "\n \n", "holds no texts"),
        ("a.md", "x", "unknown kind of file '.md'"),
    ],
)
def test_anything_else_is_one_message(tmp_path: Path, name: str, content: str, said: str) -> None:
    with pytest.raises(InputError, match="a\\.") as refused:
        read_texts(written(tmp_path, name, content))
    assert said in str(refused.value)
