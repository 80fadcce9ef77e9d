"""The tokenizer of a server that has one to ask: vLLM and llama-server, each below its own paths beside the API.

Texts become the ids that the local engines give them: special tokens are parsed, and there is one BOS where the model
wants one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from alignbench.engines.byte_level import BYTE_TOKEN, SPACE, bytes_of
from alignbench.engines.end_tokens import END_TEXTS
from alignbench.engines.openai.choices import are_ids
from alignbench.engines.openai.http import Http, posted
from alignbench.engines.openai.server_error import NOT_THERE, UNABLE, ServerError
from alignbench.engines.protocol import CHAT_PROBE
from alignbench.errors import EngineError

_SPELLING = " a\n"  # shows how a tokenizer writes a space and the end of a line
_REFUSED = UNABLE | NOT_THERE | {401, 403}


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text as a server's tokenizer splits it: ids, and the bytes of each token, special tokens by name."""

    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]

    def after(self, token: int, piece: bytes) -> SplitText:
        """With a token before all others."""
        return SplitText((token, *self.ids), (piece, *self.pieces))


@dataclass(frozen=True, slots=True)
class Layout:
    """How a server renders chats.

    Attributes:
        template: Jinja source, empty where it does not say
        bos, eos: texts of the tokens
        special: name and text of each special token that it names
        probe: CHAT_PROBE as the server itself renders it, empty where it does not say
    """

    template: str = ""
    bos: str = ""
    eos: str = ""
    special: tuple[tuple[str, str], ...] = ()
    probe: str = ""


class PromptTokenizer(Protocol):
    """Makes tokens of prompts, as the model of a server gets them."""

    letter: int  # the token of a letter

    @property
    def adds_bos(self) -> bool:
        """Whether a prompt gets a BOS."""

    async def split(self, text: str) -> SplitText:
        """A text as a prompt has it. Raises ServerError, or EngineError for an answer that cannot be read."""

    async def end_ids(self, eos: str) -> tuple[int, ...]:
        """The tokens that end a response, by their texts; `eos` is one of them. Raises as `split`."""


def end_texts(eos: str) -> list[str]:
    """The texts of tokens that end a response."""
    return list(dict.fromkeys(filter(None, (eos, *END_TEXTS))))


def tokens_of(texts: Collection[str], split: SplitText) -> tuple[int, ...]:
    """The tokens of a text that are one of these texts each."""
    pairs = zip(split.ids, split.pieces, strict=True)
    return tuple({token for token, piece in pairs if piece.decode(errors="replace") in texts})


class ServerTokenizer(ABC):
    """Asks a server. To be used from one event loop."""

    def __init__(self, http: Http, model: str, extra: Mapping[str, Any] = MappingProxyType({})) -> None:
        """http: of the address above that of the API. extra: fields that every chat has, which may render it."""
        self._http, self._model, self._extra = http, model, extra
        self._bos: tuple[int, bytes] | None = None
        self.letter = 0  # the token of a letter
        self._ends: tuple[int, ...] | None = None

    async def begin(self) -> bool:
        """Before all else, find out how texts are split; False where there is nothing to ask. Raises ServerError."""
        try:
            await self._begin()
        except ServerError as error:
            if error.status not in _REFUSED:
                raise
            return False
        except EngineError:  # another server than it says
            return False
        return True

    async def split(self, text: str) -> SplitText:
        """A text as a prompt has it. Raises ServerError, or EngineError for an answer that cannot be read."""
        text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
        found = await self._split(text, bos=False)
        if self._bos is not None and found.ids[:1] != self._bos[:1]:
            return found.after(*self._bos)
        return found

    async def end_ids(self, eos: str) -> tuple[int, ...]:
        """The tokens that end a response, by their texts; `eos` is one of them. Raises as `split`."""
        if self._ends is None:
            texts = end_texts(eos)
            self._ends = tokens_of(texts, await self._split("\n".join(texts), bos=False))
        return self._ends

    @property
    def adds_bos(self) -> bool:
        """Whether a prompt gets a BOS."""
        return self._bos is not None

    async def _begin(self) -> None:
        plain, whole = await self._split("a", bos=False), await self._split("a", bos=True)
        self.letter = plain.ids[-1] if plain.ids else 0
        if len(whole.ids) > len(plain.ids):
            self._bos = whole.ids[0], whole.pieces[0]

    @abstractmethod
    async def probe(self) -> str:
        """CHAT_PROBE as the server itself renders it; empty where it does not say. Raises ServerError."""

    @abstractmethod
    async def layout(self) -> Layout:
        """How the server renders chats. Raises ServerError."""

    @abstractmethod
    async def _split(self, text: str, *, bos: bool) -> SplitText:
        """bos: whether the tokens that the tokenizer puts around a text are wanted."""

    async def _post(self, path: str, **body: Any) -> dict[str, Any]:
        return await posted(self._http, path, body, _REFUSED)

    async def _get(self, path: str) -> dict[str, Any]:
        """The object at a path; an empty one where there is none."""
        try:
            answer = await self._http.get(path)
        except ServerError as error:
            if error.status not in _REFUSED:
                raise
            return {}
        return answer if isinstance(answer, dict) else {}


class VllmTokenizer(ServerTokenizer):
    """vLLM's /tokenize, /detokenize and, if it was started with --enable-tokenizer-info-endpoint, /tokenizer_info."""

    def __init__(self, http: Http, model: str, extra: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(http, model, extra)
        self._byte_level = False

    async def layout(self) -> Layout:
        info = await self._get("/tokenizer_info")
        if not info:
            return Layout()
        special = [(name, token_text(value)) for name, value in info.items() if name.endswith("_token")]
        known = dict(special)
        template = info.get("chat_template")
        return Layout(
            template if isinstance(template, str) else "",
            known.get("bos_token", ""),
            known.get("eos_token", ""),
            tuple((name, text) for name, text in special if text),
            await self.probe() if template else "",
        )

    async def probe(self) -> str:
        """The text of the ids that a chat becomes, which a byte-level tokenizer gives back as it was."""
        if not self._byte_level:
            return ""
        try:
            chat = {**self._extra, "model": self._model, "messages": _as_objects(CHAT_PROBE)}
            ids = await self._post("/tokenize", **chat)
            answer = await self._post("/detokenize", model=self._model, tokens=ids.get("tokens"))
        except ServerError as error:
            if error.status not in _REFUSED:
                raise
            return ""
        text = answer.get("prompt")
        return text if isinstance(text, str) else ""

    async def _begin(self) -> None:
        answer = await self._post(
            "/tokenize", model=self._model, prompt=_SPELLING, add_special_tokens=False, return_token_strs=True
        )
        pieces = answer.get("token_strs")
        self._byte_level = isinstance(pieces, list) and any(c in str(piece) for piece in pieces for c in "ĠĊ")
        await super()._begin()

    async def _split(self, text: str, *, bos: bool) -> SplitText:
        answer = await self._post(
            "/tokenize", model=self._model, prompt=text, add_special_tokens=bos, return_token_strs=True
        )
        return read_vllm_tokens(answer, byte_level=self._byte_level)


class LlamaServerTokenizer(ServerTokenizer):
    """llama-server's /tokenize, /props and /apply-template."""

    async def layout(self) -> Layout:
        props = await self._get("/props")
        template, bos, eos = (token_text(props.get(name)) for name in ("chat_template", "bos_token", "eos_token"))
        probe = await self.probe() if template else ""
        special = tuple((name, text) for name, text in (("bos_token", bos), ("eos_token", eos)) if text)
        return Layout(template, bos, eos, special, probe)

    async def probe(self) -> str:
        """See ServerTokenizer."""
        try:
            answer = await self._post("/apply-template", **{**self._extra, "messages": _as_objects(CHAT_PROBE)})
        except ServerError as error:
            if error.status not in _REFUSED:
                raise
            return ""
        return token_text(answer.get("prompt"))

    async def _split(self, text: str, *, bos: bool) -> SplitText:
        answer = await self._post("/tokenize", content=text, add_special=bos, parse_special=True, with_pieces=True)
        return read_llama_server_tokens(answer)


def read_vllm_tokens(answer: dict[str, Any], *, byte_level: bool) -> SplitText:
    """What vLLM answers to /tokenize. byte_level: whether it writes tokens in GPT-2's alphabet. Raises EngineError."""
    ids, pieces = answer.get("tokens"), answer.get("token_strs")
    if not are_ids(ids) or not isinstance(pieces, list) or len(ids) != len(pieces):
        raise EngineError("vLLM answered /tokenize without tokens and token_strs of one length.")
    texts = [piece if isinstance(piece, str) else "" for piece in pieces]
    return SplitText(tuple(ids), tuple(bytes_of(text) if byte_level else _unspelled(text) for text in texts))


def _unspelled(piece: str) -> bytes:
    """The bytes of a piece as SentencePiece writes it."""
    if byte := BYTE_TOKEN.fullmatch(piece):
        return bytes([int(byte[1], 16)])
    return piece.replace(SPACE, " ").encode("utf-8", "replace")


def read_llama_server_tokens(answer: dict[str, Any]) -> SplitText:
    """What llama-server answers to /tokenize: pieces are texts, or the bytes of what is none. Raises EngineError."""
    tokens = answer.get("tokens")
    listed = tokens if isinstance(tokens, list) else [None]
    ids = [token.get("id") if isinstance(token, dict) else None for token in listed]
    pieces = [token.get("piece") if isinstance(token, dict) else None for token in listed]
    found = [_piece(piece) for piece in pieces]
    if not are_ids(ids) or None in found:
        raise EngineError("llama-server answered /tokenize without tokens that have ids and pieces.")
    return SplitText(tuple(ids), tuple(piece for piece in found if piece is not None))


def tokenizer_of(server: str, http: Http, model: str, extra: Mapping[str, Any]) -> ServerTokenizer | None:
    """The tokenizer of a kind of server, by its name; None where it has none to ask. extra: see ServerTokenizer."""
    match server:
        case "vLLM":
            return VllmTokenizer(http, model, extra)
        case "llama-server":
            return LlamaServerTokenizer(http, model, extra)
    return None


def _as_objects(messages: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in messages]


def token_text(value: object) -> str:
    """The text of a special token, which stands for itself or in an object; empty where there is none."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""


def _piece(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, list) and all(type(byte) is int and 0 <= byte < 256 for byte in value):
        return bytes(value)
    return None
