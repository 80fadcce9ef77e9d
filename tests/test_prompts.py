from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignbench import paths
from alignbench.errors import InputError
from alignbench.prompts import load_prompts, shipped_sets
from alignbench.spec import Prompt
from alignbench.textfiles import split_lines


def load(folder: Path, name: str, content: str | bytes) -> list[Prompt]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_prompts(str(path))


def texts(prompts: list[Prompt]) -> list[str]:
    return [prompt.text for prompt in prompts]


def refuse(folder: Path, name: str, content: str | bytes) -> str:
    """The message that a file is refused with, without its folder."""
    with pytest.raises(InputError) as caught:
        load(folder, name, content)
    message = str(caught.value)
    assert str(folder / name) in message
    return message.replace(f"{folder}/", "")


# The sets that ship


def test_shipped_sets() -> None:
    assert shipped_sets() == ["contested", "open-ended", "stories", "survey"]


@pytest.mark.parametrize(("name", "prefix"), [("open-ended", "open"), ("contested", "contested")])
def test_a_shipped_set(name: str, prefix: str) -> None:
    prompts = load_prompts(name)
    assert [prompt.id for prompt in prompts] == [f"{prefix}-{i:03}" for i in range(1, 61)]
    assert {prompt.set for prompt in prompts} == {name}
    assert len(load_prompts(name, limit=7)) == 7
    lines = (paths.shipped_prompts() / f"{name}.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["prompt"] for line in lines] == texts(prompts)
    assert all(json.loads(line).keys() == {"id", "prompt", "topic"} for line in lines)


def test_the_survey_that_ships() -> None:
    prompts = load_prompts("survey")
    assert [prompt.id for prompt in prompts] == [f"survey-{i:03}" for i in range(1, 41)]
    sizes = [len(prompt.answers.options) for prompt in prompts if prompt.answers is not None]
    assert len(sizes) == 40
    assert {*sizes} == {2, 3, 4, 5}
    assert not any(prompt.answers.groups for prompt in prompts if prompt.answers)  # no shares are made up


def test_shipped_prompts_are_not_near_duplicates() -> None:
    prompts = [prompt for name in shipped_sets() for prompt in load_prompts(name)]
    prompts = [prompt for prompt in prompts if prompt.rung is None or prompt.rung.k == 0]
    words = {prompt.id: set(re.findall(r"\w+", prompt.text.lower())) for prompt in prompts}
    for a, b in combinations(words, 2):
        assert len(words[a] & words[b]) / len(words[a] | words[b]) < 0.6, (a, b)


def test_contested_prompts_are_questions() -> None:
    opening = re.compile(r"(Should|Is|Are|Could|Can) ")
    assert all(opening.match(text) and text.endswith("?") for text in texts(load_prompts("contested")))


# Files


def test_jsonl_fields(tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "prompt": "  One?  ", "topic": "x"}',
        '{"text": "Two?", "id": 2}',
        "",
        '{"messages": [{"role": "user", "content": "Three?"}], "id": null}',
    ]
    prompts = load(tmp_path, "mine.jsonl", "\n".join(lines))
    assert prompts[0] == Prompt("a", "One?", "mine")
    assert prompts[1] == Prompt("2", "Two?", "mine")
    assert prompts[2].text == "Three?"
    assert re.fullmatch(r"mine-[0-9a-f]{12}", prompts[2].id)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_ids_are_kept_as_they_are(tmp_path: Path, kind: str) -> None:
    ids = ["a", "A", " a", "caf\u00e9", "cafe\u0301", "1", "01", "1.0", "x" * 3000]
    lines = [json.dumps({"id": id, "prompt": "Why?"}) for id in ids]
    if kind == "csv":
        lines = ["id,prompt", *(f"{id},Why?" for id in ids)]
    prompts = load(tmp_path, f"x.{kind}", "\n".join(lines))
    assert [prompt.id for prompt in prompts] == ids
    assert len({prompt.key for prompt in prompts}) == len(ids)
    assert all(prompt.is_named for prompt in prompts)


def test_made_ids_do_not_depend_on_the_lines_around(tmp_path: Path) -> None:
    first = load(tmp_path, "x.txt", "one\ntwo\n")
    second = load(tmp_path, "x.txt", "zero\n\n two \none")
    assert second[1:] == first[::-1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("x.jsonl", ['{"prompt": "one"}', '{"prompt": "two"}']),
        ("x.csv", ["prompt", "one", "", "two"]),
        ("x.txt", ["one", "   ", "two"]),
    ],
)
def test_line_ends_and_byte_order_marks(tmp_path: Path, name: str, lines: list[str], mark: bytes, end: str) -> None:
    assert texts(load(tmp_path, name, mark + end.join([*lines, ""]).encode())) == ["one", "two"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_unicode_separators_are_part_of_a_prompt(tmp_path: Path, separator: str) -> None:
    prompt = f"one{separator}two"
    assert texts(load(tmp_path, "x.txt", f"{prompt}\nthree")) == [prompt, "three"]
    if separator.isprintable() or separator in "\u2028\u2029\x85":  # JSON and its strings forbid the others
        assert texts(load(tmp_path, "x.jsonl", f'{{"prompt": "{prompt}"}}\n')) == [prompt]
    assert texts(load(tmp_path, "x.csv", f"text\n{prompt}\n")) == [prompt]


def test_csv_columns_quotes_and_line_breaks(tmp_path: Path) -> None:
    content = 'ID, Prompt ,note\n7,"a, b",x\n,"line one\nline two",y\n'
    prompts = load(tmp_path, "x.csv", content)
    assert prompts[0] == Prompt("7", "a, b", "x")
    assert prompts[1].text == "line one\nline two"
    assert prompts[1].id.startswith("x-")


def test_an_upper_case_extension(tmp_path: Path) -> None:
    assert texts(load(tmp_path, "X.TXT", "one")) == ["one"]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1).filter(str.strip).map(str.strip), min_size=1, unique=True))
def test_jsonl_round_trip(tmp_path: Path, prompts: list[str]) -> None:
    for ascii_only in (True, False):
        lines = [json.dumps({"prompt": prompt}, ensure_ascii=ascii_only) for prompt in prompts]
        assert texts(load(tmp_path, "x.jsonl", "\n".join(lines))) == prompts


@given(st.text())
def test_split_lines_loses_nothing(text: str) -> None:
    lines = split_lines(text)
    assert "\n".join(lines) == text.replace("\r\n", "\n").replace("\r", "\n")


# What is refused

GOOD = '{"prompt": "fine"}\n'


def test_broken_json_on_line_7(tmp_path: Path) -> None:
    content = "".join(f'{{"prompt": "p{i}"}}\n' for i in range(6)) + '{"prompt": "unfinished\n'
    assert refuse(tmp_path, "x.jsonl", content).startswith("x.jsonl, line 7: not JSON: ")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "x"}', 'no prompt; expected a field "prompt", "text" or "messages".'),
        ('{"prompt": "  "}', 'field "prompt": empty; expected a prompt.'),
        ('{"prompt": null}', 'field "prompt": null; expected a text.'),
        ('{"text": 3.5}', 'field "text": a number; expected a text.'),
        ('{"prompt": ["x"]}', 'field "prompt": a list; expected a text.'),
        ('{"prompt": "\\ud800"}', "character 1 is half of a surrogate pair"),
        ('{"prompt": "x", "id": true}', 'field "id": true; expected a text.'),
        ('{"prompt": "x", "id": ""}', 'field "id": empty'),
        ('["x"]', 'a list; expected an object like {"prompt": "..."}.'),
        ('"x"', "a text; expected an object"),
        ('{"messages": []}', 'field "messages": there are none; expected one or more, the last one from the user.'),
        ('{"messages": [{"role": "system", "content": "x"}]}', "the last one is from the system; expected one from"),
        ('{"messages": "x"}', 'field "messages": a text; expected a list of messages.'),
        (
            '{"messages": [{"role": "tool", "content": "x"}]}',
            "field \"messages[0].role\": 'tool'; expected system, user",
        ),
        ('{"messages": ["x"]}', 'field "messages[0]": a text; expected an object like {"role": "user"'),
        (
            '{"messages": [{"role": "user", "content": "x"}, {"role": "user", "content": "y"}]}',
            "message 1: the role is 'user'; expected 'assistant'",
        ),
        (
            '{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}',
            "the last one is from the assistant; expected one from the user",
        ),
        ('{"messages": [{"role": "user"}]}', 'field "messages[0].content": null; expected a text.'),
        ('{"prompt": "x", "constraints": []}', 'field "constraints": a list; expected a list of texts, one or more.'),
        ('{"prompt": "x", "constraints": ["a", " "]}', 'field "constraints[1]": empty; expected a text.'),
        ('{"prompt": "x", "constraints": ["a", "a"]}', "field \"constraints\": 'a' is there twice"),
        ('{"prompt": "x", "constraints": ["a"], "options": ["b", "c"]}', "a survey question, or a rung of a ladder"),
        ('{"prompt": "x", "rung": {"constraints": []}}', 'field "rung": expected an object like'),
        ("[" * 100_000, "not JSON that can be read"),
        ('{"id": ' + "9" * 5000 + "}", "not JSON that can be read"),
    ],
)
def test_bad_records(tmp_path: Path, line: str, message: str) -> None:
    refusal = refuse(tmp_path, "x.jsonl", GOOD + line)
    assert refusal.startswith("x.jsonl, line 2")
    assert message in refusal


def test_repeated_ids_name_both_lines(tmp_path: Path) -> None:
    content = '{"id": "a", "prompt": "one"}\n{"id": "b", "prompt": "two"}\n\n{"id": "a", "prompt": "three"}'
    assert "line 4: id 'a' is already on line 1" in refuse(tmp_path, "x.jsonl", content)
    assert "line 3: this prompt is already on line 1" in refuse(tmp_path, "x.txt", "one\ntwo\none")


def test_not_utf8(tmp_path: Path) -> None:
    message = refuse(tmp_path, "x.txt", b"one\r\ntwo\r\nth\xe9\n")
    assert message == "x.txt, line 3: byte 0xe9 at offset 12 is not UTF-8; expected a file saved as UTF-8."
    assert "offset 6" in refuse(tmp_path, "x.txt", b"\xef\xbb\xbfone\xff")
    assert "UTF-16" in refuse(tmp_path, "x.csv", "prompt\nx".encode("utf-16"))


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.txt"])
@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_empty_files(tmp_path: Path, name: str, content: str) -> None:
    message = refuse(tmp_path, name, content)
    assert "holds no prompts" in message or "expected one called prompt or text" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("question,id\nx,1\n", "line 1: columns question, id; expected one called prompt or text or messages."),
        ("prompt,prompt\nx,y\n", "line 1: column 'prompt' is there twice"),
        ("id,prompt\n1,well, then\n", "line 2: 3 fields; expected 2 as in the header. A text with a comma"),
        ("id,prompt\n1\n", "line 2: 1 fields; expected 2"),
        ('id,prompt\n1,"a\nb"\n2,  \n', 'line 4, field "prompt": empty'),
        ('prompt\n"x\n', "not CSV"),
        ("prompt\n", "holds no prompts"),
    ],
)
def test_bad_csv(tmp_path: Path, content: str, message: str) -> None:
    assert message in refuse(tmp_path, "x.csv", content)


def test_unknown_extensions_and_folders(tmp_path: Path) -> None:
    expected = "expected .jsonl, .csv, .txt, .json, .yaml, .yml, .parquet."
    assert f"unknown kind of file '.toml'; {expected}" in refuse(tmp_path, "x.toml", "x")
    with pytest.raises(InputError, match="is a folder; expected a file"):
        load_prompts(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("open-endd", "There is no prompt set or file 'open-endd'. Did you mean open-ended?"),
        ("somewhere/contestd.jsonl", "Did you mean contested?"),
        ("zzz", "Known: contested, open-ended, stories, survey."),
        ("", "There is no prompt set or file ''."),
    ],
)
def test_missing_names_and_files(name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_prompts(name)
    assert message in str(caught.value)


def test_limit() -> None:
    with pytest.raises(InputError, match="limit is 0; expected 1 to"):
        load_prompts("contested", limit=0)
    assert len(load_prompts("contested", limit=1000)) == 60
