"""Embeddings are asked for again where a worker failed, and not for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.engines.protocol import Embedded, Failed
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.pending_embeddings import PendingEmbeddings
from alignbench.store import Store
from tests.support.embeddings import FakeEmbedPool


def test_a_request_that_fails_is_made_once_more() -> None:
    pool = FakeEmbedPool(fail=["killed"])
    assert isinstance(PendingEmbeddings(pool.embed, ("a cat",)).wait(), Embedded)
    assert pool.requests == [("a cat",)] * 2


def test_the_second_failure_is_the_answer() -> None:
    pool = FakeEmbedPool(fail=["killed", "killed again"])
    answer = PendingEmbeddings(pool.embed, ("a cat",)).wait()
    assert isinstance(answer, Failed)
    assert answer.message == "killed again"
    assert len(pool.requests) == 2


def test_a_worker_that_dies_with_two_requests_is_asked_for_both_again(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(300)]
    with Store.open(tmp_path / "s.db") as store:
        embeddings = Embeddings(store, FakeEmbedPool(fail=["killed"] * 2), DEFAULT_EMBEDDER)
        embeddings.make(texts)
        assert embeddings.why_not == ""
        assert len(embeddings.vectors(texts)) == len(texts)


def test_what_the_store_does_not_take_has_its_vectors(tmp_path: Path) -> None:
    Store.open(tmp_path / "a.db").close()
    pool = FakeEmbedPool()
    with sqlite3.connect(tmp_path / "a.db") as writer, Store.read(tmp_path / "a.db") as store:
        writer.execute("BEGIN IMMEDIATE")
        embeddings = Embeddings(store, pool, DEFAULT_EMBEDDER)
        embeddings.make(["a cat", "a dog"])
        embeddings.make(["a cat", "a bird"])
        assert embeddings.vectors(["a cat", "a dog", "a bird"]).keys() == {"a cat", "a dog", "a bird"}
        assert embeddings.why_not == ""
        writer.execute("ROLLBACK")
