"""Responses of llama.cpp held to a JSON schema by its grammars."""

from __future__ import annotations

import ctypes
import weakref
from functools import lru_cache

import llama_cpp as L
import numpy as np
from llama_cpp.llama_grammar import json_schema_to_gbnf
from numpy.typing import NDArray

from alignbench.errors import EngineError

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data


class SchemaGrammar:
    """Implements decoder.Grammar for one response. Raises EngineError where a schema cannot become a grammar."""

    def __init__(self, vocab: L.llama_vocab_p, n_vocab: int, schema: str) -> None:
        self._n_vocab = n_vocab
        self._sampler = L.llama_sampler_init_grammar(vocab, _gbnf(schema), b"root")
        if not self._sampler:
            raise EngineError("llama.cpp cannot make a grammar of this JSON schema; the worker's log says why.")
        weakref.finalize(self, L.llama_sampler_free, self._sampler)

    def allows(self, token: int) -> bool:
        """Whether the token may come next."""
        return bool(self._kept(np.array([token], np.int32))[0])

    def allowed(self) -> NDArray[np.bool_]:
        """Whether each token may come next, (vocab,)."""
        return self._kept(np.arange(self._n_vocab, dtype=np.int32))

    def accept(self, token: int) -> None:
        """Go on behind a token. One that is not allowed would abort the process inside llama.cpp."""
        L.llama_sampler_accept(self._sampler, token)

    def _kept(self, ids: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Those of the ids that llama.cpp leaves their logit: a grammar sets the others to -inf."""
        candidates = np.zeros(len(ids), _CANDIDATE)
        candidates["id"] = ids
        data = candidates.ctypes.data_as(L.llama_token_data_p)
        L.llama_sampler_apply(self._sampler, ctypes.byref(L.llama_token_data_array(data, len(ids), -1, False)))
        kept: NDArray[np.bool_] = candidates["logit"] == 0
        return kept


@lru_cache(maxsize=16)
def _gbnf(schema: str) -> bytes:
    """The schema in the notation of llama.cpp's grammars."""
    try:
        return str(json_schema_to_gbnf(schema)).encode()
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise EngineError(f"This JSON schema cannot become a grammar: {error}") from error
