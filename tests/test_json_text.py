"""JSON that every program can read."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path

import pytest

import alignbench
from alignbench.json_text import json_text


def test_numbers_that_json_does_not_have_are_null() -> None:
    value = {"a": math.inf, "b": [math.nan, (-math.inf, 1.5)], "c": {"d": [1, True, None, "é\ud83d"]}}
    text = json_text(value)
    assert text.isascii()
    assert json.loads(text) == {"a": None, "b": [None, [None, 1.5]], "c": {"d": [1, True, None, "é\ud83d"]}}


@pytest.mark.parametrize("folder", ["cli", "exporting"])
def test_only_one_module_writes_json(folder: str) -> None:
    """What a command prints or writes for other programs is made by `json_text`."""
    root = Path(alignbench.__file__).parent
    calls = [
        f"{path.name}:{node.lineno}"
        for path in (root / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("dumps", "dump") and ast.unparse(node.value) == "json"
    ]
    assert not calls
