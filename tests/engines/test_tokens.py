"""Tokens of texts, asked of a worker: what a prompt would have."""

from __future__ import annotations

import queue

import pytest

from alignbench.engines.protocol import Failed, Started, Tokenized
from alignbench.engines.workers.pool import WorkerPool
from alignbench.spec import Model
from tests.support.driving import follow, plain_request
from tests.support.waiting import LIMIT

pytestmark = pytest.mark.models


def tokenize(pool: WorkerPool, model: Model, *texts: str) -> Tokenized | Failed:
    answers: queue.Queue[Tokenized | Failed] = queue.Queue()
    pool.tokenize(model, texts, answers.put)
    return answers.get(timeout=LIMIT)


def test_tokens_are_those_of_the_prompt_and_their_bytes_make_the_text(pool: WorkerPool, model: Model) -> None:
    request = plain_request(1, max_tokens=1, prompt="Café 🌻 in Łódź?")
    text = request.context + request.query
    answer = tokenize(pool, model, text, "<|im_start|>user\n")
    assert isinstance(answer, Tokenized)
    started = next(event for event in follow(pool, model, request) if isinstance(event, Started))
    assert answer.ids[0] == started.prompt_ids
    capabilities = pool.capabilities(model)
    assert capabilities is not None
    special = capabilities.bos.encode() if capabilities.adds_bos else b""
    assert b"".join(answer.pieces[0]) == special + text.encode()
    assert b"".join(answer.pieces[1]) == special + b"<|im_start|>user\n"


def test_a_model_that_is_not_loaded_says_so(pool: WorkerPool) -> None:
    model = Model("nowhere", "llama:/nowhere.gguf", "base")
    answer = tokenize(pool, model, "text")
    assert isinstance(answer, Failed)
    assert "nowhere is not loaded" in answer.message
