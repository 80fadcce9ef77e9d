"""Prompts in CSV, Parquet and data sets: columns by any name, rows one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alignbench.errors import AlignbenchError, InputError
from alignbench.prompt_files.source import PromptSource, parse_prompt_source, source_in
from alignbench.prompts import load_prompts, prompt_source

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

COLUMNS = {"id": [1, 2, 3], "prompt": ["One?", " Two? ", "Three?"], "note": ["x", None, "y"]}


def parquet(folder: Path, columns: dict[str, Any], name: str = "x.parquet", **how: Any) -> Path:
    pq.write_table(pa.table(columns), folder / name, **how)
    return folder / name


def read(text: str) -> list[tuple[str, str]]:
    return [(prompt.id, prompt.text) for prompt in load_prompts(text)]


def error_of(text: str) -> str:
    with pytest.raises(InputError) as caught:
        load_prompts(text)
    return str(caught.value)


def test_parquet(tmp_path: Path) -> None:
    path = parquet(tmp_path, COLUMNS, row_group_size=2)
    assert read(str(path)) == [("1", "One?"), ("2", "Two?"), ("3", "Three?")]
    assert 'row 2, field "note": null; expected a prompt.' in error_of(f"{path}?field=note")
    assert 'row 1: there is no field "kex"' in error_of(f"{path}?id=kex")
    talk = [[{"role": "user", "content": "Why?"}]]
    assert read(str(parquet(tmp_path, {"messages": talk}, "talk.parquet")))[0][1] == "Why?"
    survey = load_prompts(str(parquet(tmp_path, {"prompt": ["Is it?"], "options": [["Yes", "No"]]}, "s.parquet")))
    assert survey[0].answers is not None


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"question": ["x"], "n": [1]},
            'row 1: no prompt; expected a field "prompt", "text" or "messages". Its fields: question, n',
        ),
        ({"prompt": ["x", None]}, 'row 2, field "prompt": null; expected a text.'),
        ({"prompt": [1, 2]}, 'row 1, field "prompt": a number; expected a text.'),
        ({"prompt": [b"x"]}, 'row 1, field "prompt": a value of type bytes; expected a text.'),
        ({"prompt": pa.array([1], pa.date32())}, 'row 1, field "prompt": a value of type date'),
        ({"prompt": pa.array([2**62], pa.timestamp("ms"))}, "is no Parquet file that can be read"),
        ({"prompt": ["x", "  "]}, 'row 2, field "prompt": empty'),
        ({"prompt": ["x", "y"], "id": ["a", "a"]}, "row 2: id 'a' is already in row 1"),
        ({"prompt": ["x"], "id": [0.5]}, 'row 1, field "id": a number'),
        ({"prompt": [{"a": 1}]}, 'row 1, field "prompt": an object; expected a text.'),
        ({"prompt": pa.array([], pa.string())}, "holds no prompts"),
    ],
)
def test_parquet_that_holds_something_else(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    assert message in error_of(str(parquet(tmp_path, columns)))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\xff" * 40 + b"PAR1", b"prompt\nx\n"])
def test_a_file_that_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    assert "x.parquet is no Parquet file that can be read" in error_of(str(path))
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert "is a Git LFS pointer" in error_of(str(path))


def test_columns_of_csv_by_another_name(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Question Text,QID,prompt\nOne?,7,not this\nTwo?,8,\n")
    assert read(f"{path}?field=question text&id=QID") == [("7", "One?"), ("8", "Two?")]
    assert read(f"{path}?field=question_text&id=qid") == [("7", "One?"), ("8", "Two?")]
    assert "x.csv, line 1: columns question_text, qid, prompt; expected one called qud. Did you mean qid?" in error_of(
        f"{path}?id=qud"
    )
    path.write_text("question,key\nOne?,7\n")
    assert "expected one called prompt or text or messages. Name one: --prompt-field NAME, or FILE?field=" in error_of(
        str(path)
    )
    assert "a text file has no field" in error_of(f"{text_file(tmp_path)}?field=prompt")


def text_file(folder: Path) -> Path:
    (folder / "x.txt").write_text("One?\n")
    return folder / "x.txt"


def test_a_missing_package_is_named_with_its_install_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path, COLUMNS)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(
        AlignbenchError, match=r"Parquet files need pyarrow, which is not installed: pip install 'align"
    ):
        load_prompts(str(path))
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(AlignbenchError, match=r"Data sets need datasets.*pip install 'alignbench\[datasets\]'"):
        load_prompts("dataset:org/name")


# Sources


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("q.csv", PromptSource("q.csv")),
        ("q.csv?field=a b&id=k", PromptSource("q.csv", field="a b", id="k")),
        ("q.csv?values=/v/a.csv", PromptSource("q.csv", values="/v/a.csv")),
        ("dataset:org/n?split=test[:10]&field=q", PromptSource("org/n", True, field="q", split="test[:10]")),
        ("dataset:./x?config=en&revision=v1", PromptSource("./x", True, config="en", revision="v1")),
        ("what?.csv?field=q", PromptSource("what?.csv", field="q")),
    ],
)
def test_a_source_says_the_same_again(text: str, source: PromptSource) -> None:
    assert parse_prompt_source(text) == source
    assert parse_prompt_source(str(source)) == source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("~nobody-of-that-name/x.txt", "there is no such home folder"),
        ("x.jsonl?values=~nobody-of-that-name/x.csv", "there is no such home folder"),
        ("dataset:~nobody-of-that-name/x", "there is no such home folder"),
        ("x.jsonl?values=a%00b", "values has a NUL character"),
    ],
)
def test_paths_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.jsonl").write_text('{"prompt": "Why {{ x }}?"}\n')
    assert message in error_of(text)


def test_a_file_with_a_question_mark_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "q.csv?field=x"
    path.write_text("x")
    assert parse_prompt_source(str(path)).location == str(path)
    assert source_in(tmp_path, "q.csv?field=x").location == str(path)
    assert source_in(tmp_path, "q.csv?field=y") == PromptSource(str(tmp_path / "q.csv"), field="y")
    assert source_in(tmp_path, "dataset:./d?split=a").location == str(tmp_path / "d")
    assert source_in(tmp_path, "dataset:org/d?split=a").location == "org/d"


def test_what_an_option_says_beside_a_source(tmp_path: Path) -> None:
    path = text_file(tmp_path)
    assert prompt_source(str(path), field="q", id_field="k") == PromptSource(str(path), field="q", id="k")
    with pytest.raises(InputError, match="names the field 'a', and an option 'b'"):
        prompt_source(f"{path}?field=a", field="b")
    with pytest.raises(InputError, match="field is empty"):
        prompt_source(str(path), field=" ")
    with pytest.raises(InputError, match="There is no prompt set or file"):
        prompt_source(str(tmp_path / "none.csv?field=q"))
