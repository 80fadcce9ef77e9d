"""Survey questions: options and shares of groups, in files, in the store, exported and imported."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.cli.prompts import show
from alignbench.errors import InputError
from alignbench.exporting.samples import sample_rows, write_csv, write_jsonl
from alignbench.importing.save import save_import
from alignbench.prompts import load_prompts
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from tests.support.collected import read_csv, read_jsonl

ROADS = AnswerOptions(
    (AnswerOption("More", 1.0), AnswerOption("As many", 2.0), AnswerOption("Not saying", refusal=True)),
    (HumanGroup("town", (0.5, 0.25, 0.25), 40), HumanGroup("country", (0.75, 0.25, 0.0))),
)
ROW = {
    "id": "roads",
    "prompt": "How many roads should be built?",
    "options": [{"text": "More", "value": 1}, {"text": "As many", "value": 2}, {"text": "Not saying", "refusal": True}],
    "groups": {"town": {"shares": [0.5, 0.25, 0.25], "n": 40}, "country": [0.75, 0.25, 0]},
}


def load(folder: Path, *rows: dict[str, Any]) -> list[Prompt]:
    path = folder / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return load_prompts(str(path))


def test_jsonl(tmp_path: Path) -> None:
    roads, plain, short = load(
        tmp_path, ROW, {"id": "p", "prompt": "Why?"}, {"id": "s", "prompt": "Yes?", "options": ["Yes", " No "]}
    )
    assert roads == Prompt("roads", "How many roads should be built?", "mine", ROADS)
    assert (plain.answers, short.answers) == (None, AnswerOptions((AnswerOption("Yes"), AnswerOption("No"))))
    assert roads.hash == Prompt("roads", roads.text).hash  # what random numbers go by is the text alone


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,prompt,options,groups\n"
        'roads,How many?,"[{""text"": ""More"", ""value"": 1}, {""text"": ""Fewer"", ""value"": 2}]",'
        '"{""town"": [0.6, 0.4]}"\n'
        "coast,Which coast?,East | West,\n"
        "plain,Why?,,\n",
        "utf-8",
    )
    roads, coast, plain = load_prompts(str(path))
    assert roads.answers == AnswerOptions(
        (AnswerOption("More", 1.0), AnswerOption("Fewer", 2.0)), (HumanGroup("town", (0.6, 0.4)),)
    )
    assert coast.answers == AnswerOptions((AnswerOption("East"), AnswerOption("West")))
    assert plain.answers is None


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"groups": {"town": [0.5, 0.3, 0.3]}}, "groups", "the shares of group 'town' sum to 1.1; expected 1"),
        ({"groups": {"town": [0.5, 0.5]}}, "groups", "group 'town' has 2 shares; expected 3, one of each option"),
        ({"groups": {"town": [1.5, -0.5, 0]}}, "groups", "group 'town' has the share 1.5; expected 0 to 1"),
        ({"groups": {"town": [0, 0, 1]}}, "groups", "group 'town' has refusals alone"),
        ({"groups": {"town": {"shares": [1, 0, 0], "n": 0}}}, "groups", "expected 1 person or more"),
        ({"groups": {"town": {"shares": [1, 0, 0], "n": "many"}}}, "groups.town", "n is a text; expected a whole"),
        ({"groups": {"town": "all"}}, "groups.town", "expected a list of shares"),
        ({"groups": [0.5, 0.5, 0]}, "groups", "a list; expected an object"),
        ({"options": ["Yes"], "groups": None}, "options", "1 options that answer; expected 2 or more"),
        ({"options": "Yes|No"}, "options", "a text; expected a list of options"),
        ({"options": ["Yes", "yes ", "No"]}, "options", "the option 'yes' is there twice"),
        ({"options": ["Yes", ""]}, "options[1]", "no text"),
        ({"options": ["Yes", {"text": "No", "worth": 2}]}, "options[1]", "the key 'worth' is not known"),
        ({"options": ["Yes", {"text": "No", "value": "2"}]}, "options[1]", "the value is a text; expected a number"),
        ({"options": ["Yes", {"text": "No", "value": 2}], "groups": None}, "options", "some options have a value"),
        ({"options": [*map(str, range(27))], "groups": None}, "options", "27 options; expected at most 26"),
        ({"options": None}, "groups", 'there are no "options" that the shares could be of'),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_line_and_field(
    tmp_path: Path, changed: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, {"id": "first", "prompt": "First?"}, {**ROW, **changed})
    assert str(caught.value).startswith(f'{tmp_path}/mine.jsonl, line 2, field "{field}": ')
    assert says in str(caught.value)


def test_bad_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    for cells, says in (
        ("[Yes,", 'field "options": not JSON: Expecting value; expected a JSON list, or texts with | between them'),
        ("Yes", 'field "options": 1 options that answer'),
    ):
        path.write_text(f'id,prompt,options\na,Why?,"{cells}"\n', "utf-8")
        with pytest.raises(InputError) as caught:
            load_prompts(str(path))
        assert f"{path}, line 2, {says}" in str(caught.value)


def test_shares_may_be_rounded(tmp_path: Path) -> None:
    (prompt,) = load(tmp_path, {**ROW, "groups": {"town": [0.33, 0.33, 0.33]}})
    assert prompt.answers is not None
    assert prompt.answers.among_answers(prompt.answers.groups[0].shares) == (0.5, 0.5)


def test_a_foreign_field_of_that_name_is_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path, {"id": "a", "prompt": "Why?", "groups": "b"})[0].answers is None


def test_show_json_can_be_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts = load(tmp_path, ROW, {"id": "p", "prompt": "Why?"})
    show(str(tmp_path / "mine.jsonl"), limit=None, as_json=True)
    (tmp_path / "mine.jsonl").write_text(capsys.readouterr().out, "utf-8")
    assert load_prompts(str(tmp_path / "mine.jsonl")) == prompts


SHOWN = Prompt("roads#CAB", "How many?\n\nA. ...", "mine", ROADS.in_order((2, 0, 1), "roads"))


def stored(path: Path) -> int:
    condition = Condition.zero_shot(Model("m", "demo-base", "base"))
    with Store.open(path) as store:
        session = store.create_session("survey")
        for prompt in (SHOWN, Prompt("p", "Why?", "mine")):
            store.add_text(store.add_cell(session, prompt, condition, 1), 0, "A", raw_text="A", finish_reason="stop")
        assert store.prompts(session) == [SHOWN, Prompt("p", "Why?", "mine")]
        return session


def test_the_store_keeps_them_and_takes_newer_shares(tmp_path: Path) -> None:
    session = stored(tmp_path / "db")
    newer = AnswerOptions(ROADS.options).in_order((2, 0, 1), "roads")
    with Store.open(tmp_path / "db") as store:
        (condition,) = store.conditions(session)
        store.add_cell(session, Prompt(SHOWN.id, SHOWN.text, "mine", newer), condition, 1)
        store.add_cell(session, Prompt(SHOWN.id, SHOWN.text, "mine"), condition, 1)
        assert store.prompts(session)[0].answers == newer


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_export_and_import_keep_them(tmp_path: Path, kind: str) -> None:
    session = stored(tmp_path / "db")
    out = io.StringIO(newline="")
    with Store.open(tmp_path / "db") as store:
        rows = sample_rows(store, session)
        (write_jsonl if kind == "jsonl" else write_csv)(rows, out)
        path = tmp_path / f"mine.{kind}"
        path.write_text(out.getvalue(), "utf-8", newline="")
        imported = (read_jsonl if kind == "jsonl" else read_csv)(path)
        kept = save_import(store, imported).session
        assert store.prompts(kept) == [SHOWN, Prompt("p", "Why?", "mine")]
