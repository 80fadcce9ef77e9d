"""Which conditions have no log-probs of options, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.likelihood import content_for
from alignbench.progress import silent
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.spec import Condition, Context, Examples, Hint, Model, Prompt
from alignbench.store import Store
from alignbench.surveys.scored import ContentOf, NoLogprobs, score_condition
from tests.support.fakes import FakePool

QUESTION = Prompt("q", "Which?", "mine", AnswerOptions((AnswerOption("Red"), AnswerOption("Green"))))
BASE = Condition.zero_shot(Model("m", "openai:http://127.0.0.1:9/v1#m", "base"))


def content_with(pool: WorkerPool) -> ContentOf:
    return lambda condition, prompt: content_for(pool, condition.model, condition.context, prompt)


@pytest.mark.parametrize(
    ("context", "says"),
    [
        (Context("plain", hint=Hint("first")), "it writes something before its answer"),
        (Context("plain", thinking_end="</think>"), "it writes something before its answer"),
        (Context("plain", verbalized=5), "it writes something before its answer"),
        (Context("plain", name="near", examples=Examples(condition="teacher")), "is made of samples of 'teacher'"),
        (Context("chat"), "has no chat template; use the plain template for it"),
    ],
)
def test_a_condition_without_log_probs_of_its_options(tmp_path: Path, context: Context, says: str) -> None:
    pool = cast("WorkerPool", FakePool())
    with Store.open(tmp_path / "db") as store:
        cache = LikelihoodCache(store, pool)
        with pytest.raises(NoLogprobs) as caught:
            list(score_condition(cache, content_with(pool), replace(BASE, context=context), [QUESTION], "all", silent))
    assert says in str(caught.value)


def test_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    pool = cast("WorkerPool", FakePool(fail={"m": "nobody answers there"}))
    with Store.open(tmp_path / "db") as store, pytest.raises(NoLogprobs, match="nobody answers there"):
        list(score_condition(LikelihoodCache(store, pool), content_with(pool), BASE, [QUESTION], "all", silent))
