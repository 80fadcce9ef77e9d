"""A tokenizer of this machine in place of a server's own: `tokenizer = "hf:..."` in models.toml."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench import paths
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.protocol import CHAT_PROBE, LikelihoodRequest, TokenizeRequest
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError
from alignbench.experiments.likelihood import score_response
from alignbench.models.catalog import resolve
from alignbench.models.hf_source import HfSource
from alignbench.models.server_settings import ServerSettings
from alignbench.spec import Context, Model, Prompt
from tests.support.hf_folders import byte_tokenizer
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, refusal

TEMPLATE = "{{ bos_token }}{% for m in messages %}[{{ m['content'] }}]{% endfor %}"
PROBE = "<s>" + "".join(f"[{content}]" for _, content in CHAT_PROBE)
SPECIAL = ("<s>", "</s>", "<|im_end|>")

With = Callable[..., OpenAIEngine]


def logprob(token: int, before: int) -> float:
    """Of a token after another one: of each it is another."""
    return -1.0 - (token * 7 + before) % 50 / 10


class TakesIds(ScriptedServer):
    """Echoes prompts of ids, a letter a token, and the log-probs of each; has no tokenizer to ask."""

    owner = "somebody"
    more: tuple[int, ...] = ()  # ids that it puts before a prompt

    def __init__(self, tokenizer: Any) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self.models = as_json({"data": [{"id": MODEL, "owned_by": self.owner}]})
        self.echoed: list[dict[str, Any]] = []

    def piece(self, token: int) -> str:
        return "" if token > 255 else self._tokenizer.decode([token])

    def ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if path != "/v1/completions" or not isinstance(body.get("prompt"), list):
            return super().answer(path, body)
        self.echoed.append(body)
        ids = [*self.more, *body["prompt"]]
        if "prompt_logprobs" in body:
            places = [
                {str(token): {"logprob": logprob(token, before), "rank": 9, "decoded_token": "x"}}
                for token, before in zip(ids[1:], ids, strict=False)
            ]
            return as_json({"choices": [{"text": "!", "prompt_logprobs": [None, *places]}]})
        logprobs = {
            "tokens": [*map(self.piece, ids), "!"],
            "token_logprobs": [None, *(logprob(*pair) for pair in zip(ids[1:], ids, strict=False)), -0.5],
            "top_logprobs": [None, *({"z": -0.5, "y": -0.75} for _ in ids)],
        }
        return as_json({"choices": [{"index": 0, "text": "?!", "logprobs": logprobs}]})


class Vllm(TakesIds):
    """Has the same tokenizer, and keeps its chat template to itself."""

    owner = "vllm"

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if path == "/tokenize" and "messages" in body:
            return as_json({"tokens": self.ids("<s>" + "".join(f"[{m['content']}]" for m in body["messages"]))})
        if path == "/tokenize":
            ids = self.ids(body["prompt"])
            return as_json({"tokens": ids, "token_strs": self._tokenizer.convert_ids_to_tokens(ids)})
        if path == "/detokenize":
            return as_json({"prompt": self._tokenizer.decode(body["tokens"])})
        return super().answer(path, body)


class OtherVllm(Vllm):
    def ids(self, text: str) -> list[int]:
        return [token + 1 for token in super().ids(text)]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return byte_tokenizer(TEMPLATE)


@pytest.fixture(scope="module")
def folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer alone, without a model."""
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def serve(tokenizer: Any, folder: Path) -> Iterator[Callable[[type[TakesIds]], tuple[TakesIds, OpenAIEngine]]]:
    """Starts a server of a kind, and an engine that is connected to it."""
    open_ones: list[Any] = []

    def serve(kind: type[TakesIds]) -> tuple[TakesIds, OpenAIEngine]:
        server = kind(tokenizer)
        open_ones.append(server)
        model = Model("m", f"openai:{server.url}#{MODEL}", "aligned")
        engine = OpenAIEngine(model, Cancellation(), ServerSettings(tokenizer=HfSource(str(folder))))
        open_ones.append(engine)
        return server, engine

    yield serve
    for each in open_ones:
        each.close()


Serve = Callable[[type[TakesIds]], tuple[TakesIds, OpenAIEngine]]


def test_a_text_is_scored_by_the_ids_of_the_tokenizer(serve: Serve) -> None:
    server, engine = serve(TakesIds)
    scored = engine.score(LikelihoodRequest(1, "<s>ab ", "c", "dé", top=3))
    ids = server.ids("<s>ab cdé")
    assert server.echoed[-1]["prompt"] == ids
    assert (scored.n_context_tokens, scored.ids.tolist()) == (5, ids[5:])
    assert scored.logprob.tolist() == pytest.approx([logprob(*pair) for pair in zip(ids[5:], ids[4:], strict=False)])
    assert scored.rank.tolist() == [3, 3, 3], "behind all that the server gives"
    assert scored.top_pieces[0] == ("z", "y", "")
    assert scored.top_ids.tolist() == [[-1] * 3] * 3
    assert np.isneginf(scored.top_logprob[:, 2]).all()
    found = engine.tokens(TokenizeRequest(1, ("<s>é",)))
    assert (found.ids[0], b"".join(found.pieces[0])) == (tuple(server.ids("<s>é")), "<s>é".encode())


def test_chats_are_rendered_as_the_tokenizer_has_it(serve: Serve) -> None:
    known = serve(TakesIds)[1].capabilities()
    assert (known.chat_template, known.bos, known.eos) == (TEMPLATE, "<s>", "</s>")
    assert known.renders_chat, "what is sampled is still rendered there"
    assert known.chat_probe == "", "nobody can tell"


def test_a_server_that_has_the_tokenizer_keeps_it_and_is_compared_with_the_template(serve: Serve) -> None:
    server, engine = serve(Vllm)
    known = engine.capabilities()
    assert (known.chat_template, known.chat_probe) == (TEMPLATE, PROBE)
    scored = engine.score(LikelihoodRequest(1, "<s>ab ", "c", "d", top=0))
    assert server.echoed[-1]["prompt_logprobs"] == 1
    assert scored.rank.tolist() == [9]


def test_a_server_that_has_another_tokenizer_is_one_error(serve: Serve) -> None:
    with pytest.raises(EngineError, match=r"models.toml has tokenizer = 'hf:/.*' for some-model, and the server's own"):
        serve(OtherVllm)


def test_a_vllm_whose_tokenizer_is_out_of_reach(serve: Serve) -> None:
    class Hidden(Vllm):
        def answer(self, path: str, body: dict[str, Any]) -> Reply:
            return super().answer(path, body) if path.startswith("/v1") else refusal(404, "Not Found")

    server, engine = serve(Hidden)
    assert engine.score(LikelihoodRequest(1, "<s>a", "", "b", top=1)).ids.tolist() == server.ids("b")
    assert "prompt_logprobs" in server.echoed[-1]


def test_a_server_that_reads_other_tokens_is_found_out(serve: Serve) -> None:
    class Others(TakesIds):
        def piece(self, token: int) -> str:
            return super().piece(token + 1)

    class Doubled(TakesIds):
        more = (256,)

    with pytest.raises(EngineError, match=r"has another tokenizer than models\.toml says: \d+ is 'b' there, not 'a'"):
        serve(Others)[1].score(LikelihoodRequest(1, "<s>a", "", "c"))
    with pytest.raises(EngineError, match="reads 4 tokens where it was sent 3"):
        serve(Doubled)[1].score(LikelihoodRequest(1, "<s>a", "", "c"))


def echo(*pieces: str) -> Reply:
    logprobs = {
        "tokens": pieces,
        "token_logprobs": [None, *[-1.0] * (len(pieces) - 1)],
        "top_logprobs": [None, *[{}] * (len(pieces) - 1)],
    }
    return as_json({"choices": [{"logprobs": logprobs}]})


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refusal(422, "Input should be a valid string"), "takes no prompt of token ids to echo: .*valid string"),
        (as_json({"choices": [{"text": "!"}]}), "gives no log-probs of a text"),
        (echo("!"), "of what it generates only"),
        (echo("", "a", "b", "c", "!"), "reads 4 tokens where it was sent 3 token ids"),
    ],
)
def test_a_server_that_cannot_says_so(reply: Reply, said: str, serve: Serve) -> None:
    class Cannot(TakesIds):
        def answer(self, path: str, body: dict[str, Any]) -> Reply:
            return reply if isinstance(body.get("prompt"), list) else super().answer(path, body)

    with pytest.raises(EngineError, match=said):
        serve(Cannot)[1].score(LikelihoodRequest(1, "<s>a", "", "b"))


@pytest.mark.slow
def test_a_chat_model_of_models_toml_is_scored(tokenizer: Any, folder: Path) -> None:
    server = TakesIds(tokenizer)
    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text(
        f'[models.served]\nreference = "openai:{server.url}#{MODEL}"\ntokenizer = "hf:{folder}"\n'
    )
    pool = WorkerPool(threads=1)
    try:
        scored = score_response(pool, resolve("served"), Context("chat"), Prompt("p", "why?"), "so")
    finally:
        pool.close()
        server.close()
    assert server.echoed[-1]["prompt"] == server.ids("<s>[why?]so")
    assert scored.ids.tolist() == server.ids("so")
