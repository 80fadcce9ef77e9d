"""The survey in a report: from replies whose distribution is planted, drawn here or imported."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import alignbench as library
from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.reports.figures import figures
from alignbench.reports.sections import sections
from alignbench.reports.writing import written
from alignbench.spec import Condition, Prompt
from alignbench.store import OptionMasses, Store
from alignbench.surveys.asking import asked, listed_order, options_of
from alignbench.surveys.survey import Survey, survey_session
from alignbench.surveys.to_json import ANSWER_KEYS
from tests.support.commands import alignbench
from tests.support.reported import HOSTILE, record, report
from tests.support.samples import ALIGNED, BASE, result

GROUPS = (HumanGroup("town", (0.5, 0.25, 0.25)), HumanGroup(HOSTILE, (0.0, 0.0, 1.0), 50))
SCALE = AnswerOptions(
    tuple(AnswerOption(text, value) for text, value in (("Low", 1.0), ("Middle", 2.0), ("High", 3.0))), GROUPS
)
QUESTIONS = tuple(Prompt(f"q{i}", f"How high, {i}?", "mine", SCALE) for i in range(24))
SAID = {"raw": ("Low", "Low", "Middle", "High"), "chat": ("High", "High", "High", "I'm sorry, but I cannot say.")}


def planted(store: Store, said: Mapping[str, Sequence[str]] = SAID, questions: Sequence[Prompt] = QUESTIONS) -> None:
    """Session 1: each condition says these four replies to each question, two in each of two orders."""
    of = {"raw": BASE, "chat": ALIGNED}
    conditions = [Condition.zero_shot(of.get(name, BASE), name=name, seed=i) for i, name in enumerate(said)]
    personas = {name: ("raw", "town") for name in said if name not in of}
    survey = Survey("mine.jsonl", tuple(questions), tuple(conditions), "cyclic", 4, personas)
    session = survey_session(store, survey)
    for condition in conditions:
        for question in questions:
            for place, order in enumerate(((0, 1, 2), (1, 2, 0))):
                prompt = asked(question, order)
                cell = store.add_cell(session, prompt, condition, 2)
                for i in range(2):
                    reply = said[condition.name][2 * place + i]
                    letter = {SCALE.texts[at]: "ABC"[shown] for shown, at in enumerate(order)}.get(reply, reply)
                    store.add_sample(cell, result(i, letter))


def test_distances_are_those_of_the_planted_answers(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        planted(store)
        told = record(store)["survey"]
    line = told["answers"][0]
    assert tuple(line) == ANSWER_KEYS
    assert (line["prompt_id"], line["condition"], line["n"], line["refusals"]) == ("q0", "raw", 4, 0)
    assert line["p"] == pytest.approx([0.5, 0.25, 0.25])
    to = {(row["condition"], row["group"]): row for row in told["groups"]}
    assert to["raw", "town"]["tv"]["value"] == pytest.approx(0.0)
    assert to["chat", "town"]["tv"]["value"] == pytest.approx(0.75)
    assert to["chat", HOSTILE]["representativeness"]["value"] == pytest.approx(1.0)
    assert to["raw", "town"]["floor"]["value"] > 0.0
    assert to["raw", "town"]["tv"]["n"] == 24
    (between,) = told["between"]
    assert (between["condition"], between["other"]) == ("raw", "chat")
    assert between["w1"]["value"] == pytest.approx(1.25)
    answering = {row["condition"]: row for row in told["answering"]}
    assert (answering["chat"]["n"], answering["chat"]["refusals"]) == (96, 24)
    assert told["ways"] == told["steering"] == []


def test_a_persona_of_the_session_is_steered(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        planted(store, {"raw": ("High", "High", "High", "High"), "raw as town": SAID["raw"]})
        told = record(store, reference="raw", floor=None)["survey"]
    steering = {row["group"]: row for row in told["steering"]}
    assert steering["town"]["named"]
    assert steering["town"]["difference"] == pytest.approx(-0.75)
    assert steering[HOSTILE]["difference"] == pytest.approx(0.75)


def test_every_format_has_it_and_the_figure_is_drawn(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        planted(store)
        of = report(store)
        forms = {form: written(store, of, form) for form in ("md", "html", "latex", "csv", "json")}
        alone = report(store, conditions=("raw",), reference=None, floor=None)
    titles = [section.title for section in sections(of) if section.title.startswith("Survey")]
    assert titles == [
        "Survey: over questions",
        "Survey: distance to equal shares",
        "Survey: distance to people",
        "Survey: distance between conditions",
    ]
    for form in ("md", "html", "latex"):
        assert "Survey: distance to people" in forms[form]
    assert "Distance of answers to people" in forms["html"]
    lines = {(row["table"], row["condition"], row["metric"]): row for row in csv.DictReader(forms["csv"].splitlines())}
    row = lines["survey to group town", "chat", "tv"]
    assert float(row["value"]) == pytest.approx(0.75)
    assert float(lines["survey", "chat", "refusals"]["value"]) == 24
    (figure,) = [figure for figure in figures(of) if figure.name == "survey"]
    assert figure.panels == 2
    assert figure.svg().startswith("<svg")
    assert alone.survey is not None
    assert {answer.condition for answer in alone.survey.answers} == {"raw"}


def test_log_probs_and_replies_have_rows_of_their_own_in_tables_and_the_figure(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        planted(store, {"raw": SAID["raw"]})
        prompts = [asked(question, (0, 1, 2)) for question in QUESTIONS]
        cells = store.add_cells(1, prompts, Condition.zero_shot(BASE, name="raw", seed=0), 0)
        read = [OptionMasses(prompt.id, "raw", "logprob", "m", (0.0, 0.0, 0.9), 0.1) for prompt in prompts]
        store.add_option_masses(1, zip(cells, read, strict=True))
        of = report(store, reference=None, floor=None)
        lines = [*csv.DictReader(written(store, of, "csv").splitlines())]
    values = {(row["table"], row["metric"]): row["value"] for row in lines if row["value"]}
    assert float(values["survey to group town", "tv"]) == pytest.approx(0.0)
    assert float(values["survey by logprob to group town", "tv"]) == pytest.approx(0.75)
    assert float(values["survey by logprob to way sample", "tv"]) == pytest.approx(0.75)
    assert float(values["survey by logprob", "outside"]) == pytest.approx(0.1)
    (section,) = [each for each in sections(of) if each.title == "Survey: log-probs against replies"]
    assert section.rows[0][:3] == ("raw", "logprob", "sample")
    (figure,) = [figure for figure in figures(of) if figure.name == "survey"]
    assert "raw, log-probs" in figure.svg()
    assert "raw, replies" in figure.svg()


def test_without_groups_the_figure_is_of_equal_shares(tmp_path: Path) -> None:
    options = AnswerOptions(tuple(map(AnswerOption, SCALE.texts)))
    with Store.open(tmp_path / "a.db") as store:
        planted(store, questions=[replace(question, answers=options) for question in QUESTIONS])
        of = report(store)
    (figure,) = [figure for figure in figures(of) if figure.name == "survey"]
    assert (figure.title, figure.panels) == ("Distance of answers to equal shares", 1)
    assert figure.svg()


def test_nobody_who_answers_is_no_figure(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        planted(store, {"raw": ("Hm.",) * 4}, QUESTIONS[:2])
        of = report(store, reference=None, floor=None)
    assert of.survey is not None
    assert of.survey.summary.answering[0].unanswered == 2
    assert "survey" not in [figure.name for figure in figures(of)]


def test_a_session_without_options_has_no_survey(store: Store) -> None:
    of = report(store)
    assert of.survey is None
    assert "survey" not in record(store)
    assert not [section for section in sections(of) if section.title.startswith("Survey")]


def test_responses_of_others_are_read_by_text_or_by_the_letters_that_their_prompt_lists(tmp_path: Path) -> None:
    options = ["Low", "Middle", "High"]
    groups = {"town": [0.5, 0.25, 0.25]}
    listed = "How high?\n(A) High\n(B) Middle\n(C) Low"
    rows = [
        {"prompt_id": id, "prompt": text, "condition": "theirs", "text": said, "options": options, "groups": groups}
        for id, text, replies in (
            ("listed", listed, ("C", "C.", "B", "A")),
            ("alone", "How high is it?", ("Low", "low, I think", "Middle", "B")),
        )
        for said in replies
    ]
    path, db = tmp_path / "theirs.jsonl", str(tmp_path / "a.db")
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert alignbench("import", "jsonl", str(path), "--db", db).returncode == 0
    ran = alignbench("report", "1", "--format", "json", "--embedder", "none", "--db", db)
    assert ran.returncode == 0, ran.stderr
    answers = {line["prompt_id"]: line for line in json.loads(ran.stdout)["survey"]["answers"]}
    assert answers["listed"]["p"] == pytest.approx([0.5, 0.25, 0.25])
    assert answers["listed"]["groups"]["town"]["tv"] == pytest.approx(0.0)
    assert answers["alone"]["p"] == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert (answers["alone"]["n"], answers["alone"]["unparsed"]) == (4, 1)
    shown = alignbench("report", "1", "--embedder", "none", "--db", db)
    assert "Survey: distance to people" in shown.stdout


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Which?\nA. Low\nB. Middle\nC. High", (0, 1, 2)),
        ("Which?\n a) low\n", ()),
        ("A) High\nB)  middle\nC) Low\nAnswer:", (2, 1, 0)),
        ("A. Low\nB. Middle", ()),
        ("A. Low\nB. Low\nC. High", ()),
        ("Which?", ()),
    ],
)
def test_the_order_that_a_text_lists(text: str, order: tuple[int, ...]) -> None:
    assert listed_order(Prompt("q", text, "mine", SCALE)) == order
    assert options_of(Prompt("q", text, "mine", SCALE)).shown == ()


def test_the_frame_has_a_row_a_question_and_condition(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    with Store.open(tmp_path / "a.db") as store:
        planted(store)
    frame = library.open(tmp_path / "a.db").session(1).survey()
    assert tuple(frame.columns) == ANSWER_KEYS
    assert len(frame) == 48
    chat = frame[frame.condition == "chat"]
    assert chat["refusals"].sum() == 24
    assert chat["groups"].map(lambda groups: groups["town"]["tv"]).mean() == pytest.approx(0.75)
