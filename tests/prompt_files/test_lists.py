"""Prompts in JSON and YAML: what is read of a list, and what is said of one that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.prompt_files.yaml_lists import MOST_VALUES
from alignbench.prompts import load_prompts
from alignbench.spec import Prompt


def load(folder: Path, name: str, content: str | bytes) -> list[tuple[str, str]]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [(prompt.id, prompt.text) for prompt in load_prompts(str(path))]


def refuse(folder: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        load(folder, name, content)
    assert str(folder / name) in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


RECORDS = [
    {"id": "a", "prompt": " Why, {{ then }}? "},
    {"id": 7, "text": "How?"},
    {"id": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What?"}]},
]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("kind", ["json", "yaml", "yml"])
def test_a_list_of_objects(tmp_path: Path, kind: str, mark: bytes, wrapped: bool) -> None:
    value = {"name": "mine", "prompts": RECORDS, "more": [1, {"prompts": []}]} if wrapped else RECORDS
    text = json.dumps(value, indent=1)  # JSON is YAML
    read = load(tmp_path, f"x.{kind}", mark + text.encode())
    assert read == [("a", "Why, {{ then }}?"), ("7", "How?"), ("m", "What?")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", '["One?", "Two\\n?"]'),
        ("x.json", '\r\n{"prompts":["One?","Two\\n?"]}\r\n'),
        ("x.yaml", "- One?\n- |\n  Two\n  ?\n"),
        ("x.yaml", "# mine\n---\nprompts:\n- One?\n- 'Two\n\n  ?'\n..."),
    ],
)
def test_a_list_of_texts(tmp_path: Path, name: str, content: str) -> None:
    assert [text for _, text in load(tmp_path, name, content)] == ["One?", "Two\n?"]


def test_survey_questions_and_ladders_are_read_as_in_other_files(tmp_path: Path) -> None:
    content = """
agree: &agree [Agree, Disagree]
prompts:
- {id: q1, prompt: "Is it so?", options: *agree}
- {id: q2, prompt: "Was it so?", options: *agree, paraphrase_of: q1}
- {id: s, prompt: Write., constraints: [It rains.]}
"""
    path = tmp_path / "x.yaml"
    path.write_text(content)
    first, second, *rungs = load_prompts(str(path))
    assert first.answers is not None
    assert [option.text for option in first.answers.options] == ["Agree", "Disagree"]
    assert second.answers is not None
    assert second.answers.paraphrase_of == "q1"
    assert [rung.id for rung in rungs] == ["s/0", "s/1"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"questions": ["x"]}', "x.json: an object with questions; expected a list of texts or objects"),
        (
            '{"prompt": "x"}',
            'x.json: an object with prompt; expected a list of texts or objects, or an object like {"prompts"',
        ),
        ('{"promts": ["x"]}', "Did you mean promts?"),
        ('{"prompts": "x"}', 'x.json, field "prompts": a text; expected a list.'),
        ('"x"', "x.json: a text; expected a list"),
        ("{}", "x.json: an empty object; expected a list"),
        ('{"prompt": "x"}\n{"prompt": "y"}\n', "It has an object on each line: call it .jsonl."),
        ('["x",\n"y"\n"z"]', "x.json, line 3: not JSON: Expecting ',' delimiter at column 1"),
        ('["x",]', "not JSON: Expecting value at column 6"),
        ('["x"', "not JSON: Expecting ',' delimiter"),
        ('["x"] ]', "not JSON: Extra data at column 7"),
        ('["x",\nnull]', "x.json, item 2 (line 2): null; expected a text, or an object"),
        ('["x", ["y"]]', "item 2 (line 1): a list; expected a text, or an object"),
        ('["x", 5]', "item 2 (line 1): a number; expected a text"),
        ('["x", " "]', 'item 2 (line 1), field "prompt": empty; expected a prompt.'),
        ('[{"prompt": {"text": "x"}}]', 'item 1 (line 1), field "prompt": an object; expected a text.'),
        ('[{"prompt": null}]', 'field "prompt": null; expected a text.'),
        ('[{"question": "x", "n": 1}]', "Its fields: question, n. Name one: --prompt-field NAME"),
        ('[{"prompt": "x", "prompt": "y"}]', "the key 'prompt' is there twice"),
        ('{"prompts": ["x"], "prompts": ["y"]}', "the key 'prompts' is there twice"),
        ('["x",\n"x"]', "item 2 (line 2): this prompt is already in item 1 (line 1); expected it once."),
        ('[{"id": "a", "prompt": "x"}, {"id": "a", "prompt": "y"}]', "id 'a' is already in item 1 (line 1)"),
        ("[" + "[" * 100_000, "nested more than"),
        ('["x", ' + "9" * 5000 + "]", "not JSON that can be read"),
        ("[]", "holds no prompts"),
        ("", "holds no prompts"),
        ('["\\ud800"]', "half of a surrogate pair"),
        ('["x\ny"]', "not JSON: Invalid control character"),
    ],
)
def test_json_that_is_no_list_of_prompts(tmp_path: Path, content: str, message: str) -> None:
    assert message in refuse(tmp_path, "x.json", content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- Is it?\n- no\n", 'x.yaml, line 2: no, which YAML reads as false; expected a text, here in quotes: "no".'),
        ("- prompt: yes\n", 'line 1: field "prompt": yes, which YAML reads as true; expected a text'),
        ("- prompt: 42\n", '42, which YAML reads as a number; expected a text, here in quotes: "42"'),
        ("- 1e3.5\n- 3.5\n", "3.5, which YAML reads as a number"),
        ("- id: off\n  prompt: x\n", 'field "id": off, which YAML reads as false'),
        ("- ~\n", "line 1: null; expected a text"),
        ("- prompt:\n", 'line 1: field "prompt": null; expected a text'),
        ("- - x\n", "item 1 (line 1): a list; expected a text"),
        ("- prompt: [x]\n", 'field "prompt": a list; expected a text.'),
        ("no: x\nprompts: [x]\n", 'line 1: the key no is no text to YAML; expected one, such as "no".'),
        ("- prompt: x\n  prompt: y\n", "line 2: the key 'prompt' is there twice"),
        ("prompts: [x]\nprompts: [y]\n", "the key 'prompts' is there twice"),
        ("- a\n---\n- b\n", "has several documents (---); expected one."),
        ("x", "line 1: a single value; expected a list of texts"),
        ("question: x\n", "an object with question; expected a list"),
        ("prompts: x\n", 'field "prompts": a text; expected a list.'),
        ("- !!python/object/apply:os.system [x]\n", "the tag tag:yaml.org,2002:python/object/apply:os.system"),
        ("- !mine x\n", "the tag !mine; expected values without tags"),
        ("- {{ city }}\n", "a text that begins with [ or { needs quotes."),
        ("- prompt: x\n  n: .inf\n", ".inf is a number that JSON has not"),
        ("- &a [*a]\n", "in itself"),
        ("- {a: &a {b: 1}, c: {<<: *a}, prompt: x}\n", "a merge key (<<)"),
        ("- *nowhere\n", "not YAML: found undefined alias"),
        ("- [x\n", "line 2: not YAML"),
        ("[Why?, How?]\n", "A text with a question mark, in braces or brackets, needs quotes."),
        ("- prompt: a: b\n", "line 1: not YAML: mapping values are not allowed"),
        ("\t- x\n", "line 1: not YAML: found character"),
        ("- x\x00y\n", "not YAML"),
        ("[" * 5000, "x.yaml"),
        ("", "holds no prompts"),
        ("# nothing\n", "holds no prompts"),
        ("[]", "holds no prompts"),
    ],
)
def test_yaml_that_is_no_list_of_prompts(tmp_path: Path, content: str, message: str) -> None:
    assert message in refuse(tmp_path, "x.yaml", content)


def test_ids_of_yaml_are_what_is_written(tmp_path: Path) -> None:
    ids = ["007", "12:30", "0x1F", "2024-01-01", "1_000", "a"]
    content = "".join(f"- id: {id}\n  prompt: Why?\n" for id in ids)
    assert [id for id, _ in load(tmp_path, "x.yaml", content)] == ids


def test_aliases_do_not_grow_without_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    message = refuse(tmp_path, "x.yaml", "\n".join([*lines, "prompts: [x]"]))
    assert f"an item with more than {MOST_VALUES:,} values, aliases written out" in message


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_encodings(tmp_path: Path, kind: str) -> None:
    assert load(tmp_path, f"x.{kind}", '["Où?", "😀"]')[0][1] == "Où?"
    assert "is UTF-16; expected UTF-8" in refuse(tmp_path, f"x.{kind}", '["x"]'.encode("utf-16"))
    mixed = b'["fine",\n"caf\xe9"]'
    assert f"x.{kind}, line 2: byte 0xe9 at offset 13 is not UTF-8" in refuse(tmp_path, f"x.{kind}", mixed)


def test_fields_with_other_names(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(
        '[{"q": "One?", "key": 3, "prompt": "not this"}, {"q": [{"role": "user", "content": "Two?"}], "key": "b"}]'
    )
    prompts = load_prompts(f"{path}?field=q&id=key")
    assert prompts == [Prompt("3", "One?", "x"), Prompt("b", "Two?", "x")]
    for query, message in (
        ("field=qq", r'item 1 \(line 1\): there is no field "qq"\. Did you mean q\?'),
        ("id=kex", r'there is no field "kex"\. Did you mean key\?'),
        ("field=key", r'field "key": a number; expected a prompt'),
        ("fields=q", r"unknown part 'fields' after the question mark\. Did you mean field"),
        ("field=q&field=q", "field is there twice"),
        ("field=", "field is empty"),
        ("split=test", "unknown part 'split'"),
    ):
        with pytest.raises(InputError, match=message):
            load_prompts(f"{path}?{query}")
