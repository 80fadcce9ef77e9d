"""The tokens of prompts for a server's model: by the server's own tokenizer, or by one of this machine that models.toml
names (`tokenizer = "hf:..."`) where the server has none to ask, or does not say how it renders chats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alignbench.engines.openai.http import Http
from alignbench.engines.openai.server_tokenizer import (
    Layout,
    PromptTokenizer,
    ServerTokenizer,
    SplitText,
    end_texts,
    tokenizer_of,
    tokens_of,
)
from alignbench.errors import EngineError
from alignbench.models.hf_source import HfSource

_NAMED = 'name its tokenizer in models.toml: tokenizer = "hf:org/name"'
_NO_TEMPLATE = {"vLLM": f"start vLLM with --enable-tokenizer-info-endpoint, or {_NAMED}"}
_NO_TEMPLATE_ELSEWHERE = f"vLLM and llama-server do; else {_NAMED}"
_PROBE = "The 12 cats' café,\n  naïve: 東京 🙂 {x}\t2026"  # tokenizers differ in how they split it
_SHOWN = 8  # token ids of a message


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """What is known of a model's prompts.

    Attributes:
        tokenizer: None where none is known
        layout: of chats, as the server tells it or the tokenizer of models.toml has it
        bos: text of the BOS token, where the server itself tells it
        no_template: where there is no template, how there would be one
    """

    tokenizer: PromptTokenizer | None = None
    layout: Layout = field(default_factory=Layout)
    bos: str = ""
    no_template: str = ""


class LocalTokenizer:
    """A tokenizer of this machine."""

    def __init__(self, source: HfSource) -> None:
        """Raises EngineError or InputError where it cannot be loaded."""
        from alignbench.engines.hf.tokenizer_loading import load_tokenizer

        self._tokens = load_tokenizer(source)
        self.letter = self._tokens.encode("a")[-1]

    @property
    def adds_bos(self) -> bool:
        """Whether a prompt gets a BOS."""
        return self._tokens.adds_bos

    async def split(self, text: str) -> SplitText:
        """A text as a prompt has it."""
        return self._split(text)

    async def end_ids(self, eos: str) -> tuple[int, ...]:
        """The tokens that end a response, by their texts."""
        texts = end_texts(eos)
        return tokens_of(texts, self._split("\n".join(texts)))

    def layout(self) -> Layout:
        """How chats are rendered with it."""
        tokens = self._tokens
        return Layout(tokens.chat_template or "", tokens.bos, tokens.eos, tokens.special)

    def _split(self, text: str) -> SplitText:
        ids = tuple(self._tokens.encode(text))
        return SplitText(ids, tuple(map(self._tokens.named, ids)))


async def find_prompt_tokens(
    server: str, http: Http, model: str, source: HfSource | None, extra: Mapping[str, Any]
) -> PromptTokens:
    """How a server's prompts become tokens.

    Args:
        server: what kind it is, by name
        http: of the address above that of the API
        model: as the server calls it
        source: whose tokenizer models.toml names
        extra: fields that every chat has

    Raises EngineError, or InputError, where the tokenizer of models.toml cannot be loaded or is not the server's.
    """
    asked = tokenizer_of(server, http, model, extra)
    if asked is not None and not await asked.begin():
        asked = None
    layout = await asked.layout() if asked is not None else Layout()
    found = PromptTokens(asked, layout, layout.bos, _NO_TEMPLATE.get(server, _NO_TEMPLATE_ELSEWHERE))
    if source is None:
        return found
    local = LocalTokenizer(source)
    if asked is not None:
        await _check_same(source, local, asked, model)
    if not layout.template:
        probe = await asked.probe() if asked is not None else ""
        layout = replace(local.layout(), probe=probe)
    return PromptTokens(asked or local, layout, found.bos, f"nor has hf:{source} a chat template")


async def _check_same(source: HfSource, local: LocalTokenizer, asked: ServerTokenizer, model: str) -> None:
    ours, theirs = (await local.split(_PROBE)).ids, (await asked.split(_PROBE)).ids
    if ours != theirs:
        raise EngineError(
            f"models.toml has tokenizer = 'hf:{source}' for {model}, and the server's own splits a text otherwise: "
            f"{_PROBE!r} into {_shown(theirs)}, not {_shown(ours)}. Name the tokenizer of the model that is served, or "
            "leave it out: this server can be asked."
        )


def _shown(ids: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, ids[:_SHOWN]))}{', ...' if len(ids) > _SHOWN else ''}]"
