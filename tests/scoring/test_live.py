from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.metrics.values import Cross, Value
from alignbench.reports.to_json import scores_json
from alignbench.scoring.floor import Floor
from alignbench.scoring.live import LiveScores
from alignbench.scoring.run_scores import session_scores
from alignbench.spec import Condition, Context, Model, Prompt, content_hash
from alignbench.store import SampleRow, Store
from tests.support.embeddings import NO_TOKEN, FakeEmbedPool, vector
from tests.support.waiting import LIMIT

PROMPT = Prompt("p1", "Why keep a diary?")
OTHER_PROMPT = Prompt("p2", "Why dance?")
MODEL = Model("m", "demo-smollm2", "aligned")
A, B, C = (Condition(name, MODEL, Context("chat")) for name in "ABC")


@pytest.fixture
def pool() -> FakeEmbedPool:
    return FakeEmbedPool()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scores.db"


@pytest.fixture
def live(path: Path, pool: FakeEmbedPool) -> Iterator[LiveScores]:
    with closing(LiveScores(path, pool, lambda: None)) as scores:
        yield scores


def row(sample: int, text: str, condition: str = "A", prompt: Prompt = PROMPT, **fields: Any) -> SampleRow:
    values: dict[str, Any] = {
        "id": sample, "cell_id": 1, "session": 1, "prompt_id": prompt.id, "prompt": prompt.text, "condition": condition,
        "model": "m", "sample": sample, "seed": sample, "status": "done", "text": text, "raw_text": text,
        "finish_reason": "stop", "n_prompt_tokens": 3, "n_tokens": 5, "seconds": 0.1, "logprob": -1.0, "error": None,
    }  # fmt: skip
    return SampleRow(**{**values, **fields})


def within(live: LiveScores, prompt_id: str, condition: str) -> Mapping[str, Value]:
    return live.prompt_scores(prompt_id, [condition]).within[condition]


def cross(live: LiveScores, prompt_id: str, reference: str, condition: str) -> Mapping[str, Cross]:
    return live.prompt_scores(prompt_id, [condition], reference).held_out.cross[condition]


TEXTS = ["I write to remember.", "It calms me down.", "I write to remember.", "My thoughts get clearer."]


def cosine_diversity(texts: list[str]) -> float:
    rows = [vector(text).astype(np.float64) for text in texts]
    pairs = [(i, j) for i in range(len(rows)) for j in range(i)]
    return float(np.mean([1 - rows[i] @ rows[j] for i, j in pairs]))


def test_lexical_scores_are_there_at_once_and_embeddings_follow(pool: FakeEmbedPool, live: LiveScores) -> None:
    pool.open.clear()
    for i, text in enumerate(TEXTS):
        live.add(row(i, text))
    values = within(live, "p1", "A")
    assert values["jaccard"].value is not None
    assert values["duplicates"].value == 1.0
    assert values["embedding_diversity"].reason == "embeddings have not arrived yet"
    assert not live.wait(timeout=0.01)
    pool.open.set()
    assert live.wait(LIMIT)
    assert within(live, "p1", "A")["embedding_diversity"].value == pytest.approx(cosine_diversity(TEXTS), abs=1e-6)


def test_what_arrives_while_a_request_is_on_its_way_goes_into_the_next_one(
    pool: FakeEmbedPool, live: LiveScores
) -> None:
    pool.open.clear()
    live.add(row(0, "first"))
    assert pool.asked.acquire(timeout=LIMIT)
    for i in range(1, 7):
        live.add(row(i, f"text {i}"))
    pool.open.set()
    assert live.wait(LIMIT)
    assert [len(request) for request in pool.requests] == [1, 6]


def test_a_text_is_embedded_once_ever(path: Path, pool: FakeEmbedPool, live: LiveScores) -> None:
    for i, text in enumerate(TEXTS):
        live.add(row(i, text))
        live.add(row(i, text, condition="B"))
    live.add(row(9, "", condition="B"))
    assert live.wait(LIMIT)
    assert sorted(pool.embedded) == sorted(set(TEXTS))
    live.close()
    reopened = LiveScores(path, pool, lambda: None)
    with closing(reopened):
        for i, text in enumerate(TEXTS):
            reopened.add(row(i, text))
        assert reopened.wait(LIMIT)
        value = within(reopened, "p1", "A")["embedding_diversity"].value
    assert value == pytest.approx(cosine_diversity(TEXTS), abs=1e-6)
    assert len(pool.embedded) == len(set(TEXTS))
    with Store.open(path) as store:
        assert set(store.embeddings(DEFAULT_EMBEDDER, map(content_hash, TEXTS))) == set(map(content_hash, TEXTS))


def test_kept_vectors_do_without_an_embedding_model(path: Path, live: LiveScores) -> None:
    for i, text in enumerate(TEXTS):
        live.add(row(i, text))
    assert live.wait(LIMIT)
    with closing(LiveScores(path, None, lambda: None)) as reopened:
        for i, text in enumerate(TEXTS):
            reopened.add(row(i, text))
            reopened.add(row(i, f"new {i}", condition="B"))
        assert reopened.wait(LIMIT)
        assert within(reopened, "p1", "A")["embedding_diversity"].value is not None
        assert within(reopened, "p1", "B")["embedding_diversity"].reason == "no embedding model is in use"
        assert cross(reopened, "p1", "A", "B")["embedding_similarity"].reason == "no embedding model is in use"
        assert within(reopened, "p1", "B")["jaccard"].value is not None


def test_a_worker_that_dies_once_is_asked_again(path: Path) -> None:
    pool = FakeEmbedPool(fail=["killed by SIGKILL"])
    with closing(LiveScores(path, pool, lambda: None)) as live:
        for i, text in enumerate(TEXTS):
            live.add(row(i, text))
        assert live.wait(LIMIT)
        assert within(live, "p1", "A")["embedding_diversity"].value is not None


def test_a_worker_that_fails_twice_is_asked_no_more(path: Path) -> None:
    pool = FakeEmbedPool(fail=["no such package"] * 9)
    with closing(LiveScores(path, pool, lambda: None)) as live:
        for i, text in enumerate(TEXTS):
            live.add(row(i, text))
        assert live.wait(LIMIT)
        live.add(row(7, "one more"))
        assert live.wait(LIMIT)
        reason = within(live, "p1", "A")["embedding_diversity"].reason
    assert reason == "embeddings failed: no such package"
    assert len(pool.requests) == 2


def test_only_finished_samples_count_and_only_once(live: LiveScores, pool: FakeEmbedPool) -> None:
    live.add(row(0, "", status="error", error="overflow", finish_reason="error"))
    live.add(row(1, "half a", status="cancelled", finish_reason="cancelled"))
    assert within(live, "p1", "A")["words"].n == 0
    live.add(row(0, "the retry"))
    live.add(row(0, "the retry"))
    assert within(live, "p1", "A")["words"].n == 1
    assert live.wait(LIMIT)
    assert pool.embedded == ["the retry"]


def test_a_text_without_tokens_has_no_embedding_and_is_not_asked_for_again(
    path: Path, live: LiveScores, pool: FakeEmbedPool
) -> None:
    live.add(row(0, NO_TOKEN))
    live.add(row(1, "a word"))
    assert live.wait(LIMIT)
    assert within(live, "p1", "A")["embedding_diversity"].reason == "a response has no token to embed"
    with closing(LiveScores(path, pool, lambda: None)) as reopened:
        reopened.add(row(0, NO_TOKEN))
        assert reopened.wait(LIMIT)
    assert pool.embedded.count(NO_TOKEN) == 1


def test_on_change_is_called_for_samples_and_for_embeddings(path: Path, pool: FakeEmbedPool) -> None:
    seen: list[object] = []
    with closing(
        LiveScores(path, pool, lambda: seen.append(within(live, "p1", "A")["embedding_diversity"].value))
    ) as live:
        for i, text in enumerate(TEXTS):
            live.add(row(i, text))
        assert live.wait(LIMIT)
        live.close()  # joins the thread that calls back
    assert len(seen) >= len(TEXTS) + 1
    assert seen[-1] == pytest.approx(cosine_diversity(TEXTS), abs=1e-6)


def test_threads_may_add_and_read_at_once(live: LiveScores) -> None:
    def work(condition: str) -> None:
        for i in range(20):
            live.add(row(i, f"{condition} writes text {i}", condition=condition))
            cross(live, "p1", "A", condition)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ABCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.wait(LIMIT)
    for name in "BCD":
        crosses = cross(live, "p1", "A", name)
        assert crosses["jaccard"].n_pairs == crosses["embedding_similarity"].n_pairs == 400


def test_closing_frees_whoever_waits(live: LiveScores, pool: FakeEmbedPool) -> None:
    pool.open.clear()
    live.add(row(0, "never embedded"))
    live.close()
    assert live.wait(timeout=0.0)
    live.add(row(1, "after the end"))
    assert within(live, "p1", "A")["words"].n == 2
    pool.open.set()


def test_another_model_than_expected_is_kept_under_its_own_name(path: Path) -> None:
    pool = FakeEmbedPool(model="house-embedder")
    with closing(LiveScores(path, pool, lambda: None)) as live:
        live.add(row(0, "one"))
        live.add(row(1, "two"))
        assert live.wait(LIMIT)
        assert within(live, "p1", "A")["embedding_diversity"].value is not None
    with Store.open(path) as store:
        assert store.embeddings("house-embedder", [content_hash("one")])
        assert not store.embeddings(DEFAULT_EMBEDDER, [content_hash("one")])


def test_vectors_of_two_models_never_meet(path: Path, live: LiveScores) -> None:
    live.add(row(0, "one"))
    assert live.wait(LIMIT)
    with closing(LiveScores(path, FakeEmbedPool(model="other"), lambda: None)) as reopened:
        reopened.add(row(0, "one"))
        assert reopened.wait(LIMIT)
        reopened.add(row(1, "two"))
        assert reopened.wait(LIMIT)
        reason = within(reopened, "p1", "A")["embedding_diversity"].reason
    assert reason == f"the embedding model is other, but this session's scores use {DEFAULT_EMBEDDER}"


def test_a_file_that_is_no_database_costs_the_cache_only(tmp_path: Path, pool: FakeEmbedPool) -> None:
    path = tmp_path / "foreign.db"
    path.write_text("not a database")
    with closing(LiveScores(path, pool, lambda: None)) as live:
        for i, text in enumerate(TEXTS):
            live.add(row(i, text))
        assert live.wait(LIMIT)
        assert within(live, "p1", "A")["embedding_diversity"].value is not None
    assert path.read_text() == "not a database"


def test_session_scores_are_means_over_prompts(live: LiveScores) -> None:
    for i, text in enumerate(["cat mat", "cat rug"]):
        live.add(row(i, text, "A"))
        live.add(row(i, text, "A", OTHER_PROMPT))
    live.add(row(0, "cat mat", "B"))
    live.add(row(0, "dog", "B", OTHER_PROMPT))
    live.add(row(1, "dog", "B", OTHER_PROMPT))
    assert live.wait(LIMIT)
    scores = session_scores(live, [PROMPT, OTHER_PROMPT], [A, B, C], "A", Floor("B"))
    values, crosses = scores.within, scores.cross
    third = pytest.approx(1 / 3)
    assert scores_json(scores)["within"]["A"]["jaccard"] == {
        "value": third,
        "ci": [third, third],
        "n": 2,
        "samples": 4,
        "reason": "",
    }
    assert scores_json(scores)["within"]["B"]["jaccard"] == {
        "value": 1.0, "ci": None, "n": 1, "samples": 2, "reason": "",
        "difference": {"value": pytest.approx(2 / 3), "ci": None, "p": None, "p_holm": None, "n": 1},
    }  # fmt: skip
    assert values["A"]["words"].value == 2.0
    assert values["A"]["words"].sd == 0.0
    assert values["B"]["duplicates"].value == 0.5
    assert values["C"]["jaccard"].value is None
    assert values["C"]["jaccard"].reason == "needs 2 samples, has 0"
    b = crosses["B"]["jaccard"]
    assert b.value == pytest.approx((2 / 3 + 0) / 2)
    assert b.ci == (0.0, 1.0), "two prompts tell nothing"
    assert b.mmd2 == pytest.approx(1 / 3 + 1)
    assert b.ceiling == b.floor == third
    assert b.recovery is None
    assert "not over the floor" in b.recovery_reason
    assert b.held_out is None
    assert b.n == 2
    # Both prompts have the reference's same two answers, so the null is a pair of equal and two of unequal answers.
    assert b.null == pytest.approx((1 + 1 / 3) / 2)
    assert crosses["A"]["jaccard"].value == crosses["A"]["jaccard"].ceiling
    assert crosses["C"]["jaccard"].reason == "needs 1 sample, has 0"
    assert crosses["B"]["embedding_similarity"].value is not None
    json.dumps(scores_json(scores), allow_nan=False)


def test_session_scores_without_a_reference_or_prompts(live: LiveScores) -> None:
    live.add(row(0, "cat"))
    assert session_scores(live, [PROMPT], [A], None, Floor(None)).cross == {}
    nothing = session_scores(live, [], [A], "A", Floor(None))
    assert nothing.within["A"]["words"].reason == "no prompts"
    assert nothing.cross["A"]["jaccard"].floor is None
