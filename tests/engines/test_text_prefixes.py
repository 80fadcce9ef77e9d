"""What embedding models ask for before their texts, by the files in their folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alignbench.engines.text_prefixes import TextPrefixes, text_prefixes


def folder(tmp_path: Path, name: str, config: object = None, transformer: object = None) -> Path:
    path = tmp_path / name
    path.mkdir(parents=True)
    if config is not None:
        (path / "config_sentence_transformers.json").write_text(json.dumps(config))
    if transformer is not None:
        (path / "config.json").write_text(json.dumps(transformer))
    return path


@pytest.mark.parametrize(
    ("prompts", "default", "expected"),
    [
        ({}, None, ("", "")),
        ({"query": "", "document": ""}, None, ("", "")),  # as the library writes it where there is none
        ({"query": "q: ", "document": "d: "}, None, ("q: ", "d: ")),
        ({"query": "q: ", "passage": "p: "}, None, ("q: ", "p: ")),
        ({"query": "Represent this: "}, None, ("Represent this: ", "")),
        ({"query": "q: ", "sts": "s: "}, "sts", ("s: ", "s: ")),
        ({"sts": "s: "}, "gone", None),
        ({"web_search_query": "Instruct: a\nQuery: ", "sts_query": "Instruct: b\nQuery: "}, None, None),
    ],
)
def test_prompts_of_the_config(tmp_path: Path, prompts: dict[str, str], default: Any, expected: Any) -> None:
    found = text_prefixes(folder(tmp_path, "m", {"prompts": prompts, "default_prompt_name": default}))
    if expected is None:
        assert all(name in found.why_unknown for name in prompts)
    else:
        assert found == TextPrefixes(*expected)


@pytest.mark.parametrize("name", ["e5-base-v2", "multilingual-e5-small", "models--intfloat--e5-large/snapshots/0f3a"])
def test_the_e5_family_is_known_by_name(tmp_path: Path, name: str) -> None:
    assert text_prefixes(folder(tmp_path, name)) == TextPrefixes("query: ", "query: ")


def test_and_by_the_name_that_its_config_kept(tmp_path: Path) -> None:
    renamed = folder(tmp_path, "mine", transformer={"_name_or_path": "intfloat/e5-small"})
    assert text_prefixes(renamed).document == "query: "


@pytest.mark.parametrize("name", ["e5-mistral-7b-instruct", "multilingual-e5-large-instruct"])
def test_those_that_follow_instructions_have_to_be_told(tmp_path: Path, name: str) -> None:
    assert "follow instructions" in text_prefixes(folder(tmp_path, name)).why_unknown


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "code5-base", "e5x"])
def test_others_ask_for_nothing(tmp_path: Path, name: str) -> None:
    assert text_prefixes(folder(tmp_path, name)) == TextPrefixes()


def test_a_config_that_cannot_be_read_asks_for_nothing(tmp_path: Path) -> None:
    for config in ([], {"prompts": []}, {"prompts": {"query": 3}}):
        assert text_prefixes(folder(tmp_path, f"m{len(str(config))}", config)) == TextPrefixes()
