"""What is stored of every token becomes surprisal, entropies and the branching factor of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.protocol import SampleResult
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import Value
from alignbench.scoring.responses import SessionResponses, Truncated
from alignbench.scoring.token_scores import NO_ENTROPIES, NO_LOGPROBS, mean_surprisal, stored_scores
from alignbench.spec import Condition
from alignbench.store import Store
from tests.support.drawn import drawn, drawn_session
from tests.support.samples import BASE

ALL = ("surprisal", "entropy", "sampling_entropy", "branching_factor", "branching_by_logprobs")
OF_ENTROPIES = ALL[1:4]
ZERO_SHOT = Condition.zero_shot(BASE, name="B")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def scores(store: Store, *samples: SampleResult) -> dict[str, Value]:
    responses = SessionResponses(store, drawn_session(store, {ZERO_SHOT: [samples]}))
    return responses.token_scores("p00", ALL)["B"]


def test_the_stored_scores_are_those_of_tokens() -> None:
    assert stored_scores(METRICS) == ALL


def test_raw_and_sampled_stand_apart(store: Store) -> None:
    of = scores(store, drawn(0, "ab", [2, 8], raw=[16, 16]), drawn(1, "abcd", [8, 8], raw=[16, 16]))
    assert of["entropy"].value == pytest.approx(4.0, rel=1e-6)
    assert of["surprisal"].value == pytest.approx(4.0, rel=1e-6)
    assert of["sampling_entropy"].value == pytest.approx((1 + 3 + 3 + 3) / 4, rel=1e-6)
    assert of["sampling_entropy"].extra["per_byte"] == pytest.approx(10 / 6, rel=1e-6)
    assert of["branching_factor"].value == pytest.approx(2**2.5, rel=1e-6)
    assert of["branching_factor"].extra == {"at_1": pytest.approx(4.0), "at_2_5": pytest.approx(8.0)}
    assert {value.n for value in of.values()} == {2}


def test_known_branching_factors(store: Store) -> None:
    assert scores(store, drawn(0, "a" * 60, [8] * 60))["branching_factor"].value == pytest.approx(8.0, rel=1e-6)
    assert scores(store, drawn(0, "a" * 60, [1] * 60))["branching_factor"].value == pytest.approx(1.0)


def test_what_a_server_does_not_tell_is_no_zero(store: Store) -> None:
    sent = drawn(0, "ab", [2, 2])
    unknown = np.full(2, np.nan, np.float32)
    tokens = replace(sent.tokens, entropy=unknown, sampling_entropy=unknown, sampling_logprob=unknown)
    of = scores(store, replace(sent, tokens=tokens))
    assert of["surprisal"].value == pytest.approx(1.0)
    assert {of[name].reason for name in OF_ENTROPIES} == {NO_ENTROPIES}
    assert {of[name].value for name in OF_ENTROPIES} == {None}


def test_imported_responses_have_no_tokens(store: Store) -> None:
    session = drawn_session(store, {ZERO_SHOT: [[drawn(0, "drawn", [2])]]})
    cell = store.cells(session)[0].id
    store.add_text(cell, 1, "from elsewhere", raw_text="from elsewhere", finish_reason="stop")
    of = SessionResponses(store, session).token_scores("p00", ALL)["B"]
    assert {value.n for value in of.values()} == {1}
    other = store.create_session("imported")
    alone = store.add_cell(other, store.prompts(session)[0], ZERO_SHOT, 1)
    store.add_text(alone, 0, "from elsewhere", raw_text="from elsewhere", finish_reason="stop")
    of = SessionResponses(store, other).token_scores("p00", ALL)["B"]
    assert of["surprisal"] == of["branching_by_logprobs"] == Value(None, 0, NO_LOGPROBS)
    assert [of[name] for name in OF_ENTROPIES] == [Value(None, 0, NO_ENTROPIES)] * 3


def test_log_probs_that_are_not_numbers_are_left_out() -> None:
    assert mean_surprisal([(-1.0, 1), (float("nan"), 3), (None, None)]).n == 1
    assert mean_surprisal([(float("nan"), 3)]) == Value(None, 0, NO_LOGPROBS)


def test_cut_responses_have_no_token_scores(store: Store) -> None:
    responses = SessionResponses(store, drawn_session(store, {ZERO_SHOT: [[drawn(0, "one two", [2, 2])]]}))
    of = Truncated(responses, 1).token_scores("p00", ALL)["B"]
    assert {value.value for value in of.values()} == {None}
    assert "are cut" in of["entropy"].reason


def test_of_a_server_there_is_a_branching_factor_by_log_probs(store: Store) -> None:
    sent = drawn(0, "ab", [2, 8])
    unknown = np.full(2, np.nan, np.float32)
    tokens = replace(sent.tokens, entropy=unknown, sampling_entropy=unknown, sampling_logprob=unknown)
    of = scores(store, replace(sent, tokens=tokens))
    assert of["branching_factor"].reason == NO_ENTROPIES, "which it is stands in the name: they never meet"
    assert of["branching_by_logprobs"].value == pytest.approx(4.0, rel=1e-6)


def test_uniform_over_eight_is_eight_by_log_probs_too(store: Store) -> None:
    of = scores(store, drawn(0, "a" * 60, [8] * 60))
    assert of["branching_by_logprobs"].value == pytest.approx(8.0, rel=1e-6)
    assert of["branching_by_logprobs"].value == pytest.approx(of["branching_factor"].value, rel=1e-6)
