"""What log-probs say of options is kept in the survey's session: an interrupted reading goes on, none is made twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.contexts.rendering import Content
from alignbench.engines.protocol import Failed, LikelihoodRequest, Scored
from alignbench.metrics.statistics import Uncertainty
from alignbench.progress import Progress, silent
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from alignbench.surveys.distribution import AnswerDistribution
from alignbench.surveys.kept_readings import read_condition
from alignbench.surveys.scored import NoLogprobs
from alignbench.surveys.session_survey import session_answers, session_survey
from alignbench.surveys.survey import Survey, survey_plan, survey_session
from alignbench.surveys.to_json import answer_json
from tests.support.fakes import FakePool

OPTIONS = AnswerOptions((AnswerOption("Red"), AnswerOption("Green")), (HumanGroup("town", (0.5, 0.5)),))
QUESTIONS = tuple(Prompt(f"q{i}", f"Which, {i}?", "mine", OPTIONS) for i in range(3))
BASE = Condition.zero_shot(Model("m", "openai:http://127.0.0.1:9/v1#m", "base"))
SURVEY = Survey("mine.jsonl", QUESTIONS, (BASE,), "all", 4)


class Voter(FakePool):
    """Says the letter A with .6 and B with .3, whatever stands there; fails from the request of number `fails_at`."""

    fails_at = 10**9
    asked = 0

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:  # noqa: ARG002
        self.asked += 1
        if self.asked >= self.fails_at:
            sink(Failed(request.key, "the window is too short"))
            return
        p = {"A": 0.6, "B": 0.3}.get(request.continuation, 1e-9)
        one, top = np.ones(1, np.float32), np.empty((1, 0), np.float32)
        ids = np.array([ord(request.continuation[0])], np.int32)
        logprob = (np.log(p) * one).astype(np.float32)
        sink(Scored(request.key, ids, (request.continuation,), logprob, one.astype(np.int32), top.astype(np.int32), top,
                    ((),), 3))  # fmt: skip


def read(store: Store, session: int, pool: Voter, progress: Progress = silent) -> list[AnswerDistribution]:
    cache = LikelihoodCache(store, cast("Any", pool))
    return read_condition(store, session, cache, lambda *_: Content(), BASE, QUESTIONS, "all", progress)


def test_the_session_has_what_was_read_without_the_model(tmp_path: Path) -> None:
    with Store.open(tmp_path / "db") as store:
        session = survey_session(store, SURVEY)
        answers = read(store, session, Voter())
        assert [answer.p for answer in answers] == [pytest.approx((0.5, 0.5))] * 3
        store.drop_session_if_empty(session)
        again = Voter()
        assert read(store, session, again) == answers
        assert (again.asked, again.loaded) == (0, set())
        assert [answer_json(each) for each in session_answers(store, session)] == [*map(answer_json, answers)]
    assert answers[0].outside == pytest.approx(0.1)
    assert answers[0].order_consistency == pytest.approx(1 - 1 / 3)


def test_an_interrupted_reading_goes_on(tmp_path: Path) -> None:
    def stop(_what: str, done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with Store.open(tmp_path / "db") as store:
        session = survey_session(store, SURVEY)
        with pytest.raises(KeyboardInterrupt):
            read(store, session, Voter(), stop)
        assert [answer.question.id for answer in session_answers(store, session)] == ["q0", "q1"]
        assert survey_session(store, SURVEY) == session
        told: list[int] = []
        read(store, session, Voter(), lambda _what, _done, total: told.append(total))
        assert told == [1]  # the one question that was left
        assert len(session_answers(store, session)) == 3


def test_a_condition_that_cannot_be_read_to_the_end_leaves_nothing_behind(tmp_path: Path) -> None:
    pool = Voter()
    pool.fails_at = 14  # of the second question
    with Store.open(tmp_path / "db") as store:
        session = survey_session(store, SURVEY)
        with pytest.raises(NoLogprobs, match="the window is too short"):
            read(store, session, pool)
        assert session_answers(store, session) == []
        store.drop_session_if_empty(session)
        assert store.sessions() == []


def test_other_weights_are_read_anew(tmp_path: Path) -> None:
    with Store.open(tmp_path / "db") as store:
        session = survey_session(store, SURVEY)
        read(store, session, Voter())
        store.db.execute("UPDATE option_masses SET model = 'of another day'")
        store.db.execute("DELETE FROM likelihoods")
        again = Voter()
        read(store, session, again)
        assert again.asked
        assert {one.model for one in store.option_masses(session)} == {BASE.model.reference}


def test_both_ways_of_a_session_stand_beside_each_other(tmp_path: Path) -> None:
    with Store.open(tmp_path / "db") as store:
        session = survey_session(store, SURVEY)
        read(store, session, Voter())
        for cell in survey_plan(store, session, SURVEY).cells:
            for i in cell.missing:
                store.add_text(cell.id, i, "A", raw_text="A", finish_reason="stop")
        assert survey_plan(store, session, SURVEY).n_missing == 0
        results = session_survey(store, session, Uncertainty(resamples=100))
    assert results is not None
    assert [(each.question.id, each.by) for each in results.answers[:3]] == [
        ("q0", "logprob"),
        ("q0", "sample"),
        ("q1", "logprob"),
    ]
    (ways,) = results.summary.ways
    assert (ways.condition, ways.by, ways.other) == ("m", "logprob", "sample")
    assert ways.distances["tv"].value == pytest.approx(0.0)
