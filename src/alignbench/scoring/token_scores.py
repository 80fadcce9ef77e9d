"""Scores of the tokens of a cell as they were drawn: surprisal, entropies and the branching factor, as stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.protocol import TokenStats
from alignbench.metrics.entropy import bits_per_token, branching_by_logprobs, branching_curve, branching_factor
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import Value, too_few
from alignbench.store import SampleRow

SURPRISAL = "surprisal"
BY_LOGPROBS = "branching_by_logprobs"
OF_LOGPROBS = (SURPRISAL, BY_LOGPROBS)
NO_LOGPROBS = "no log-probs are stored with the responses"
ALL_INFINITE = "every response has a token of log-prob -Infinity"
NO_ENTROPIES = "no entropies are stored with the responses: a model that ran here stores them, servers and files do not"

StoredTokens = Callable[[Iterable[int]], Mapping[int, TokenStats]]  # ids of samples -> their tokens


def stored_scores(names: Collection[str]) -> tuple[str, ...]:
    """Those of these scores that are read off stored tokens."""
    return tuple(name for name in names if METRICS[name].stored)


def token_scores(rows: Iterable[SampleRow], tokens: StoredTokens, names: Collection[str]) -> dict[str, Value]:
    """Scores of a cell's finished samples by name. names: which ones; tokens are looked up where entropies are."""
    done = [row for row in rows if row.status == "done"]
    scores = logprob_scores([(row.logprob, row.n_tokens) for row in done], names)
    wanted = [name for name in names if name in _OF_TOKENS]
    if wanted:
        known = tokens(row.id for row in done)
        drawn = {row.id: known[row.id] for row in done if row.id in known and _complete(known[row.id])}
        n_bytes = sum(len(_drawn_text(row).encode("utf-8", "surrogatepass")) for row in done if row.id in drawn)
        for name in wanted:
            value = _OF_TOKENS[name]([*drawn.values()], n_bytes) if drawn else None
            scores[name] = value or Value(None, 0, NO_ENTROPIES if done else too_few(1, 0))
    return scores


def _drawn_text(row: SampleRow) -> str:
    """What the tokens of a sample say: all that was generated, or the answer where thoughts came before it."""
    return row.raw_text if row.n_thinking_tokens is None else row.text


def logprob_scores(counts: Sequence[tuple[float | None, int | None]], names: Collection[str]) -> dict[str, Value]:
    """Those of `OF_LOGPROBS` that are asked for, of responses as `mean_surprisal` takes them."""
    if not {*OF_LOGPROBS} & {*names}:
        return {}
    bits = mean_surprisal(counts)
    choices = None if bits.value is None else branching_by_logprobs(bits.value)
    both = {SURPRISAL: bits, BY_LOGPROBS: replace(bits, value=choices)}
    return {name: value for name, value in both.items() if name in names}


def mean_surprisal(counts: Iterable[tuple[float | None, int | None]]) -> Value:
    """Over all tokens of responses whose sum of log-probs (nats) and number of tokens are known, and finite."""
    nats = 0.0
    n = n_tokens = n_responses = n_infinite = 0
    for logprob, count in counts:
        n_responses += 1
        n_infinite += logprob == -math.inf
        if logprob is not None and math.isfinite(logprob) and count:
            nats, n_tokens, n = nats - logprob, n_tokens + count, n + 1
    if n_tokens:
        return Value(nats / n_tokens / math.log(2.0), n)
    if n_infinite and n_infinite == n_responses:
        return Value(None, 0, ALL_INFINITE)
    return Value(None, 0, NO_LOGPROBS if n_responses else too_few(1, 0))


def entropy_value(bits: float, n_tokens: int, n_bytes: int, n: int) -> Value:
    """All bits of n responses as those of a token, and of a byte of the text, which compare between tokenizers."""
    if not n_tokens:
        return Value(None, n, NO_ENTROPIES)
    return Value(bits / n_tokens, n, extra={"per_byte": bits / n_bytes} if n_bytes else {})


def _complete(tokens: TokenStats) -> bool:
    """Whether all of its entropies are known, and there is a token at all."""
    known = (tokens.entropy, tokens.sampling_entropy, tokens.sampling_logprob)
    return len(tokens.ids) > 0 and all(bool(np.isfinite(each).all()) for each in known)


def _entropy(drawn: Sequence[TokenStats], n_bytes: int) -> Value:
    return _in_bits([tokens.entropy for tokens in drawn], n_bytes)


def _sampling_entropy(drawn: Sequence[TokenStats], n_bytes: int) -> Value:
    return _in_bits([tokens.sampling_entropy for tokens in drawn], n_bytes)


def _in_bits(nats: Sequence[NDArray[np.float32]], n_bytes: int) -> Value:
    n_tokens = sum(map(len, nats))
    return entropy_value((bits_per_token(nats) or 0.0) * n_tokens, n_tokens, n_bytes, len(nats))


def _branching_factor(drawn: Sequence[TokenStats], _: int) -> Value:
    entropies = [tokens.sampling_entropy for tokens in drawn]
    value = branching_factor(entropies, [tokens.sampling_logprob for tokens in drawn])
    return Value(value, len(drawn), extra=dict(branching_curve(entropies)))


_OF_TOKENS: dict[str, Callable[[Sequence[TokenStats], int], Value]] = {
    "entropy": _entropy,
    "sampling_entropy": _sampling_entropy,
    "branching_factor": _branching_factor,
}
