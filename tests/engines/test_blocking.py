"""Requests whose answers are waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import cast

import numpy as np
import pytest

from alignbench.engines.blocking import ReadFirst, first_tokens
from alignbench.engines.protocol import EnginePool, Failed, LikelihoodRequest, Scored
from alignbench.errors import EngineError
from alignbench.spec import Model
from tests.support.fakes import FakePool

MODEL = Model("m", "openai:http://127.0.0.1:9/v1#m", "aligned")
TEXTS = [ReadFirst("", text) for text in ("one", "two", "three")]


class Together(FakePool):
    """Answers the requests of three texts once all are there, the last one first; not that for `fails`."""

    fails = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.open: list[tuple[LikelihoodRequest, Callable[[Scored | Failed], None]]] = []
        self.given_up: list[str] = []

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:  # noqa: ARG002
        self.open.append((request, sink))
        if len(self.open) == len(TEXTS):
            for each, answer in reversed(self.open):
                answer(Failed(each.key, "no") if each.query == self.fails else _said(each))

    def cancel(self, model: Model, key: int, samples: object = None) -> None:  # noqa: ARG002
        self.given_up += [request.query for request, _ in self.open if request.key == key]


def _said(request: LikelihoodRequest) -> Scored:
    ids, none = np.empty(0, np.int32), np.empty(0, np.float32)
    row = (np.full((1, 1), -1, np.int32), np.array([[-0.5]], np.float32), ((request.query.upper(),),))
    return Scored(request.key, ids, (), none, ids, *row, 0)


def test_first_tokens_of_several_texts_are_asked_for_at_once_and_come_in_their_order() -> None:
    pool = Together()
    came = [*first_tokens(cast("EnginePool", pool), MODEL, TEXTS, 20)]
    assert came == [[("ONE", -0.5)], [("TWO", -0.5)], [("THREE", -0.5)]]
    assert pool.given_up == []


def test_of_texts_after_one_that_fails_nothing_more_is_wanted() -> None:
    pool = Together()
    pool.fails = "two"
    came = first_tokens(cast("EnginePool", pool), MODEL, TEXTS, 20)
    assert next(came) == [("ONE", -0.5)]
    with pytest.raises(EngineError, match="no"):
        next(came)
    assert pool.given_up == ["three"]


def test_who_has_read_enough_gives_the_rest_up() -> None:
    pool = Together()
    with closing(first_tokens(cast("EnginePool", pool), MODEL, TEXTS, 20)) as came:
        next(came)
    assert pool.given_up == ["two", "three"]
