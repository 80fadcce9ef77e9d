"""Scoring given continuations on both local engines: what is computed, and what cancels it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.cancellation import Aborted, Cancellation
from alignbench.engines.local.engine import LocalEngine
from alignbench.engines.protocol import Failed, LikelihoodRequest, Scored
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Model
from tests.support.hf_folders import write_folder
from tests.support.waiting import LIMIT

CONTINUATIONS = (" One may cross it.", " There are many of them, and each is old.", " No.")

Counted = tuple[LocalEngine, list[int]]  # an engine, and the lengths of the parts of texts that it computed


@pytest.fixture
def cancellation() -> Cancellation:
    return Cancellation()


@pytest.fixture(params=[pytest.param("llama", marks=pytest.mark.models), "hf"])
def counted(request: pytest.FixtureRequest, tmp_path: Path, cancellation: Cancellation) -> Iterator[Counted]:
    decoded: list[int] = []
    if request.param == "llama":
        from alignbench.engines.llamacpp.engine import LlamaCppEngine

        engine = LlamaCppEngine(weights_path(resolve("demo-smollm2")), cancellation, threads=1)
        decode = engine._decode
        engine._decode = lambda rows: (decoded.append(len(rows)), decode(rows))[1]  # type: ignore[method-assign]
        yield engine, decoded
        engine.close()
    else:
        from alignbench.engines.hf.engine import TransformersEngine

        folder = write_folder(tmp_path, "llama")
        hf = TransformersEngine(Model("tiny", f"hf:{folder}", "base"), cancellation, threads=2)
        extend = hf._rows.extend
        hf._rows.extend = lambda ids, n: (decoded.append(len(ids)), extend(ids, n))[1]  # type: ignore[method-assign]
        yield hf, decoded


def score_all(engine: LocalEngine, context: str, top: int) -> list[Scored]:
    return [
        engine.score(LikelihoodRequest(1, context, query, continuation, top))
        for query in ("How many?", "And where?")
        for continuation in CONTINUATIONS
    ]


def test_what_continuations_share_is_computed_once_and_changes_no_bit(counted: Counted) -> None:
    engine, decoded = counted
    context = "".join(f"Fact {i}: the river has {i * 7} bridges.\n" for i in range(4))
    cold = []
    for query in ("How many?", "And where?"):
        for continuation in CONTINUATIONS:
            engine.score(LikelihoodRequest(1, "Something else. ", "Why?", " Because."))
            cold.append(engine.score(LikelihoodRequest(1, context, query, continuation)))
    engine.score(LikelihoodRequest(1, "Something else. ", "Why?", " Because."))
    decoded.clear()
    warm = score_all(engine, context, top=0)
    for one, other in zip(cold, warm, strict=True):
        assert np.array_equal(one.ids, other.ids)
        assert np.array_equal(one.logprob, other.logprob)
        assert np.array_equal(one.rank, other.rank)
        assert other.top_ids.shape == (len(other.ids), 0)
    # The context, each query, and each continuation but for its last token: all of it once.
    _, cut = engine.tokenize_parts(context, "How many?")
    queries = sum(scored.n_context_tokens - cut for scored in warm[:: len(CONTINUATIONS)])
    assert sum(decoded) == cut + queries + sum(len(scored.ids) - 1 for scored in warm)


def test_a_prompt_and_a_context_are_cut_into_tokens_once_for_all_that_follows(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, _ = counted
    cut: list[str] = []
    tokenize = engine.tokenize
    monkeypatch.setattr(engine, "tokenize", lambda text: (cut.append(text), tokenize(text))[1])
    context = "A few facts. "
    score_all(engine, context, top=0)
    whole = [context + query + continuation for query in ("How many?", "And where?") for continuation in CONTINUATIONS]
    assert [cut.count(text) for text in whole] == [1] * 6
    assert [cut.count(context + query) for query in ("How many?", "And where?")] == [1, 1]
    assert cut.count(context) == 1


def test_a_scoring_that_is_cancelled_ends_before_the_next_decode(counted: Counted, cancellation: Cancellation) -> None:
    engine, decoded = counted
    request = LikelihoodRequest(77, "", "Letters:", " a b c d e f g h" * 12)
    ids = engine.tokenize(request.query + request.continuation)
    engine.reserve(len(ids), 0, 1)
    logits = engine._forced_logits(ids, 5, 0, 77)
    next(logits)
    next(logits)
    cancellation.cancel(77, None)
    before = len(decoded)
    with pytest.raises(Aborted):
        next(logits)
    with pytest.raises(EngineError, match="cancelled"):
        engine.score(request)
    assert len(decoded) == before
    cancellation.forget(77)
    assert len(engine.score(request).ids) > 90


def test_a_text_longer_than_the_window_is_refused_with_the_numbers(counted: Counted) -> None:
    engine, _ = counted
    with pytest.raises(EngineError, match=rf"has \d+ tokens, \d+ of them before the response.* {engine.n_ctx_train}\."):
        engine.score(LikelihoodRequest(1, "", "one two three", " word" * engine.n_ctx_train))


@pytest.mark.models
def test_queued_requests_are_scored_in_turn_and_each_can_be_cancelled(pool: WorkerPool, aligned: Model) -> None:
    answers: queue.Queue[Scored | Failed] = queue.Queue()
    keys = [pool.new_key() for _ in range(4)]
    for i, key in enumerate(keys):
        continuation = " three" + " and on" * 400 * (i == 0)
        pool.score(aligned, LikelihoodRequest(key, "Count. ", "One, two,", continuation, 0), answers.put)
    pool.cancel(aligned, keys[2])
    got = {answer.key: answer for answer in (answers.get(timeout=LIMIT) for _ in keys)}
    failed, one, last = got[keys[2]], got[keys[1]], got[keys[3]]
    assert isinstance(failed, Failed)
    assert "cancelled" in failed.message
    assert isinstance(one, Scored)
    assert isinstance(last, Scored)
    assert np.array_equal(one.logprob, last.logprob)
