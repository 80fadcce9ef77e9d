"""Variables in prompts, filled in from a CSV file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.prompt_fields import prompt_json
from alignbench.prompt_parts import Filled
from alignbench.prompts import load_prompts, typed_prompt, with_values
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.samples import BASE


def values(folder: Path, text: str) -> Path:
    path = folder / "values.csv"
    path.write_text(text)
    return path


def fill(folder: Path, text: str, table: str) -> list[Prompt]:
    return with_values([Prompt("q", text)], values(folder, table))


def test_every_row_makes_a_prompt(tmp_path: Path) -> None:
    plain = Prompt("plain", "Why?")
    asked = Prompt("q", "Why is {{ thing|upper }} {{how}}?")
    path = values(tmp_path, "Thing,how,ID\ntea,good,first\nrain,wet,\n")
    first, second, last = with_values([asked, plain], path)
    assert [first.text, second.text] == ["Why is TEA good?", "Why is RAIN wet?"]
    assert [first.id, second.id, last] == ["q#first", "q#2", plain]
    assert first.filled == Filled("q", asked.text, (("how", "good"), ("thing", "tea")))


def test_without_values_braces_are_text(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("Why {{ thing }}?\n")
    assert load_prompts(str(path))[0].text == "Why {{ thing }}?"
    values(tmp_path, "thing\ntea\n")
    (prompt,) = load_prompts(f"{path}?values=values.csv")
    assert prompt.text == "Why tea?"


def test_messages_and_values_that_look_like_templates(tmp_path: Path) -> None:
    (prompt,) = with_values([Prompt("q", "Say {{ word }}.")], values(tmp_path, 'word\n"{{ 7*7 }} {% raw %}"\n'))
    assert prompt.text == "Say {{ 7*7 }} {% raw %}."
    file = tmp_path / "x.jsonl"
    talk = [{"role": "system", "content": "You are {{ who }}."}, {"role": "user", "content": "Who?"}]
    file.write_text(json.dumps({"id": "a", "messages": talk}))
    (prompt,) = with_values(load_prompts(str(file)), values(tmp_path, "who\nAda\n"))
    assert (prompt.system, prompt.text, prompt.id) == ("You are Ada.", "Who?", "a#1")


@pytest.mark.parametrize(
    ("text", "table", "message"),
    [
        ("Why {{ thign }}?", "thing\ntea\n", r"line 1: the prompt 'q' has the variable 'thign'.*Did you mean thing\?"),
        ("Why {{ thing }}?", "thing,colour\ntea,red\n", r"line 1: no prompt uses the column 'colour'"),
        ("Why?", "thing\ntea\n", r"no prompt has a variable to fill in; expected one with \{\{ thing \}\}"),
        ("Why {{ thing }}?", "thing\n", "holds no values"),
        ("Why {{ thing }}?", "", "holds no values"),
        ("Why {{ thing }}?", "thing,id\ntea,a\nrain,a\n", r"values\.csv, line 3: id 'a' is already on line 2"),
        ("{{ thing }}", "thing,id\ntea,1\n,2\n", r"values\.csv, line 3: the prompt 'q' is empty with these values"),
        ("Why {{ thing?", "thing\ntea\n", "The prompt 'q' failed: line 1"),
        ("Why {{ thing.__class__ }}?", "thing\ntea\n", r"lines 2 to 2, failed: .*unsafe"),
        ("{% for i in range(10**9) %}{{ thing }}{% endfor %}", "thing\ntea\n", "The prompt 'q', filled in"),
        ("Why {{ thing / 2 }}?", "thing\ntea\n", "unsupported operand"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, text: str, table: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fill(tmp_path, text, table)


def test_a_ladder_has_no_variables(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"id": "a", "prompt": "Write {{ x }}.", "constraints": ["It rains."]}))
    with pytest.raises(InputError, match="has variables, and constraints or paraphrase_of"):
        with_values(load_prompts(str(file)), values(tmp_path, "x\ny\n"))


def test_what_a_prompt_was_made_of_is_kept(tmp_path: Path) -> None:
    (prompt,) = with_values([typed_prompt("Why {{ thing }}?")], values(tmp_path, "thing\ntea\n"))
    with Store.open(tmp_path / "a.db") as store:
        session = store.create_session("x")
        store.add_cell(session, prompt, Condition.zero_shot(BASE), 1)
        assert store.prompts(session) == [prompt]
    file = tmp_path / "again.jsonl"
    file.write_text(json.dumps({"id": prompt.id, "prompt": prompt.text, **prompt_json(prompt)}))
    assert load_prompts(str(file))[0].filled == prompt.filled
    file.write_text('{"prompt": "x", "filled": {"of": 1}}')
    with pytest.raises(InputError, match='field "filled": expected an object like'):
        load_prompts(str(file))
