"""JSON and TOML that come from outside, and that nothing else reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alignbench
from alignbench.errors import InputError
from alignbench.parsing import MAX_DEPTH, parse_json, parse_json_at, parse_toml, too_deep
from alignbench.textfiles import json_object

DEEP = 20_000
NESTED: list[Callable[[int], str]] = [
    lambda n: "[" * n + "]" * n,
    lambda n: '{"a":' * n + "1" + "}" * n,
    lambda n: '[{"a":' * (n // 2) + "[]" * (n % 2) + "null" * (1 - n % 2) + "}]" * (n // 2),
    lambda n: "[[],{}," * n + "1" + "]" * n,
    lambda n: '["]]]\\"]", ' * n + "1" + ', "[[["]' * n,
]


@pytest.mark.parametrize("nested", NESTED)
def test_the_deepest_json_that_is_read(nested: Callable[[int], str]) -> None:
    most = next(n for n in range(MAX_DEPTH + 1, 0, -1) if not too_deep(nested(n)))
    assert most >= MAX_DEPTH - 1
    parse_json(nested(most))
    for n in (most + 1, 2_000, DEEP):
        with pytest.raises(ValueError, match="nested more than 100 deep"):
            parse_json(nested(n))
        with pytest.raises(InputError, match=r"^f.json: not JSON that can be read: it is nested more than 100 deep\.$"):
            json_object(nested(n), "f.json")


@pytest.mark.parametrize("text", ["[" * DEEP, '{"a":' * DEEP, '[{"' * DEEP, "[[]" * DEEP, '[["' + "[" * DEEP])
def test_what_is_opened_and_never_closed(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested more than 100 deep|Expecting|Unterminated"):
        parse_json(text)


def test_brackets_in_texts_and_beside_each_other_are_no_depth() -> None:
    value = [["[" * 500 + '\\"', "{" * 500, '"'], [], {}] * 1000
    assert parse_json(json.dumps(value)) == value


@given(
    st.recursive(
        st.none() | st.text('[]{}"\\a', max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a]", max_size=2), inner, max_size=3),
        max_leaves=8,
    )
)
def test_the_same_as_json(value: object) -> None:
    text = json.dumps([value] * 60)
    assert not too_deep(text)
    assert parse_json(text) == json.loads(text)
    assert parse_json_at("x " + text + " y", 2) == (json.loads(text), 2 + len(text))


@pytest.mark.parametrize("text", ["9" * 5_000, f'{{"a": {"9" * 5_000}}}'])
def test_a_number_of_many_digits_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="4300 digits"):
        parse_json(text)
    with pytest.raises(ValueError, match="4300 digits"):
        parse_json_at(text, 0)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5_000 + "]" * 5_000,
        "a = " + "[" * 200 + "]" * 200,
        "a = " + "{a = " * 150 + "1" + "}" * 150,
        "a" + ".a" * 200 + " = 1",
        "[" + "a." * 200 + "a]",
        "[[" + "a." * 200 + "a]]",
    ],
)
def test_deep_toml(text: str) -> None:
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        parse_toml(text)


def test_toml_as_it_is() -> None:
    assert parse_toml("[a.b]\nc = [[1], [2]]\n") == {"a": {"b": {"c": [[1], [2]]}}}
    with pytest.raises(ValueError, match="line 1"):
        parse_toml("a = = 1")


READER = re.compile(r"\b(json\.(loads?|JSONDecoder)|tomllib\.loads?)\b|\w\.json\(\)")  # the last one of a response


def test_nothing_else_reads_json_and_toml() -> None:
    folder = Path(alignbench.__file__).parent
    files = {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in folder.rglob("*.py")}
    found = {name for name, text in files.items() if READER.search(text)}
    assert found == {"parsing.py"}
