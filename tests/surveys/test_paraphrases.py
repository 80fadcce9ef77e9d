"""Questions in other words: what they may be paraphrases of, and how consistent a condition is over them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.errors import InputError
from alignbench.metrics.answer_distributions import split_floor
from alignbench.metrics.statistics import Uncertainty
from alignbench.prompts import load_prompts
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from alignbench.surveys.asking import asked, options_of, question_of
from alignbench.surveys.distribution import Reply, of_masses, of_replies, with_paraphrases
from alignbench.surveys.summary import summarize
from alignbench.surveys.to_json import answer_json, summary_json
from tests.support.samples import BASE

THREE = tuple(map(AnswerOption, ("Low", "Middle", "High")))
TOWN = HumanGroup("town", (0.5, 0.25, 0.25))


def question(id: str, of: str = "") -> Prompt:
    return Prompt(id, f"How high, {id}?", "mine", AnswerOptions(THREE, (TOWN,), paraphrase_of=of))


def file(folder: Path, *rows: dict[str, object]) -> str:
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"Why {i}?", **row}) + "\n" for i, row in enumerate(rows)))
    return str(path)


def test_files_say_what_a_question_is_a_paraphrase_of(tmp_path: Path) -> None:
    yes, ja = ["Yes", "No"], ["Ja", "Nein"]
    prompts = load_prompts(file(tmp_path, {"id": 7, "options": yes}, {"id": "de", "options": ja, "paraphrase_of": 7}))
    assert [options_of(prompt).paraphrase_of for prompt in prompts] == ["", "7"]
    table = tmp_path / "mine.csv"
    table.write_text("id,prompt,options,paraphrase_of\n7,Why?,Yes|No,\nde,Warum?,Ja|Nein,7\n")
    assert [options_of(prompt).paraphrase_of for prompt in load_prompts(str(table))] == ["", "7"]
    german = prompts[1]
    assert AnswerOptions.from_json(options_of(german).to_json()) == german.answers
    assert question_of(asked(german, (1, 0))) == german
    with Store.open(tmp_path / "a.db") as store:
        store.add_cell(store.create_session("s"), asked(german, (1, 0)), Condition.zero_shot(BASE), 1)
        (kept,) = store.prompts(1)
    assert options_of(kept).paraphrase_of == "7"


REFUSES = {"text": "Not saying", "refusal": True}


@pytest.mark.parametrize(
    ("of", "more", "says"),
    [
        ("b", {}, "the question itself; expected the id of another one."),
        ("aa", {}, "no question of the file has the id 'aa'; expected the id of another one. Did you mean a?"),
        ("text", {}, "no question of the file has the id 'text'"),
        ("c", {}, "'c': that question is a paraphrase itself, of 'a'; expected the id of that one."),
        ("a", {"options": ["1", "2", "3"]}, "'a': it has 2 options and this one has 3; expected as many."),
        ("d", {"options": [REFUSES, "1", "2"]}, "'d': other options of it are refusals; expected the same ones"),
        (["a"], {}, "a list; expected the id of another question of the file."),
        (" ", {}, "empty; expected the id of another question of the file."),
        ("a", {"options": None}, 'there are no "options"; expected those of the question.'),
    ],
)
def test_what_is_no_paraphrase_names_file_line_and_field(
    tmp_path: Path, of: object, more: dict[str, object], says: str
) -> None:
    path = file(
        tmp_path,
        {"id": "a", "options": ["Yes", "No"]},
        {"id": "b", "options": ["Ja", "Nein"], "paraphrase_of": of, **more},
        {"id": "c", "options": ["Oui", "Non"], "paraphrase_of": "a"},
        {"id": "d", "options": ["Yes", "No", REFUSES]},
        {"id": "text"},
    )
    with pytest.raises(InputError) as caught:
        load_prompts(path)
    assert str(caught.value).startswith(f'{path}, line 2, field "paraphrase_of": ')
    assert says in str(caught.value)


def test_consistency_is_that_of_the_wordings_distributions() -> None:
    wordings = [question("a"), question("a2", "a"), question("a3", "a"), question("b")]
    masses = [(0.7, 0.2, 0.1), (0.1, 0.2, 0.7), (0.7, 0.2, 0.1), (1.0, 0.0, 0.0)]
    answers = [of_masses(each, "m", [row], [0.0]) for each, row in zip(wordings, masses, strict=True)]
    alone = of_masses(wordings[1], "other", [masses[0]], [0.0])
    first, second, _, other, apart = with_paraphrases([*answers, alone])
    assert first.paraphrase_consistency == pytest.approx(1 - (0.6 + 0.0 + 0.6) / 3)
    assert (first.expected_paraphrase_consistency, second.paraphrase_consistency) == (1.0, None)
    assert other.paraphrases == apart.paraphrases == ()
    assert answer_json(first)["paraphrase_consistency"] == pytest.approx(0.6)
    assert answer_json(second)["paraphrase_of"] == "a"
    summary = summarize([first, second, other], ["m"], {}, Uncertainty(resamples=100))
    (row,) = summary_json(summary)["answering"]
    assert (row["paraphrase_consistency"]["n"], row["entropy"]["n"]) == (1, 2)
    (to_town,) = summary.to_groups
    assert to_town.distances["tv"].n == 2
    assert to_town.distances["tv"].value == pytest.approx(((0.2 + 0.45) / 2 + 0.5) / 2)  # a question's wordings first


def test_without_paraphrases_nothing_is_said_of_them() -> None:
    summary = summarize([of_masses(question("a"), "m", [(0.5, 0.5, 0.0)], [0.0])], ["m"], {}, Uncertainty(resamples=9))
    (row,) = summary_json(summary)["answering"]
    assert (row["paraphrase_consistency"], row["expected_paraphrase_consistency"]) == (None, None)


def test_replies_to_wordings_have_a_chance_of_their_own() -> None:
    said = {"a": "AABB", "a2": "AAAB"}
    answers = [
        of_replies(question(id, "" if id == "a" else "a"), "m", {(0, 1, 2): [Reply(letter) for letter in letters]})
        for id, letters in said.items()
    ]
    first = with_paraphrases(answers)[0]
    assert first.paraphrase_consistency == pytest.approx(0.75)
    assert first.expected_paraphrase_consistency == pytest.approx(1 - split_floor((5, 3, 0), 4, 4))
