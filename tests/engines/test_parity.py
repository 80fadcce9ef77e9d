"""llama.cpp and transformers on the same GGUF files: the same ids, nearly the same distributions, the same rules."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from alignbench.contexts.rendering import render
from alignbench.engines.local.sampler import Sampler, uniform
from alignbench.engines.protocol import Event, Failed, Finished, LikelihoodRequest, Loaded, Scored, Started, TextDeltas
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Context, Model, Prompt, Sampling
from tests.support.driving import follow, load, plain_request, results, score, texts
from tests.support.waiting import LIMIT

pytestmark = [pytest.mark.models, pytest.mark.slow]

TEXTS = (
    "Hello  world", "  leading and trailing  \n\n\n", "", "\n", "\t\t", "don't I'll we've", "1234567890 3.14159",
    "def f(x):\n\treturn x**2\n\n\n    # four spaces", "日本語のテキスト、漢字とかな", "Привет, мир! Ёжик в тумане",
    "مرحبا بالعالم", "שלום עולם", "हिन्दी में एक वाक्य", "ไทย ภาษา", "한국어 텍스트", "naïve Ünïcödé ßtraße",
    "a\u0301 e\u0301 ﬁ ½ №", "emoji 👩‍👩‍👧‍👦 🇩🇪 👍🏽", "𝒜𝓁𝓅𝒽𝒶 𓀀", "…—“quotes”", "\u200b\u200e\ufeff", "a\r\nb\rc",
    "x" * 300,
    "=" * 80, " " * 50, "\n" * 33, "\x01\x7f", "```\n\n# Query:\n```\nWhy?\n```\n", "<h1>Hi</h1><table>",
    "<|im_start|>user\nhi<|im_end|>\n", "<start_of_turn>user\nhi<end_of_turn>\n",
    "<unused5> <eos> </s> <0x41> <pad><unk>",
)  # fmt: skip

OPENING = "The first sentence of the old diary was about the weather, and the second was about"

ESSAY = """\
People have kept diaries for as long as they have been able to write. The earliest that we know were lists: what \
was bought, who came to the door, how high the river stood. Only later did the writers turn to themselves. A \
merchant in the fifteenth century noted the price of wool on one line and a quarrel with his brother on the \
next, as if the two were goods of one kind. What changed was not the paper but the reader. A list is written for \
somebody who will check it; a diary is written for somebody who will forgive it, and that reader is nearly \
always the writer, older by some years.

There are three common reasons to begin. The first is memory. A day that is not written down is gone within a \
month, and most people are surprised by how little they can say about the second week of last March. The second \
is order. When a worry is put into a sentence it has a beginning and an end, and it can be looked at from \
outside. Doctors have found that patients who write for twenty minutes on three days in a row sleep better, \
although nobody is certain why. The third is practice. A musician plays scales, a swimmer counts lengths, and a \
person who wants to write well writes a little every evening, when nothing depends on it.

There are also reasons to stop. Some people find that they go over the same grievance night after night, and \
that the page makes it larger. Others begin to live for the entry: they choose the odd road home because it will \
read well. The cure in both cases is to write less and to look more. A good rule is to describe one thing that \
was seen, one that was heard, and one that was learned, and then to close the book.

How should one start? Buy a plain notebook, because a beautiful one asks for beautiful sentences. Write the date \
at the top. Begin with the weather if nothing else comes; it has opened better books than yours. Do not tear out \
pages, do not correct the spelling, and do not read anything that is younger than a year. After that the only \
skill is to go on. Whoever has kept a diary for ten years knows that the dull days are the ones worth having: \
the names of the neighbours, the price of bread, the sound of a tram that no longer runs. One last piece of \
advice concerns other people. Do not write for them, and do not hide from them either: leave the book on the \
shelf, without a lock, and it will be of no interest to anybody. A locked drawer is an invitation. My \
grandmother kept hers between the cookery books, forty volumes in grey cloth, and in sixty years nobody opened \
one."""


# The loop is the same for all; the first of the pairs, which pytest tells by their places, so that each loads once.
one_family = pytest.mark.parametrize("pair", ["demo-smollm2"], indirect=True)


@pytest.fixture(scope="module", params=["demo-smollm2", "demo-base"])
def pair(request: pytest.FixtureRequest, pool: WorkerPool) -> Iterator[tuple[Model, Model]]:
    """The same weights in llama.cpp and in transformers, loaded."""
    llama = resolve(request.param)
    hf = replace(resolve(f"hf:{weights_path(llama)}"), name=f"{request.param}-hf")
    for model in (llama, hf):
        assert isinstance(load(pool, model), Loaded)
    yield llama, hf
    pool.unload(hf)


def started(events: list[Event]) -> Started:
    return next(event for event in events if isinstance(event, Started))


def test_what_the_model_is(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    llama, hf = (pool.capabilities(model) for model in pair)
    assert llama is not None
    assert hf is not None
    for name in ("kind", "chat_template", "eos", "adds_bos", "n_ctx_train", "n_vocab", "file_hash", "device"):
        assert getattr(llama, name) == getattr(hf, name), name
    assert pair[0].kind == pair[1].kind == hf.kind


def test_templates_find_the_same_special_tokens(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    source = "{{ bos_token }}|{{ eos_token }}|{{ unk_token }}|{{ pad_token }}|{{ messages | tojson }}"
    of_both = [pool.capabilities(model) for model in pair]
    texts = {
        render(Prompt.typed("Why?"), Context("chat"), replace(each, chat_template=source)).text
        for each in of_both
        if each is not None
    }
    assert len(texts) == 1, texts


def test_the_same_ids_for_the_same_text_and_one_bos(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    capabilities = pool.capabilities(pair[0])
    assert capabilities is not None
    together = ["|".join(TEXTS[i : i + 4]) for i in range(0, len(TEXTS), 4)]
    for text in (*together, capabilities.bos + "a text that brings its BOS"):
        request = replace(plain_request(1, context=text, max_tokens=1), query="?")
        ids = [started(follow(pool, model, request)).prompt_ids for model in pair]
        assert ids[0] == ids[1], text
        if capabilities.adds_bos:
            assert ids[0].count(ids[0][0]) == 1
            assert ids[0][0] != ids[0][1]


def test_distributions_agree(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    """500 scored tokens; llama.cpp quantizes activations, so they agree nearly."""
    request = replace(plain_request(1, context=""), query=ESSAY[:80])
    llama, hf = (score(pool, model, request, ESSAY[80:]) for model in pair)
    n = 500
    assert len(llama.ids) >= n
    assert (llama.ids == hf.ids).all()
    assert llama.pieces == hf.pieces
    assert (llama.top_ids[:n, 0] == hf.top_ids[:n, 0]).mean() >= 0.95
    assert np.abs(llama.logprob[:n] - hf.logprob[:n]).mean() < 0.10
    assert ((llama.rank[:n] == 1) == (hf.rank[:n] == 1)).mean() >= 0.95


def test_the_end_is_as_likely_under_both(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    """After texts that end there, and cut short: by end tokens, and by what closes an answer in the plain layout."""
    prompt = "# Query:\n```\nName a colour.\n```\n\n# Answer:\n```\n"
    for closings in ((), ("```", "\n```")):
        for text in ("Blue.", "Blue, because it is the colour of the"):
            ends = []
            for model in pair:
                answers: queue.Queue[Scored | Failed] = queue.Queue()
                pool.score(model, LikelihoodRequest(pool.new_key(), prompt, "", text, 0, closings), answers.put)
                scored = answers.get(timeout=LIMIT)
                assert isinstance(scored, Scored), scored
                assert scored.end is not None
                ends.append(scored.end)
            assert ends[0] == pytest.approx(ends[1], abs=1.0), (closings, text)


@pytest.fixture(scope="module")
def first_logits(pool: WorkerPool, pair: tuple[Model, Model]) -> list[NDArray[np.float32]]:
    """Log-probs of every token after the prompt of the next tests, under both engines."""
    rows = []
    for model in pair:
        capabilities = pool.capabilities(model)
        assert capabilities is not None
        answers: queue.Queue[Scored | Failed] = queue.Queue()
        pool.score(model, LikelihoodRequest(pool.new_key(), "", OPENING, " the", capabilities.n_vocab), answers.put)
        scored = answers.get(timeout=LIMIT)
        assert isinstance(scored, Scored), scored
        row = np.empty(capabilities.n_vocab, np.float32)
        row[scored.top_ids[0]] = scored.top_logprob[0]
        rows.append(row)
    p, q = (np.exp(row) for row in rows)
    assert np.abs(p - q).sum() / 2 < 0.15  # what of the mass lies elsewhere
    return rows


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=0),
        Sampling(temperature=1.5),
        Sampling(top_k=5),
        Sampling(top_p=0.8),
        Sampling(min_p=0.1),
        Sampling(typical_p=0.5),
        Sampling(temperature=1.2, top_k=50, top_p=0.95, min_p=0.01, typical_p=0.95),
    ],
    ids=str,
)
def test_a_seed_and_a_distribution_decide_the_token(
    pool: WorkerPool, pair: tuple[Model, Model], first_logits: list[NDArray[np.float32]], sampling: Sampling
) -> None:
    """Each engine draws what the sampler draws from its distribution: the same wherever the distributions agree."""
    request = replace(plain_request(8, context="", stops=()), query=OPENING, sampling=replace(sampling, max_tokens=1))
    uniforms = [uniform(request.seed + i, request.stream, 0) for i in range(8)]
    for model, row in zip(pair, first_logits, strict=True):
        expected = Sampler(sampling).draw([row] * 8, uniforms)
        samples = results(follow(pool, model, request))
        assert [int(samples[i].tokens.ids[0]) for i in range(8)] == expected.ids.tolist()
        for i in range(8):
            assert samples[i].tokens.logprob[0] == pytest.approx(expected.logprob[i], abs=1e-4)
            assert samples[i].tokens.sampling_logprob[0] == pytest.approx(expected.sampling_logprob[i], abs=1e-4)


@one_family
def test_the_repetition_penalty_reaches_prompt_and_generation(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    for model in pair:
        events = follow(pool, model, plain_request(1, temperature=0.0, repetition_penalty=10.0, max_tokens=8))
        ids = list(results(events)[0].tokens.ids)
        assert len(set(ids)) == len(ids)
        assert len(set(ids) & set(started(events).prompt_ids)) <= 1


def test_strict_replays(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    context = "An essay on gardens. " * 20 + "\n\n# Query:\n```\n"
    threads_before = pool._threads

    def run(n: int, threads: int, **fields: object) -> dict[int, str]:
        pool._threads = threads
        given = {"context": context, "max_tokens": 8, "temperature": 1.5, **fields}
        return texts(follow(pool, pair[1], plain_request(n, **given)))

    try:
        six = run(6, 2)
        assert len(set(six.values())) > 1
        assert run(3, 1) == {i: six[i] for i in range(3)}
        run(1, 2, context="Something else. ", max_tokens=2)
        assert run(6, 1) == six
    finally:
        pool._threads = threads_before


def test_a_second_prompt_pays_only_for_its_query(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    context = "Notes on bread and on rivers. " * 60 + "\n\n# Query:\n```\n"
    for mode in ("strict", "fast"):
        for prompt, least in (("what is flour", 0), ("what is a delta", 350)):
            events = follow(pool, pair[1], plain_request(1, context=context, prompt=prompt, mode=mode, max_tokens=1))
            assert least <= started(events).n_cached < len(started(events).prompt_ids)


@one_family
def test_fast_and_strict_agree_until_they_part(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    """In float32 but for the last bits; llama.cpp's own test allows it 0.05."""
    strict = results(follow(pool, pair[1], plain_request(5, max_tokens=12)))
    fast = results(follow(pool, pair[1], plain_request(5, max_tokens=12, mode="fast")))
    differences: list[float] = []
    for i in range(5):
        a, b = strict[i].tokens, fast[i].tokens
        same = sum(1 for _ in itertools.takewhile(lambda ids: ids[0] == ids[1], zip(a.ids, b.ids, strict=False)))
        differences.extend(np.abs(a.logprob[:same] - b.logprob[:same]))
    assert max(differences) < 1e-3


@one_family
def test_scores_are_the_log_probs_of_sampling(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    request = plain_request(4, max_tokens=8, stops=())
    differences: list[float] = []
    for sampled in results(follow(pool, pair[1], request)).values():
        scored = score(pool, pair[1], request, sampled.raw_text)
        n = min(len(scored.ids), sampled.n_tokens)
        same = [i for i in range(n) if list(scored.ids[: i + 1]) == list(sampled.tokens.ids[: i + 1])]
        differences.extend(np.abs(scored.logprob[same] - sampled.tokens.logprob[same]))
    assert len(differences) >= 5
    assert max(differences) < 1e-2


@one_family
def test_a_stop_at_the_very_first_token(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    for model in pair:
        free = results(follow(pool, model, plain_request(1, temperature=0.0, max_tokens=1, stops=())))[0]
        stopped = results(follow(pool, model, plain_request(1, temperature=0.0, stops=(free.raw_text,))))[0]
        assert (stopped.text, stopped.raw_text) == ("", free.raw_text)
        assert (stopped.finish_reason, stopped.n_tokens) == ("stop", 1)


@one_family
def test_a_stop_across_token_borders_is_never_shown(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    for model in pair:
        request = plain_request(1, temperature=0.0, stops=(), max_tokens=12)
        whole = results(follow(pool, model, request))[0]
        pieces = score(pool, model, request, whole.raw_text).pieces
        stop = "".join(pieces)[len(pieces[0]) + len(pieces[1]) - 1 :][: len(pieces[2]) + 2].rstrip(
            "\N{REPLACEMENT CHARACTER}"
        )
        cut_request = plain_request(1, temperature=0.0, stops=(stop,), max_tokens=12)
        events = follow(pool, model, cut_request)
        cut = results(events)[0]
        shown = "".join(delta.text for event in events if isinstance(event, TextDeltas) for delta in event.deltas)
        assert cut.text == shown == whole.raw_text.partition(stop)[0]
        assert cut.finish_reason == "stop"


def test_characters_across_tokens_come_out_whole(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    """A text of rare characters that goes on repeating itself: each is several byte tokens."""
    context = "𓀀𓁐𓂀𓃒 " * 12
    for model in pair:
        request = replace(plain_request(1, context=context, temperature=0.0, max_tokens=16, stops=()), query="𓀀𓁐")
        events = follow(pool, model, request)
        result = results(events)[0]
        shown = "".join(delta.text for event in events if isinstance(event, TextDeltas) for delta in event.deltas)
        assert shown == result.text
        assert "𓂀" in result.text
        assert "\N{REPLACEMENT CHARACTER}" not in result.text[:-1]


def test_tokens_longer_than_32_bytes(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    line = "=" * 64 if pair[0].name == "demo-smollm2" else " " * 31
    samples = []
    for model in pair:
        request = replace(
            plain_request(1, context="", temperature=0.0, max_tokens=3, stops=()), query="a\n" + f"{line}x\n" * 9
        )
        samples.append(results(follow(pool, model, request))[0])
    assert samples[0].raw_text == samples[1].raw_text
    assert samples[0].raw_text.startswith(line)
    assert list(samples[0].tokens.ids) == list(samples[1].tokens.ids)


@one_family
def test_cancel_keeps_what_was_generated(pool: WorkerPool, pair: tuple[Model, Model]) -> None:
    request = plain_request(4, max_tokens=300, stops=())

    def watch(event: Event) -> None:
        if isinstance(event, TextDeltas):
            pool.cancel(pair[1], request.key, (1,))
        if isinstance(event, Finished) and event.result.sample == 1:
            pool.cancel(pair[1], request.key)

    samples = results(follow(pool, pair[1], request, watch))
    assert set(samples) == {0, 1, 2, 3}
    reasons = [result.finish_reason for result in samples.values()]
    assert "cancelled" in reasons
    assert set(reasons) <= {"cancelled", "stop"}  # some may have ended before
    assert any(result.text for result in samples.values() if result.finish_reason == "cancelled")
    assert results(follow(pool, pair[1], plain_request(1, max_tokens=2)))[0].finish_reason != "cancelled"


def test_fast_mode_draws_all_the_samples_of_cells_that_share_a_context(
    pool: WorkerPool, pair: tuple[Model, Model]
) -> None:
    """Refilled rows, queries of different lengths in one batch: the log-probs are those of scoring the same text."""
    context = "A list of questions and answers. " * 4 + "\n\n# Query:\n```\n"
    request = plain_request(36, context=context, mode="fast", max_tokens=4, stops=())
    other = plain_request(3, context=context, prompt="why", mode="fast", max_tokens=9, stops=())
    assert set(results(follow(pool, pair[1], request))) == set(range(36))
    for result in results(follow(pool, pair[1], other)).values():
        scored = score(pool, pair[1], other, result.raw_text)
        if list(scored.ids) == list(result.tokens.ids):
            assert np.abs(scored.logprob - result.tokens.logprob).max() < 1e-2
