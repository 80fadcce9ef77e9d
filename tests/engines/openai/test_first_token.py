"""The alternatives to the first token of a response, as servers list them."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.openai.first_token import read_alternatives
from alignbench.engines.protocol import Failed, LikelihoodRequest, Scored
from alignbench.errors import EngineError
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Model
from alignbench.surveys.first_token import first_token_masses
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, refusal
from tests.support.waiting import LIMIT

ASK = LikelihoodRequest(1, "", "Which?", "", top=20, first=True)
CHAT = LikelihoodRequest(1, "", "", "", top=20, first=True, messages=(("user", "Which?"),))


def choice(logprobs: object, **fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "finish_reason": "length", "text": "A", "logprobs": logprobs, **fields}]}


class Few(ScriptedServer):
    """Gives 5 alternatives at most, and wants max_completion_tokens."""

    def answer(self, path: str, body: dict[str, Any]) -> Reply:  # noqa: ARG002
        self.tried.append(body)
        if "max_tokens" in body:
            return refusal(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        n = body["top_logprobs"] if "messages" in body else body["logprobs"]
        if n > 5:
            return refusal(400, f"Invalid value for 'top_logprobs': {n} is greater than the maximum of 5.")
        top = {f"t{i}": -1.0 - i for i in range(n)}
        if "messages" not in body:
            return as_json(choice({"tokens": ["t0"], "token_logprobs": [-1.0], "top_logprobs": [top]}))
        listed = [{"token": token, "logprob": value} for token, value in top.items()]
        return as_json(choice({"content": [{**listed[0], "top_logprobs": listed}]}))


def answers(engine: OpenAIEngine, *requests: LikelihoodRequest) -> list[Scored]:
    """Of requests that are sent at once, in the order of the requests."""
    came = [answer for answer in engine.score_all(requests) if isinstance(answer, Scored)]
    assert len(came) == len(requests)
    return sorted(came, key=lambda answer: answer.key)


@pytest.fixture
def server() -> Iterator[Few]:
    server = Few()
    yield server
    server.close()


@pytest.mark.parametrize("request_of", [ASK, CHAT])
def test_a_server_is_asked_for_as_many_as_it_gives(
    server: Few, request_of: LikelihoodRequest, cancellation: Cancellation
) -> None:
    engine = OpenAIEngine(Model("m", f"openai:{server.url}#{MODEL}", "aligned"), cancellation)
    try:
        (scored,) = answers(engine, request_of)
        n = len(server.tried)
        answers(engine, request_of)
    finally:
        engine.close()
    assert scored.top_pieces == (("t0", "t1", "t2", "t3", "t4"),)
    assert scored.top_logprob.tolist() == [[-1.0, -2.0, -3.0, -4.0, -5.0]]
    assert scored.pieces == ()
    assert len(server.tried) == n + 1, "what was refused is not asked for again"
    assert server.tried[-1]["max_completion_tokens"] == 1


class Together(Few):
    """Answers nobody before so many requests are there. most: how many there were at once."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self.most = self.n_open = 0
        self._met = threading.Barrier(together)

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        with self._lock:
            self.n_open += 1
            self.most = max(self.most, self.n_open)
        self._met.wait(LIMIT)
        try:
            return super().answer(path, body)
        finally:
            with self._lock:
                self.n_open -= 1


def test_as_many_are_asked_for_at_once_as_the_server_takes(cancellation: Cancellation) -> None:
    server = Together(3)
    settings = ServerSettings(concurrency=3, max_tokens_field="max_completion_tokens")
    engine = OpenAIEngine(Model("m", f"openai:{server.url}#{MODEL}", "aligned"), cancellation, settings)
    try:
        came = answers(engine, *(replace(CHAT, key=key) for key in range(6)))
    finally:
        engine.close()
        server.close()
    assert [answer.top_pieces for answer in came] == [(("t0", "t1", "t2", "t3", "t4"),)] * 6
    assert server.most == 3
    asked = Counter(body["top_logprobs"] for body in server.tried)
    assert asked == {20: 3, 10: 3, 5: 6}, "those that were refused side by side go down together"


def test_one_that_is_cancelled_leaves_the_others_alone(server: Few, cancellation: Cancellation) -> None:
    engine = OpenAIEngine(Model("m", f"openai:{server.url}#{MODEL}", "aligned"), cancellation)
    cancellation.cancel(2, None)
    meanwhile = iter([[replace(CHAT, key=3)]])
    try:
        came = [*engine.score_all([CHAT, replace(CHAT, key=2)], lambda: next(meanwhile, []))]
    finally:
        engine.close()
    assert {each.key: each.message for each in came if isinstance(each, Failed)} == {2: "The scoring was cancelled."}
    assert {each.key for each in came if isinstance(each, Scored)} == {1, 3}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([], "no log-probs of the alternatives"),
        (choice(None), "no log-probs of the alternatives"),
        (choice({"content": []}), "no log-probs of the alternatives"),
        (choice({"content": [{"token": "A", "top_logprobs": [{"token": "A", "logprob": "x"}]}]}), "a log-prob"),
        (choice({"top_logprobs": [{"A": -0.1, "B": -0.2}]}), "sum to more than 1"),
        (choice({"top_logprobs": [{"A": -0.1}]}, message={"reasoning_content": "Hm", "content": ""}), "it thinks"),
    ],
)
def test_what_says_nothing_of_an_answer(answer: object, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        read_alternatives(answer)


def test_letters_are_counted_with_and_without_a_space() -> None:
    answers = AnswerOptions((AnswerOption("Red"), AnswerOption("Green"))).in_order((1, 0), "q")
    listed = [("A", 0.4), (" A", 0.1), ("\u2581B", 0.2), ("b", 0.1), ("An", 0.1), ("\nA", 0.05)]
    masses, outside = first_token_masses(answers, [(token, math.log(chance)) for token, chance in listed])
    assert masses == pytest.approx((0.2, 0.5))
    assert outside == pytest.approx(0.3)
    with pytest.raises(ValueError, match="the letter B is not among the 1 likeliest first tokens"):
        first_token_masses(answers, [("A", -0.1)])


@pytest.mark.models
@pytest.mark.parametrize("request_of", [ASK, CHAT])
def test_a_real_server_lists_as_many_as_are_asked_for(
    llama_url: str, request_of: LikelihoodRequest, cancellation: Cancellation
) -> None:
    engine = OpenAIEngine(Model("m", f"openai:{llama_url}#smol-logprobs", "aligned"), cancellation)
    without = OpenAIEngine(Model("m", f"openai:{llama_url}#smol", "aligned"), cancellation)
    try:
        (scored,) = answers(engine, request_of)
        (refused,) = without.score_all([request_of])
        assert isinstance(refused, Failed)
        assert "logprobs" in refused.message
    finally:
        engine.close()
        without.close()
    (row,) = scored.top_logprob.tolist()
    assert len({*scored.top_pieces[0]}) == len(row) == 20
    assert row == sorted(row, reverse=True)
    assert 0.0 < math.fsum(map(math.exp, row)) <= 1.0
