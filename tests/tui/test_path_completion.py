"""Paths that are completed as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.tui.path_completion import common, completions, model_completions


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "prompts one").mkdir()
    for name in ("prompts.csv", "prompts.jsonl", ".hidden", "odd\x1bname", "prompts one/a.txt", "model.gguf"):
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("pro", ["prompts one/", "prompts.csv", "prompts.jsonl"]),
        ("prompts.c", ["prompts.csv"]),
        ("prompts one", ["prompts one/"]),
        ("./prompts one/", ["./prompts one/a.txt"]),
        ("~", ["~/"]),
        ("~/pro", ["~/prompts one/", "~/prompts.csv", "~/prompts.jsonl"]),
        (".h", [".hidden"]),
        ("o", []),
        ("no/such/folder/", []),
        ("~nobody-of-that-name/", []),
        ("a\0/", []),
    ],
)
def test_completions(typed: str, found: list[str]) -> None:
    assert completions(typed) == found


def test_an_empty_line_has_what_is_not_hidden() -> None:
    assert completions("") == ["model.gguf", "prompts one/", "prompts.csv", "prompts.jsonl"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("llama:mod", ["llama:model.gguf"]),
        ("hf:pro", ["hf:prompts one/", "hf:prompts.csv", "hf:prompts.jsonl"]),
        ("llama:model.gguf+~/mod", ["llama:model.gguf+~/model.gguf"]),
        ("vllm:./mod", ["vllm:./model.gguf"]),
        ("openai:http://mod", []),
        ("mod", []),
    ],
)
def test_paths_of_models(typed: str, found: list[str]) -> None:
    assert model_completions(typed) == found


def test_what_they_have_in_common() -> None:
    assert common(completions("pro")) == "prompts"
    assert common([]) == ""
