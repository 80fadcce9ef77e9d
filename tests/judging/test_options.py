"""A judge is asked for the option that a reply chooses only where its letters and words do not tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.engines.protocol import SampleRequest, Sink
from alignbench.errors import InputError
from alignbench.judging.chosen_options import read_chosen_options
from alignbench.judging.plan import plan_judging
from alignbench.judging.replies import read_reply
from alignbench.judging.runner import JudgeRun
from alignbench.judging.summary import judged_tables
from alignbench.judging.templates import judge_template
from alignbench.metrics.option_replies import REFUSAL
from alignbench.metrics.statistics import Uncertainty
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from alignbench.surveys.asking import asked
from alignbench.surveys.session_survey import session_answers
from tests.support.fakes import FakePool
from tests.support.samples import BASE, result

OPTIONS = AnswerOptions(tuple(map(AnswerOption, ("Red", "Green", "Blue"))))
QUESTION = Prompt("q", "Which?", "mine", OPTIONS)
JUDGE = Model("judge", "llama:/judge.gguf", "base")
SAID = ("A", "Rot ist am besten.", "Lieber nicht.", "I'm sorry, but I cannot choose.", "Eher ja.", "", "Hm.")
FINDS = {"Rot": "Red", "Lieber": "refusal", "Eher": "none", "Hm.": "Q"}  # Q is no letter here


@dataclass
class Sorter(FakePool):
    """Finds what `FINDS` says, by the letter that the question shows it under."""

    schemas: list[list[str]] = field(default_factory=list)

    def _answer(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        text = request.context + request.query
        listed = text.rpartition("<options>\n")[2].partition("\n</options>")[0].splitlines()
        letters = {line[3:]: line[0] for line in listed}
        self.schemas.append(json.loads(request.schema)["properties"]["choice"]["enum"])
        reply = text.rpartition("<reply>\n")[2]
        found = next(choice for word, choice in FINDS.items() if reply.startswith(word))
        self.texts = {model.name: [json.dumps({"rationale": "so", "choice": letters.get(found, found)})]}
        super()._answer(model, request, sink)


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Store]:
    """Session 1: seven replies in an order that is not the given one, three of which words tell, one of them empty."""
    with Store.open(tmp_path / "a.db") as store:
        session = store.create_session("s")
        cell = store.add_cell(session, asked(QUESTION, (2, 0, 1)), Condition.zero_shot(BASE), len(SAID))
        for i, text in enumerate(SAID):
            store.add_sample(cell, result(i, text))
        yield store


def test_what_words_tell_is_not_asked_and_the_rest_counts_as_the_judge_says(judged: Store) -> None:
    (before,) = session_answers(judged, 1)
    assert (before.n, before.refusals, before.unparsed, before.judged) == (7, 1, 5, 0)
    pool = Sorter()
    plan = plan_judging(judged, 1, "option", JUDGE)
    assert [item.sample for item in plan.items] == [1, 2, 4, 6]
    assert {item.options for item in plan.items} == {("Blue", "Red", "Green")}
    assert len([*JudgeRun(plan, pool, judged)])  # type: ignore[arg-type]
    assert pool.schemas[0] == ["A", "B", "C", "refusal", "none"]
    (after,) = session_answers(judged, 1)
    assert (after.n, after.refusals, after.unparsed, after.judged) == (7, 2, 3, 2)
    assert after.p == (0.5, 0.0, 0.5)  # A was Blue
    assert not plan_judging(judged, 1, "option", JUDGE).items
    told = read_chosen_options(judged, 1)
    key = (Condition.zero_shot(BASE).name, "q#CAB", 1)
    assert (told.judge, told.place(key, OPTIONS)) == (JUDGE.reference, 0)
    assert told.place((*key[:2], 2), OPTIONS) == REFUSAL
    assert told.place((*key[:2], 4), OPTIONS) is None
    assert session_answers(judged, 1, judge="nobody")[0].judged == 0
    fields = judged_tables(judged, 1, uncertainty=Uncertainty(resamples=100))["option"][key[0]]
    assert (fields["chosen"].value, fields["refusal"].value) == (0.5, 0.5)
    assert (fields["chosen"].na, fields["chosen"].invalid) == (1, 1)


def test_a_session_whose_replies_words_tell_has_none_to_judge(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        session = store.create_session("s")
        cell = store.add_cell(session, asked(QUESTION, (0, 1, 2)), Condition.zero_shot(BASE), 1)
        store.add_sample(cell, result(0, "B"))
        with pytest.raises(InputError, match="no finished samples of survey questions that letters and texts"):
            plan_judging(store, session, "option", JUDGE)


def test_a_letter_that_no_option_has_is_invalid() -> None:
    template = judge_template("option")
    read = read_reply(template, '{"rationale": "", "choice": "C"}', options=("Red", "Green"))
    assert (read.status, read.reason) == ("invalid", "chooses C of 2 options")
    assert (
        read_reply(template, '{"rationale": "", "choice": "B"}', options=("Red", "Green")).fields["option"] == "Green"
    )
