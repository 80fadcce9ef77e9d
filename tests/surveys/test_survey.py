"""Which session a survey goes on in, what is still to be drawn, and personas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.errors import InputError
from alignbench.spec import Condition, Context, Model, Prompt, Sampling
from alignbench.store import Store
from alignbench.surveys.survey import (
    Survey,
    drawn_answers,
    is_named_after,
    survey_plan,
    survey_session,
    with_personas,
)

OPTIONS = AnswerOptions(tuple(map(AnswerOption, ("Red", "Green", "Blue"))))
QUESTIONS = (Prompt("a", "Which?", "mine", OPTIONS), Prompt("b", "And which?", "mine", OPTIONS))
BASE = Condition.zero_shot(Model("m", "demo-base", "base"))
SURVEY = Survey("mine.jsonl", QUESTIONS, (BASE,), "all", 8)


def test_replies_are_spread_over_orders_and_drawn_once(tmp_path: Path) -> None:
    with Store.open(tmp_path / "db") as store:
        session = survey_session(store, SURVEY)
        plan = survey_plan(store, session, SURVEY)
        assert sorted(len(cell.missing) for cell in plan.cells) == [1] * 8 + [2] * 4
        assert plan.n_missing == 16
        for cell in plan.cells:
            for i in cell.missing:
                store.add_text(cell.id, i, "A", raw_text="A", finish_reason="stop")
        assert survey_session(store, SURVEY) == session
        assert survey_plan(store, session, SURVEY).n_missing == 0
        more = replace(SURVEY, n=12)
        assert survey_session(store, more) == session
        assert survey_plan(store, session, more).n_missing == 8
        for answer in drawn_answers(store, session, SURVEY):
            assert answer.n == 8
            assert sorted(answer.counts) == [2, 3, 3]  # of the option under A, in six orders
        assert [answer.n for answer in drawn_answers(store, session, replace(SURVEY, n=6))] == [6, 6]


def test_what_stands_for_something_else_begins_another_session(tmp_path: Path) -> None:
    warm = replace(BASE, sampling=Sampling(temperature=0.2))
    asked_otherwise = (Prompt("a", "Which one?", "mine", OPTIONS), QUESTIONS[1])
    others = [
        replace(SURVEY, conditions=(warm,)),
        replace(SURVEY, conditions=(replace(BASE, name="n"),)),
        replace(SURVEY, questions=asked_otherwise),
        replace(SURVEY, source="other.jsonl"),
    ]
    for place, other in enumerate(others):
        with Store.open(tmp_path / f"{place}.db") as store:
            session = survey_session(store, SURVEY)
            survey_plan(store, session, SURVEY)
            assert survey_session(store, other) != session
    with Store.open(tmp_path / "more.db") as store:
        session = survey_session(store, SURVEY)
        survey_plan(store, session, SURVEY)
        more = replace(SURVEY, conditions=(BASE, replace(warm, name="warm")), questions=QUESTIONS[:1], orders="given")
        assert survey_session(store, more) == session  # another condition is no other survey


def test_a_persona_of_an_earlier_run_stays_one(tmp_path: Path) -> None:
    steered = replace(BASE, name="m as town", context=Context("plain", instruction="You live in a town."))
    with Store.open(tmp_path / "a.db") as store:
        asked = replace(SURVEY, conditions=(BASE, steered), personas={"m as town": ("m", "town")})
        session = survey_session(store, asked)
        survey_plan(store, session, asked)
        assert survey_session(store, SURVEY) == session
        assert store.manifest(session)["survey"]["personas"] == {"m as town": ["m", "town"]}


def test_a_text_stands_before_the_instruction_and_a_context_in_its_place(tmp_path: Path) -> None:
    own = replace(BASE, name="own", context=Context("plain", instruction="Be brief."))
    text, toml = tmp_path / "rural-voters.txt", tmp_path / "sailor.toml"
    text.write_text("You live in a village.\n", "utf-8")
    toml.write_text('name = "A sailor"\ntemplate = "plain"\ninstruction = "You are a sailor."\n', "utf-8")
    conditions, personas = with_personas((BASE, own), [str(text), str(toml)], None)
    assert [(each.name, each.context.instruction) for each in conditions] == [
        ("m", ""),
        ("m as rural-voters", "You live in a village."),
        ("m as A sailor", "You are a sailor."),
        ("own", "Be brief."),
        ("own as rural-voters", "You live in a village.\n\nBe brief."),
        ("own as A sailor", "You are a sailor."),
    ]
    assert personas["own as A sailor"] == ("own", "A sailor")
    assert is_named_after("rural-voters", "Rural  voters")
    assert not is_named_after("rural-voters", "voters")
    text.write_text(" \n", "utf-8")
    with pytest.raises(InputError, match="is empty; expected who is to answer"):
        with_personas((BASE,), [str(text)], None)
