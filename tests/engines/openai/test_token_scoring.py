"""Log-probs of given tokens from servers with a tokenizer to ask. Their answers are as vLLM 0.32 and llama-server give
them, over a vocabulary of a letter a token."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from alignbench.contexts.rendering import render
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.protocol import CHAT_PROBE, Failed, LikelihoodRequest, Scored, TokenizeRequest
from alignbench.errors import EngineError, InputError
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Context, Model, Prompt
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, refusal
from tests.support.waiting import LIMIT

BOS = 1
TEMPLATE = "{% for m in messages %}<{{ m['content'] }}>{% endfor %}{{ mood }}"
PROBE = "".join(f"<{content}>" for _, content in CHAT_PROBE)

SLOTS = 3  # of llama-server

Connect = Callable[..., OpenAIEngine]


def _as_rendered(body: dict[str, Any]) -> str:
    chat = "".join(f"<{message['content']}>" for message in body["messages"])
    return chat + str(body.get("chat_template_kwargs", {}).get("mood", ""))


def logprob(token: int, before: int) -> float:
    """Of a token after another one: of each it is another."""
    return -1.0 - (token * 7 + before) % 50 / 10


class _Vllm(ScriptedServer):
    owner = "vllm"
    eos = "</s>"
    tells_template = True

    def __init__(self) -> None:
        super().__init__()
        self.models = as_json({"data": [{"id": MODEL, "owned_by": self.owner}]})
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def listed(self, path: str) -> Reply:
        if path == "/tokenizer_info" and self.tells_template:
            return as_json({"chat_template": TEMPLATE, "bos_token": {"content": "<s>"}, "eos_token": self.eos})
        return super().listed(path)

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        self.asked.append((path, body))
        if path == "/tokenize" and "messages" in body:
            return as_json({"tokens": [*map(ord, _as_rendered(body))]})
        if path == "/tokenize":
            ids = [*([BOS] if body["add_special_tokens"] else []), *map(ord, body["prompt"])]
            # As GPT-2 writes bytes.
            strs = ["<s>" if id == BOS else {" ": "Ġ", "\n": "Ċ", "é": "Ã©"}.get(chr(id), chr(id)) for id in ids]
            return as_json({"tokens": ids, "token_strs": strs})
        if path == "/detokenize":
            return as_json({"prompt": "".join(map(chr, body["tokens"]))})
        if path == "/v1/completions" and "logprob_token_ids" in body:
            top = {f"token_id:{id}": logprob(id, body["prompt"][-1]) for id in body["logprob_token_ids"]}
            return as_json({"choices": [{"text": "!", "logprobs": {"top_logprobs": [top]}}]})
        if path == "/v1/completions" and "prompt_logprobs" in body:
            ids = body["prompt"]
            places = [None, *(self._place(*pair) for pair in zip(ids[1:], ids, strict=False))]
            return as_json({"choices": [{"text": "!", "prompt_logprobs": places}]})
        return super().answer(path, body)

    def _place(self, token: int, before: int) -> dict[str, Any]:
        best = {"logprob": -0.5, "rank": 1, "decoded_token": "z"}
        return {str(token): {"logprob": logprob(token, before), "rank": 9, "decoded_token": chr(token)}, "122": best}


class _LlamaServer(_Vllm):
    owner = "llamacpp"

    def listed(self, path: str) -> Reply:
        if path == "/props":
            return as_json({"chat_template": TEMPLATE, "bos_token": "<s>", "eos_token": self.eos, "total_slots": SLOTS})
        return super().listed(path)

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        self.asked.append((path, body))
        if path == "/tokenize":
            ids = [*([BOS] if body["add_special"] else []), *map(ord, body["content"])]
            pieces = ["<s>" if id == BOS else list(chr(id).encode()) if id > 127 else chr(id) for id in ids]
            return as_json({"tokens": [{"id": id, "piece": each} for id, each in zip(ids, pieces, strict=True)]})
        if path == "/apply-template":
            return as_json({"prompt": _as_rendered(body)})
        if path == "/completion":
            before = body["prompt"][-1]
            if body["logit_bias"][0][0] != ord("a"):  # it drew an end
                return as_json({"completion_probabilities": []})
            ranked = sorted(range(300), key=lambda token: -logprob(token, before))[: body["n_probs"]]
            top = [{"id": id, "token": chr(id), "logprob": logprob(id, before)} for id in ranked]
            return as_json({"completion_probabilities": [{"top_logprobs": top}]})
        return ScriptedServer.answer(self, path, body)


@pytest.fixture(params=[_Vllm, _LlamaServer])
def server(request: pytest.FixtureRequest) -> Iterator[_Vllm]:
    server: _Vllm = request.param()
    yield server
    server.close()


def test_the_tokens_of_a_continuation_behind_the_ids_of_its_prompt(server: _Vllm, connect: Connect) -> None:
    scored = connect().score(LikelihoodRequest(1, "ab ", "c", "dé", top=2))
    assert scored.ids.tolist() == [ord("d"), ord("é")]
    assert scored.pieces == ("d", "é")
    assert scored.n_context_tokens == 5  # a BOS before them
    expected = [logprob(ord("d"), ord("c")), logprob(ord("é"), ord("d"))]
    assert scored.logprob.tolist() == pytest.approx(expected)
    assert scored.top_ids.shape == (2, 2)
    assert scored.top_logprob[0, 0] >= scored.top_logprob[0, 1]
    if isinstance(server, _LlamaServer):
        ranks = [1 + sum(logprob(other, ord("c")) > expected[0] for other in range(300))]
        assert scored.rank[0] >= ranks[0]
    else:
        assert scored.rank.tolist() == [9, 9]
        assert scored.top_ids[0].tolist() == [ord("z"), -1]  # what is not given
        assert scored.top_pieces[0] == ("z", "")


def test_how_likely_an_end_is_where_only_end_tokens_make_one(server: _Vllm, connect: Connect) -> None:
    server.eos = "$"  # of a letter a token the only text of an end token that is one
    engine = connect()
    assert engine.score(LikelihoodRequest(1, "ab", "", "c", closings=())).end == pytest.approx(
        logprob(ord("$"), ord("c")), abs=1e-5
    )
    assert engine.score(LikelihoodRequest(2, "ab", "", "", closings=())).end == pytest.approx(
        logprob(ord("$"), ord("b")), abs=1e-5
    )
    assert engine.score(LikelihoodRequest(3, "ab", "", "c", closings=("```",))).end is None
    assert engine.score(LikelihoodRequest(4, "ab", "", "c")).end is None


def test_nothing_is_scored_where_nothing_follows(server: _Vllm, connect: Connect) -> None:
    del server
    scored = connect().score(LikelihoodRequest(1, "ab ", "c", "", top=2))
    assert (len(scored.ids), scored.n_context_tokens) == (0, 5)


def test_tokens_are_known_with_their_bytes(server: _Vllm, connect: Connect) -> None:
    del server
    found = connect().tokens(TokenizeRequest(1, ("a é", "\n")))
    assert found.ids == ((BOS, 97, 32, 233), (BOS, 10))
    assert found.pieces == ((b"<s>", b"a", b" ", "é".encode()), (b"<s>", b"\n"))


def test_the_layout_of_chats_is_known(server: _Vllm, connect: Connect) -> None:
    del server
    known = connect().capabilities()
    assert (known.chat_template, known.bos, known.eos, known.adds_bos) == (TEMPLATE, "<s>", "</s>", True)
    assert known.renders_chat
    assert known.chat_probe == PROBE
    assert known.special_tokens == (("bos_token", "<s>"), ("eos_token", "</s>"))


def test_a_chat_is_rendered_with_what_every_request_says_to_the_template(server: _Vllm, connect: Connect) -> None:
    fields = '{"chat_template_kwargs":{"mood":"glad"},"top_a":0.2}'
    known = connect(server.url, f"{MODEL}#{fields}").capabilities()
    assert known.chat_probe == f"{PROBE}glad"
    rendered = render(Prompt.typed("Why?"), Context("chat"), known, as_text=True)
    assert rendered.text == "<Why?>glad"
    with pytest.raises(InputError, match="is rendered otherwise there than here"):
        render(Prompt.typed("Why?"), Context("chat"), replace(known, chat_fields=""), as_text=True)


def test_a_server_that_keeps_its_layout_to_itself_says_how_to_get_it(connect: Connect) -> None:
    server = _Vllm()
    server.tells_template = False
    known = connect(server.url).capabilities()
    assert known.chat_template is None
    assert "--enable-tokenizer-info-endpoint" in known.no_template
    server.close()


def test_without_a_tokenizer_to_ask_texts_are_echoed(connect: Connect) -> None:
    class Bare(_Vllm):
        def answer(self, path: str, body: dict[str, Any]) -> Reply:
            return refusal(404, "Not Found") if "token" in path else ScriptedServer.answer(self, path, body)

    server = Bare()
    engine = connect(server.url)
    with pytest.raises(EngineError, match="does not echo a text"):
        engine.score(LikelihoodRequest(1, "a", "b", "c"))
    assert server.tried[-1]["echo"] is True
    with pytest.raises(EngineError, match="not known before it answers"):
        engine.tokens(TokenizeRequest(1, ("a",)))
    server.close()


@pytest.mark.parametrize("kind", [_Vllm, _LlamaServer])
def test_texts_are_scored_side_by_side(kind: type[_Vllm], cancellation: Cancellation) -> None:
    """As many as a server takes at once; on llama-server each in a slot of its own, token after token."""
    most, n_open, met = 0, 0, threading.Event()

    class Meeting(kind):  # type: ignore[misc, valid-type]
        """Answers nobody before three ask for log-probs."""

        def answer(self, path: str, body: dict[str, Any]) -> Reply:
            nonlocal most, n_open
            reply: Reply = super().answer(path, body)
            if "prompt_logprobs" in body or path == "/completion":
                with self._lock:
                    n_open += 1
                    most = max(most, n_open)
                if n_open == SLOTS:
                    met.set()
                met.wait(LIMIT)
                with self._lock:
                    n_open -= 1
            return reply

    server = Meeting()
    requests = [LikelihoodRequest(key, "ab", "c", text, top=1) for key, text in enumerate(("de", "fg", "hi", "jk"), 1)]
    model = Model("m", f"openai:{server.url}#{MODEL}", "aligned")
    engine = OpenAIEngine(model, cancellation, ServerSettings(concurrency=SLOTS))
    later = iter([requests[2:3]])
    try:
        answers = [*engine.score_all(requests[:2], lambda: next(later, []))]
        found = {answer.key: answer.pieces for answer in answers if isinstance(answer, Scored)}
        assert found == {1: ("d", "e"), 2: ("f", "g"), 3: ("h", "i")}
        slots = {body["id_slot"] for path, body in server.asked if path == "/completion"}
        assert slots == (set(range(SLOTS)) if kind is _LlamaServer else set())
        assert most == SLOTS
        cancellation.cancel(4, None)
        (cancelled,) = engine.score_all(requests[3:])
        assert cancelled == Failed(4, "The scoring was cancelled.")
    finally:
        met.set()
        engine.close()
        server.close()


def test_one_text_after_the_other_has_the_slot_that_knows_the_prompt(connect: Connect) -> None:
    server = _LlamaServer()
    engine = connect(server.url)
    for key in (1, 2):
        engine.score(LikelihoodRequest(key, "ab", "c", "de"))
    assert {body["id_slot"] for path, body in server.asked if path == "/completion"} == {0}
    server.close()


@pytest.mark.parametrize("given", [None, [None], [None, None], [None, {}], [None, {"98": {"logprob": "x", "rank": 1}}]])
def test_log_probs_that_cannot_be_read_are_an_error(given: object, connect: Connect) -> None:
    class Odd(_Vllm):
        def answer(self, path: str, body: dict[str, Any]) -> Reply:
            if "prompt_logprobs" in body:
                return as_json({"choices": [{"prompt_logprobs": [None, *given] if isinstance(given, list) else given}]})
            return super().answer(path, body)

    server = Odd()
    with pytest.raises(EngineError, match="prompt_logprobs"):
        connect(server.url).score(LikelihoodRequest(1, "a", "", "b"))
    server.close()
