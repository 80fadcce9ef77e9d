"""Small files in the layouts of survey archives, in words of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.answer_options import AnswerOption, HumanGroup
from alignbench.errors import InputError
from alignbench.surveys.read import read_survey
from alignbench.surveys.respondents import is_refusal

INFO = """,Unnamed: 0,key,option_mapping,question,references,option_ordinal
0,0,BUSES_W9,"{1.0: 'Often', 2.0: 'Now and then', 3.0: 'Never', 99.0: 'Refused'}",How often should a bus come?,"['Often', 'Now and then', 'Never', 'Refused']","[1.0, 2.5, 4.0]"
1,1,COLOUR_W9,"{}",Which colour suits a bus?,"['Red', 'Green', 'Not sure', 'Refused']","[1, 1, 1]"
"""  # noqa: E501
RESPONSES = """,BUSES_W9,COLOUR_W9,SEX,AGE,WEIGHT_W9
0,Often,Red,Female,18-29,2.0
1,Never,,Female,65+,1.0
2,Refused,Green,Male,65+,1.0
3,Often,Blue,Male,,1.0
"""


def opinion_qa(folder: Path, info: str = INFO, responses: str = RESPONSES) -> Path:
    wave = folder / "Panel_W9"
    wave.mkdir()
    (wave / "info.csv").write_text(info, "utf-8")
    (wave / "responses.csv").write_text(responses, "utf-8")
    return wave


def test_opinion_qa(tmp_path: Path) -> None:
    survey = read_survey(str(opinion_qa(tmp_path)))
    buses, colour = survey.prompts
    assert (buses.id, buses.text, buses.set) == ("BUSES_W9", "How often should a bus come?", "Panel_W9")
    assert buses.answers is not None
    assert colour.answers is not None
    assert buses.answers.options == (
        AnswerOption("Often", 1.0),
        AnswerOption("Now and then", 2.5),
        AnswerOption("Never", 4.0),
        AnswerOption("Refused", refusal=True),
    )
    assert buses.answers.groups == (
        HumanGroup("everyone", (0.6, 0.0, 0.2, 0.2), 4),
        HumanGroup("AGE: 18-29", (1.0, 0.0, 0.0, 0.0), 1),
        HumanGroup("AGE: 65+", (0.0, 0.0, 0.5, 0.5), 2),
        HumanGroup("SEX: Female", (2 / 3, 0.0, 1 / 3, 0.0), 2),
        HumanGroup("SEX: Male", (0.5, 0.0, 0.0, 0.5), 2),
    )
    assert colour.answers.values is None  # options without an order
    assert [option.refusal for option in colour.answers.options] == [False, False, False, True]
    assert survey.notes == ("1 answers that are no option of the question are left out: COLOUR_W9 1",)


def test_opinion_qa_with_metadata_has_the_attributes_that_it_names(tmp_path: Path) -> None:
    wave = opinion_qa(tmp_path)
    (wave / "metadata.csv").write_text(""",key,options\n0,AGE,"['18-29', '30-49']"\n""", "utf-8")
    answers = read_survey(str(wave)).prompts[0].answers
    assert answers is not None
    assert [group.name for group in answers.groups] == ["everyone", "AGE: 18-29"]


@pytest.mark.parametrize(
    ("info", "responses", "says"),
    [
        (INFO.replace("[1.0, 2.5, 4.0]", "[1.0, 2.5]"), RESPONSES, 'info.csv, line 2, field "option_ordinal": [1.0,'),
        (INFO.replace("'Never', 'Refused']", "'Never', 'Refused'"), RESPONSES, 'line 2, field "references": "[\'Often'),
        (INFO.replace("BUSES_W9", "TRAMS_W9"), RESPONSES, "'TRAMS_W9' is no column of responses.csv"),
        (INFO, RESPONSES.replace("2.0", "much"), "responses.csv, line 2, field \"WEIGHT_W9\": 'much'; expected a"),
        (INFO, RESPONSES + "4,Often\n", "responses.csv, line 6: 2 fields; expected 6"),
        (INFO.replace("references", "choices"), RESPONSES, "expected one called references"),
    ],
)  # fmt: skip
def test_bad_opinion_qa(tmp_path: Path, info: str, responses: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_survey(str(opinion_qa(tmp_path, info, responses)))
    assert says in str(caught.value)


GLOBAL = """question,selections,options,source
Is a bus quieter than a tram?,"defaultdict(<class 'list'>, {'Chile': [0.6, 0.3, 0.09], 'Ghana': [0.0, 0.0, 1.0]})","['Yes', 'No', 'DK/Refused']",PEW
,"{'Chile': [1.0]}","['Yes']",PEW
Which is better?,"{'Chile': [0.25, 0.75]}","['Bus', 'Tram']",WVS
"""  # noqa: E501


def test_global_opinions(tmp_path: Path) -> None:
    path = tmp_path / "opinions.csv"
    path.write_text(GLOBAL, "utf-8")
    survey = read_survey(str(path))
    quiet, better = survey.prompts
    assert quiet.answers is not None
    assert better.answers is not None
    assert quiet.answers.options[2] == AnswerOption("DK/Refused", refusal=True)
    (chile,) = quiet.answers.groups
    assert chile.name == "Chile"
    assert quiet.answers.among_answers(chile.shares) == pytest.approx((2 / 3, 1 / 3))
    assert better.answers.groups == (HumanGroup("Chile", (0.25, 0.75)),)
    assert len(survey.notes) == 2
    assert survey.notes[1] == "1 countries without shares of a question are left out: Ghana 1"


@pytest.mark.parametrize(
    ("selections", "says"),
    [
        ("{'Chile': [0.5]}", "field \"selections\", 'Chile': 1 shares; expected 2, one of each option"),
        ("{'Chile': [2.0, 0.5]}", "a share is not from 0 to 1"),
        ("__import__('os')", "expected shares by country like"),
        ("[0.5, 0.5]", "expected shares by country like"),
    ],
)
def test_bad_global_opinions(tmp_path: Path, selections: str, says: str) -> None:
    path = tmp_path / "opinions.csv"
    path.write_text(f"question,selections,options\nWhich?,\"{selections}\",\"['Bus', 'Tram']\"\n", "utf-8")
    with pytest.raises(InputError) as caught:
        read_survey(str(path))
    assert f"{path}, line 2, " in str(caught.value)
    assert says in str(caught.value)


CODEBOOK = """variable,question,code,label,value
Q1,How safe is the night bus?,1,Safe,1
Q1,,2,Not safe,2
Q1,,-1,I don't know,
Q2,Who should drive?,1,A person,
Q2,,2,Nobody,
"""
PEOPLE = """B_COUNTRY_ALPHA;W_WEIGHT;Q1;Q2
CHL;1.0;1;1
CHL;3.0;2.0;2
GHA;1.0;-1;-4
GHA;1.0;1;9
"""


def world_values(folder: Path, codebook: str = CODEBOOK, people: str = PEOPLE) -> Path:
    (folder / "codebook.csv").write_text(codebook, "utf-8")
    (folder / "wave.csv").write_text(people, "utf-8")
    return folder


def test_world_values(tmp_path: Path) -> None:
    survey = read_survey(str(world_values(tmp_path)))
    safe, drive = survey.prompts
    assert (safe.id, safe.text) == ("Q1", "How safe is the night bus?")
    assert safe.answers is not None
    assert drive.answers is not None
    assert safe.answers.options[2] == AnswerOption("I don't know", refusal=True)
    assert safe.answers.values == (1.0, 2.0)
    assert safe.answers.groups == (
        HumanGroup("everyone", (2 / 6, 3 / 6, 1 / 6), 4),
        HumanGroup("CHL", (0.25, 0.75, 0.0), 2),
        HumanGroup("GHA", (0.5, 0.0, 0.5), 2),
    )
    assert drive.answers.values is None
    assert [group.n for group in drive.answers.groups] == [2, 2]
    assert survey.notes == ("1 answers with codes that the codebook does not have are left out: Q2 1",)


@pytest.mark.parametrize(
    ("codebook", "people", "says"),
    [
        (CODEBOOK.replace("Q2", "Q3"), PEOPLE, "'Q3' is no column of wave.csv"),
        (CODEBOOK.replace("Q1,,2", "Q1,,1"), PEOPLE, 'codebook.csv, line 3, field "code": 1 is there twice'),
        (CODEBOOK.replace("Q1,,2", "Q1,Other?,2"), PEOPLE, "has another one before"),
        (CODEBOOK, PEOPLE.replace("2.0;2", "two;2"), "wave.csv, line 3, field \"Q1\": 'two'; expected a number"),
        (CODEBOOK[: CODEBOOK.index("Q1,,2")], PEOPLE, "1 options that answer"),
    ],
)
def test_bad_world_values(tmp_path: Path, codebook: str, people: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_survey(str(world_values(tmp_path, codebook, people)))
    assert says in str(caught.value)


def test_what_is_no_survey_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no folder of a survey; expected info\.csv and responses\.csv"):
        read_survey(str(tmp_path))
    with pytest.raises(InputError, match=r"the prompt 'contested-001' has no field \"options\""):
        read_survey("contested")


def test_options_that_stand_for_no_answer() -> None:
    for text in ("DK/Refused", "Don\u2019t know", "No answer", "Missing; Unknown", "Refused", "Prefer not to say"):
        assert is_refusal(text)
    for text in ("No", "Not sure", "Know well", "No answer can be given to a question as wide as this", "Nation"):
        assert not is_refusal(text)


def test_questions_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text('[{"asked": "Is it so?", "options": ["Yes", "No"], "key": 3}]')
    (prompt,) = read_survey(f"{path}?field=asked&id=key").prompts
    assert (prompt.id, prompt.text) == ("3", "Is it so?")
    assert prompt.answers is not None
