"""Token ids and token bytes of a transformers tokenizer, by the rules of llama.cpp.

One BOS where the model wants one; special tokens parsed in the text; a token's bytes exactly, so that a character
that is spread over tokens comes out whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, pre_tokenizers

from alignbench.engines.byte_level import BYTE_TOKEN, SPACE, bytes_of
from alignbench.engines.end_tokens import END_TEXTS
from alignbench.models.gguf import read_header

# How byte-level tokenizers split text, by tokenizer.ggml.pre: GPT-2's rule after single digits, or an expression.
_SINGLE_DIGITS = ("smollm", "starcoder", "refact", "command-r", "codeshell")
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPLITS = {"llama-bpe": _WORDS % "{1,3}", "llama3": _WORDS % "{1,3}", "qwen2": _WORDS % ""}


class Tokens:
    """Wraps a tokenizer. gguf: the file it was read from, if it was; its header decides about the BOS.

    user_defined: see loading.LoadedWeights.
    """

    def __init__(
        self, tokenizer: Any, model_end_ids: set[int], gguf: Path | None = None, user_defined: Sequence[int] = ()
    ) -> None:
        self._tokenizer = tokenizer
        self._metadata = read_header(gguf).metadata if gguf is not None else {}
        self._mend_splitting()
        if user_defined:  # transformers leaves them to the merges, which find other tokens in a run of spaces
            texts = tokenizer.convert_ids_to_tokens(list(user_defined))
            tokenizer.add_tokens([AddedToken(text, normalized=True, special=False) for text in texts])
        self._pieces: dict[int, bytes] = {}
        self._named: dict[int, bytes] = {}
        self.bos_id: int | None = tokenizer.bos_token_id
        self.adds_bos = self.bos_id is not None and self._wants_bos()
        self.end_ids = self._end_ids() | model_end_ids

    @property
    def chat_template(self) -> str | None:
        """Jinja source of the chat template; where there are several, the one called default."""
        template = self._tokenizer.chat_template
        if isinstance(template, dict):
            template = template.get("default")
        return template or None

    @property
    def bos(self) -> str:
        return str(self._tokenizer.bos_token or "")

    @property
    def eos(self) -> str:
        return str(self._tokenizer.eos_token or "")

    @property
    def special(self) -> tuple[tuple[str, str], ...]:
        """Special tokens: what templates call each, and its text, which may be empty."""
        return tuple(self._tokenizer.special_tokens_map.items())

    def encode(self, text: str) -> list[int]:
        """Token ids of a rendered prompt, special tokens parsed, with exactly one BOS where the model wants one."""
        text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
        ids: list[int] = list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        if self.adds_bos and ids[:1] != [self.bos_id]:
            assert self.bos_id is not None
            ids.insert(0, self.bos_id)
        return ids

    def is_end(self, token: int) -> bool:
        """Whether a token ends a response."""
        return token in self.end_ids

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for special tokens."""
        if token not in self._pieces:
            self._pieces[token] = b"" if token in self._special or token in self.end_ids else self._bytes(token)
        return self._pieces[token]

    def named(self, token: int) -> bytes:
        """The bytes of a token; special tokens by name."""
        if token not in self._named:
            self._named[token] = self._bytes(token)
        return self._named[token]

    def _mend_splitting(self) -> None:
        """Split text before the byte pairs are merged as the GGUF header says.

        transformers gives every byte-level tokenizer of a llama GGUF the rule of GPT-2, whatever the header says.
        """
        pre = self._metadata.get("tokenizer.ggml.pre")
        if pre in _SINGLE_DIGITS:
            first: Any = pre_tokenizers.Digits(individual_digits=True)
        elif pre in _SPLITS:
            first = pre_tokenizers.Split(Regex(_SPLITS[str(pre)]), "isolated")
        else:
            return
        last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pre in _SINGLE_DIGITS)
        self._tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, last])

    def _wants_bos(self) -> bool:
        add_bos = self._metadata.get("tokenizer.ggml.add_bos_token")
        if isinstance(add_bos, bool):
            return add_bos
        return bool(self._tokenizer("a")["input_ids"][:1] == [self.bos_id])

    def _end_ids(self) -> set[int]:
        """The tokenizer's EOS and the special tokens that END_TEXTS names."""
        eos = self._tokenizer.eos_token_id
        named = {token for token in self._added if str(self._added[token]) in END_TEXTS}
        return named | ({eos} if eos is not None else set())

    @cached_property
    def _added(self) -> dict[int, Any]:
        """Tokens that are found in the text before it is cut into pieces, special ones among them."""
        return dict(self._tokenizer.added_tokens_decoder)

    @cached_property
    def _special(self) -> set[int]:
        return set(self._tokenizer.all_special_ids) | {id for id, token in self._added.items() if token.special}

    @cached_property
    def _decoder(self) -> str:
        """What turns pieces into text, as the tokenizers package prints it."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        return repr(backend.decoder) if backend is not None else SPACE

    def _bytes(self, token: int) -> bytes:
        piece = self._tokenizer.convert_ids_to_tokens(token)
        if piece is None:  # an id past the vocabulary: embeddings are often padded
            return b""
        if isinstance(piece, bytes):
            return piece
        if token in self._added and (token in self._special or "ByteLevel" in self._decoder):
            return str(piece).encode()
        if "ByteLevel" in self._decoder:
            return bytes_of(piece)
        if byte := BYTE_TOKEN.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        if SPACE in self._decoder:
            return str(piece).replace(SPACE, " ").encode()
        return str(self._tokenizer.decode([token])).encode()
