"""Scores over log-probs of tokens. Log-probs are natural, as engines give them; surprisals are bits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignbench.metrics.arrays import Floats
from alignbench.metrics.gap_parts import TextParts, text_parts
from alignbench.metrics.metric import Metric

Shift = Literal["unshifted", "marginal", "shifted"]

MARGINAL_RANK = 3  # the last rank that is not shifted
ORDERS = 4  # of the responses, for progressive surprise

_BIT = math.log(2.0)  # in nats


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """What teacher forcing tells of the T tokens of a response.

    ids, rank: (T,), an id is -1 where a server does not tell it, rank 1 is the model's first choice. logprob: (T,), raw
    distribution at temperature 1, nats. end: log-prob, nats, that the response ends after them; None where it did not,
    or the model does not tell. token_ends: (T,), where each token ends in the response, in characters (see
    `stretches.token_ends`); None where that was not kept.
    """

    ids: NDArray[np.int32]
    logprob: NDArray[np.float32]
    rank: NDArray[np.int32]
    end: float | None = None
    token_ends: NDArray[np.int32] | None = None


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of one response under a model and context, or of several together; log-probs are in nats."""

    logprob: float  # sum over the tokens
    n_tokens: int
    n_bytes: int  # of UTF-8

    @property
    def per_token(self) -> float:
        return self.logprob / self.n_tokens

    @property
    def per_byte(self) -> float:
        return self.logprob / self.n_bytes

    @property
    def bits(self) -> float:
        return -self.logprob / _BIT

    @property
    def bits_per_byte(self) -> float:
        """Comparable between tokenizers."""
        return self.bits / self.n_bytes


def likelihood(logprobs: ArrayLike, text: str) -> Likelihood | None:
    """Teacher-forced likelihood of a response from its tokens' log-probs (tokens,); None for an empty one."""
    values = np.asarray(logprobs, np.float64)
    n_bytes = len(text.encode("utf-8", "surrogatepass"))
    if not values.size or not n_bytes:
        return None
    return Likelihood(math.fsum(values), values.size, n_bytes)


def total(likelihoods: Sequence[Likelihood]) -> Likelihood:
    """Of several responses together, at least one: their rates are all log-probs over all tokens or bytes."""
    return Likelihood(
        math.fsum(one.logprob for one in likelihoods),
        sum(one.n_tokens for one in likelihoods),
        sum(one.n_bytes for one in likelihoods),
    )


def surprisal(logprobs: ArrayLike) -> float | None:
    """Mean over tokens of -log2 p(token), bits, from 0; higher is more diverse. None without a token."""
    values = np.asarray(logprobs, np.float64)
    return -math.fsum(values) / values.size / _BIT if values.size else None


def progressive_surprise(conditional: Sequence[float], alone: Sequence[float]) -> float | None:
    """How new the last response is given the others, times how coherent each is alone (arXiv 2606.01811).

    conditional: bits per byte of the last response given the others before it, one for each order taken; alone: bits
    per byte of each response by itself. mean(conditional) * 2^(-mean(alone)), under a base model; from 0, higher is
    more diverse. None where one of the two is empty. The paper's means are over responses, so a short one weighs as
    much as a long one.
    """
    if not conditional or not alone:
        return None
    return math.fsum(conditional) / len(conditional) * math.exp2(-math.fsum(alone) / len(alone))


def orders(n: int, count: int = ORDERS, seed: int = 0) -> list[tuple[int, ...]]:
    """Different orders of n responses for `progressive_surprise`: `count` of them, or all n! where there are fewer.

    No response is the last one twice before each has been it once.
    """
    rng = np.random.default_rng([seed, n])
    count = min(count, math.factorial(n))
    last = rng.permutation(n).tolist()
    drawn: dict[tuple[int, ...], None] = {}
    for at in itertools.count():
        if len(drawn) == count:
            return list(drawn)
        end = last[at % n]
        drawn.setdefault((*[i for i in rng.permutation(n).tolist() if i != end], end))
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class Gap:
    """How much likelier a response is under its teacher than under a base model.

    per_byte: bits per byte, 0 where the base model says it as readily; bits: in all. per_token: (T,) bits of each
    token, None where the two models cut the text into different tokens, or it is not known whether they do. end: those
    of all the bits that are of the end; None where these are bits of the text so far. parts: where those of the text
    are; None where `per_token` is, or where it is not known where tokens end.
    """

    per_byte: float
    bits: float
    per_token: Floats | None
    end: float | None = None
    parts: TextParts | None = None


def alignment_gap(base: TokenLogprobs, teacher: TokenLogprobs, text: str) -> Gap | None:
    """Bits of a teacher's response under a base model and its context, minus those under the teacher; None for "".

    Its end is a part of it where both models say how likely that is. Over responses drawn at temperature 1 from the
    whole distribution, by a teacher with the base model's tokenizer, the mean estimates KL(teacher || base in context),
    of responses up to where they were cut; otherwise it is a difference of cross-entropies.
    """
    under_base, under_teacher = likelihood(base.logprob, text), likelihood(teacher.logprob, text)
    if under_base is None or under_teacher is None:
        return None
    end = None if base.end is None or teacher.end is None else (teacher.end - base.end) / _BIT
    bits = under_base.bits - under_teacher.bits + (end or 0.0)
    if not same_tokens(base.ids, teacher.ids):
        return Gap(bits / under_base.n_bytes, bits, None, end)
    per_token = (teacher.logprob.astype(np.float64) - base.logprob) / _BIT
    token_ends = base.token_ends if teacher.token_ends is None else teacher.token_ends
    parts = None if token_ends is None else text_parts(per_token, text, token_ends)
    return Gap(bits / under_base.n_bytes, bits, per_token, end, parts)


def same_tokens(a: NDArray[np.int32], b: NDArray[np.int32]) -> bool:
    """Whether two models cut a text into the same tokens, (T,) ids each; not where a server does not tell them."""
    return np.array_equal(a, b) and bool((a >= 0).all())


@dataclass(frozen=True, slots=True)
class Shifts:
    """Shares of tokens by where they stand under the base model; they add up to 1. See `token_shift`."""

    unshifted: float
    marginal: float
    shifted: float
    n_tokens: int


def token_shifts(ranks: ArrayLike) -> Shifts | None:
    """The shares over the tokens of one response or of many, from their ranks (T,); None without a token."""
    values = np.asarray(ranks)
    if not values.size:
        return None
    if values.min() < 1:
        raise ValueError(f"ranks count from 1; one is {values.min()}")
    unshifted, shifted = float((values == 1).mean()), float((values > MARGINAL_RANK).mean())
    return Shifts(unshifted, 1.0 - unshifted - shifted, shifted, values.size)


def token_shift(rank: int) -> Shift:
    """Where an aligned response's token stands under the base model: rank 1, ranks 2 and 3, beyond (Lin et al. 2023).

    arXiv 2312.01552. Ranks count from 1; ValueError below.
    """
    if rank < 1:
        raise ValueError(f"ranks count from 1; this one is {rank}")
    return "unshifted" if rank == 1 else "marginal" if rank <= MARGINAL_RANK else "shifted"


METRICS = (
    Metric(
        name="surprisal",
        title="surprisal",
        meaning=(
            "Mean bits of a token under the model that wrote it. Equal temperatures are not equal entropies: read "
            "it beside every diversity."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="higher",
        source="-log2 p(token), stored at sampling",
        version="1",
        needs=("log-probs",),
        min_samples=1,
        order=200,
        family="likelihood",
    ),
    Metric(
        name="response_logprob",
        title="response likelihood",
        meaning=(
            "How likely a base model without a context finds the responses: mean log-prob of a token, in nats, and "
            "of a byte. Two base models compare in bytes only."
        ),
        scope=("within",),
        low=None,
        high=0.0,
        more_diverse="",
        source="teacher forcing in the zero-shot layout; all log-probs over all tokens of a cell",
        version="1",
        needs=("text", "base model"),
        min_samples=1,
        order=210,
        family="likelihood",
    ),
    Metric(
        name="progressive_surprise",
        title="progressive surprise",
        meaning=(
            "Bits per byte of a response once the base model has read the others, times how coherent each is "
            "alone: what is still new, noise left out."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="higher",
        source=f"Williams-King, Khoriaty and Feng 2026, arXiv 2606.01811; the mean over {ORDERS} seeded orders",
        version="1",
        needs=("text", "base model"),
        min_samples=2,
        moves_with_n=True,
        order=220,
        family="likelihood",
    ),
    Metric(
        name="alignment_gap",
        title="alignment gap",
        meaning=(
            "How many bits a byte the reference's responses and their ends cost more under a condition's model and "
            "context than under their own, all bits over all bytes: 0 where nothing is left to align. Its recovery is "
            "the share of the floor's gap that is closed."
        ),
        scope=("cross",),
        low=None,
        high=None,
        more_diverse="",
        source=(
            "log-likelihood ratio: estimates KL(reference || condition) with one tokenizer and a reference drawn "
            "at temperature 1, else a difference of cross-entropies; token shares of Lin et al. 2023, "
            "arXiv 2312.01552"
        ),
        version="1",
        needs=("text", "both models"),
        min_samples=1,
        is_distance=True,
        order=230,
    ),
)
