"""The llama.cpp engine on the embedded weights, in worker processes."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench.contexts.rendering import render
from alignbench.engines.protocol import Event, Failed, Finished, Loaded, Started, TextDeltas
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Context, Model, Prompt
from tests.support.driving import follow, load, plain_request, results, score, texts

pytestmark = pytest.mark.models


def started(events: list[Event]) -> Started:
    return next(event for event in events if isinstance(event, Started))


def test_strict_replays_and_n_3_is_the_head_of_n_5_and_12(pool: WorkerPool, model: Model) -> None:
    def drawn(samples: tuple[int, ...] | int) -> dict[int, str]:
        return texts(follow(pool, model, plain_request(samples, max_tokens=8, temperature=1.5)))

    five, twelve = drawn(5), drawn(12)
    assert five == drawn(5)
    assert drawn(3) == {i: five[i] for i in range(3)}
    assert five == {i: twelve[i] for i in range(5)}
    assert drawn((4, 9)) == {i: twelve[i] for i in (4, 9)}
    assert len(set(twelve.values())) > 1


def test_a_sample_that_is_drawn_alone_replays(pool: WorkerPool, model: Model) -> None:
    request = replace(plain_request((0,), max_tokens=12), alone=True)
    first = texts(follow(pool, model, request))
    follow(pool, model, plain_request(5, max_tokens=4))
    assert texts(follow(pool, model, replace(request, key=pool.new_key()))) == first


@pytest.mark.parametrize("repeats", [40, 1])
def test_strict_mode_narrows_without_a_trace(pool: WorkerPool, model: Model, repeats: int) -> None:
    """Rows end at different times, decodes become narrower, and every text stays what it is alone; where rows share the
    cache of a long prompt, and where each has a copy of a short one."""
    context = "An essay on harbours. " * repeats + "\n\n# Query:\n```\n"
    request = {"context": context, "stops": (".", ",", "\n"), "max_tokens": 24, "temperature": 1.0}
    many = results(follow(pool, model, plain_request(11, **request)))
    assert len({result.n_tokens for result in many.values()}) > 2
    for few in ((2,), (7, 10)):
        assert texts(follow(pool, model, plain_request(few, **request))) == {i: many[i].raw_text for i in few}


def test_strict_does_not_depend_on_the_cache_or_on_what_ran_before(pool: WorkerPool, model: Model) -> None:
    context = "An essay on gardens. " * 40 + "\n\n# Query:\n```\n"
    first = follow(pool, model, plain_request(3, context=context, max_tokens=6))
    follow(pool, model, plain_request(2, context=context, prompt="another question", max_tokens=6))
    cached = follow(pool, model, plain_request(3, context=context, max_tokens=6))
    follow(pool, model, plain_request(2, max_tokens=6))
    again = follow(pool, model, plain_request(3, context=context, max_tokens=6))
    assert started(first).n_cached == started(again).n_cached == 0
    assert started(cached).n_cached > 130
    assert texts(first) == texts(cached) == texts(again)


def test_what_fast_mode_left_in_the_cache_does_not_reach_strict_mode(pool: WorkerPool, model: Model) -> None:
    context = "A letter about the sea. " * 25 + "\n\n# Query:\n```\n"
    alone = texts(follow(pool, model, plain_request(3, context=context, max_tokens=6)))
    follow(pool, model, plain_request(2, context=context[:300], mode="fast", max_tokens=4))
    follow(pool, model, plain_request(2, context=context, mode="fast", max_tokens=4))
    assert texts(follow(pool, model, plain_request(3, context=context, max_tokens=6))) == alone


def test_fast_mode_draws_all_and_reuses_any_prefix(pool: WorkerPool, model: Model) -> None:
    events = follow(pool, model, plain_request(40, mode="fast", max_tokens=6))
    assert set(results(events)) == set(range(40))
    again = follow(pool, model, plain_request(2, mode="fast", max_tokens=6))
    assert started(again).n_cached == len(started(again).prompt_ids) - 1


def test_fast_and_strict_agree_until_they_part(pool: WorkerPool, model: Model) -> None:
    """Other batch widths run other kernels: log-probs of the shared tokens differ a little, 0.05 on average at most."""
    strict = results(follow(pool, model, plain_request(6)))
    fast = results(follow(pool, model, plain_request(6, mode="fast")))
    differences: list[float] = []
    for i in range(6):
        a, b = strict[i].tokens, fast[i].tokens
        pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a.ids, b.ids, strict=False))
        same = sum(1 for _ in pairs)
        differences.extend(np.abs(a.logprob[:same] - b.logprob[:same]))
    assert np.mean(differences) < 0.05


def test_events_of_a_request(pool: WorkerPool, model: Model) -> None:
    events = follow(pool, model, plain_request(2))
    assert isinstance(events[0], Started)
    for i, result in results(events).items():
        shown = "".join(d.text for e in events if isinstance(e, TextDeltas) for d in e.deltas if d.sample == i)
        assert shown == result.text
        assert result.raw_text.startswith(result.text)
        assert "```" not in result.text
        assert len(result.tokens.ids) == result.n_tokens <= 24
        assert result.finish_reason in ("stop", "length")
        if result.finish_reason == "length":
            assert result.n_tokens == 24
            assert result.raw_text == result.text
        assert result.logprob == pytest.approx(float(result.tokens.logprob.sum()), abs=1e-3)
        assert (result.tokens.entropy >= 0).all()
    assert sum(e.n_tokens for e in events if isinstance(e, TextDeltas)) == sum(
        r.n_tokens for r in results(events).values()
    )


def test_stops_end_a_sample_and_are_cut_once(pool: WorkerPool, aligned: Model) -> None:
    for result in results(follow(pool, aligned, plain_request(4, stops=(" the", "."), max_tokens=60))).values():
        if result.finish_reason == "stop" and result.raw_text != result.text:
            assert not any(stop in result.text for stop in (" the", "."))
            assert result.raw_text.startswith((result.text + " the", result.text + "."))


def test_exactly_one_bos(pool: WorkerPool, model: Model) -> None:
    ids = started(follow(pool, model, plain_request(1, max_tokens=1))).prompt_ids
    capabilities = pool.capabilities(model)
    assert capabilities is not None
    with_text = plain_request(1, max_tokens=1, context=capabilities.bos + "# Query:\n```\n")
    assert started(follow(pool, model, with_text)).prompt_ids.count(ids[0]) == ids.count(ids[0])
    if capabilities.adds_bos:
        assert started(follow(pool, model, with_text)).prompt_ids == ids


def test_greedy_samples_are_all_the_same(pool: WorkerPool, model: Model) -> None:
    assert len(set(texts(follow(pool, model, plain_request(3, temperature=0))).values())) == 1


def test_repetition_penalty_reaches_prompt_and_generation(pool: WorkerPool, model: Model) -> None:
    with_penalty = follow(pool, model, plain_request(2, temperature=0, repetition_penalty=10.0, max_tokens=16))
    prompt = set(started(with_penalty).prompt_ids)
    for result in results(with_penalty).values():
        ids = list(result.tokens.ids)
        assert len(set(ids)) == len(ids)
        assert len(prompt & set(ids)) <= 1


def test_a_request_that_cannot_fit_is_refused_with_the_numbers(pool: WorkerPool, aligned: Model) -> None:
    events = follow(pool, aligned, plain_request(2, max_tokens=9000))
    assert isinstance(events[-1], Failed)
    assert "9000" in events[-1].message
    assert "8192" in events[-1].message
    assert results(follow(pool, aligned, plain_request(1)))


def test_cancel_of_one_sample_and_of_all(pool: WorkerPool, aligned: Model) -> None:
    request = plain_request(4, max_tokens=400, stops=())

    def watch(event: Event) -> None:
        if isinstance(event, TextDeltas):
            pool.cancel(aligned, request.key, (1,))
        if isinstance(event, Finished) and event.result.sample == 1:
            pool.cancel(aligned, request.key)

    samples = results(follow(pool, aligned, request, watch))
    assert set(samples) == {0, 1, 2, 3}
    reasons = [result.finish_reason for result in samples.values()]
    assert "cancelled" in reasons
    assert set(reasons) <= {"cancelled", "stop"}  # some may have ended before
    assert any(result.text for result in samples.values() if result.finish_reason == "cancelled")


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_cancelled_prefill_ends_soon(pool: WorkerPool, aligned: Model) -> None:
    pool_request = plain_request(2, context="word " * 6000, max_tokens=8)
    worker = pool.worker_pid(aligned)
    assert worker is not None
    before = cpu_seconds(worker)
    pool.cancel(aligned, pool_request.key)
    samples = results(follow(pool, aligned, pool_request))
    assert {result.finish_reason for result in samples.values()} == {"cancelled"}
    assert cpu_seconds(worker) - before < 5, "the whole prompt takes more"
    assert results(follow(pool, aligned, plain_request(1)))[0].finish_reason != "cancelled"


def test_loading_again_is_free_and_says_what_the_model_is(pool: WorkerPool, model: Model) -> None:
    load(pool, model)
    capabilities = pool.capabilities(model)
    assert capabilities is not None
    assert capabilities.kind == model.kind
    assert len(capabilities.file_hash) == 64
    assert (capabilities.chat_template is not None) == (model.kind == "aligned")


def test_scores_are_the_log_probs_of_sampling(pool: WorkerPool, model: Model) -> None:
    """Teacher forcing the sampled text gives what was stored while it was drawn, kernels of other widths aside."""
    request = plain_request(4, max_tokens=16, stops=())
    differences: list[float] = []
    for sampled in results(follow(pool, model, request)).values():
        scored = score(pool, model, request, sampled.raw_text)
        n = min(len(scored.ids), sampled.n_tokens)
        same = [i for i in range(n) if list(scored.ids[: i + 1]) == list(sampled.tokens.ids[: i + 1])]
        differences.extend(np.abs(scored.logprob[same] - sampled.tokens.logprob[same]))
        assert "".join(scored.pieces) == sampled.raw_text
        for t in range(len(scored.ids)):
            assert list(scored.top_logprob[t]) == sorted(scored.top_logprob[t], reverse=True)
            if scored.rank[t] <= 5:
                assert scored.top_ids[t][scored.rank[t] - 1] == scored.ids[t]
            else:
                assert scored.ids[t] not in scored.top_ids[t]
    assert len(differences) >= 10
    assert np.mean(differences) < 0.1


def test_an_empty_continuation_has_no_scores(pool: WorkerPool, model: Model) -> None:
    assert score(pool, model, plain_request(1), "").ids.shape == (0,)


def test_a_file_that_names_no_bos_has_none(pool: WorkerPool, tmp_path: Path) -> None:
    """llama.cpp would take token 11 for it, which is a comma or the like; templates find none, as in transformers."""
    aligned = resolve("demo-smollm2")
    data = weights_path(aligned).read_bytes()
    (tmp_path / "m.gguf").write_bytes(data.replace(b"tokenizer.ggml.bos_token_id", b"tokenizer.ggml.bos_token_no"))
    for model, bos in ((aligned, "<|im_start|>"), (resolve(f"llama:{tmp_path}/m.gguf"), "")):
        loaded = load(pool, model)
        assert isinstance(loaded, Loaded)
        assert loaded.capabilities.bos == bos
        source = replace(loaded.capabilities, chat_template="{{ bos_token is defined }}")
        assert render(Prompt.typed("Why?"), Context("chat"), source).text == str(bool(bos))
    pool.unload(model)
