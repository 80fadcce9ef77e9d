"""Scores over log-probs of tokens. Log-probs are natural, as engines give them; surprisals are bits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

Shift = Literal["unshifted", "marginal", "shifted"]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of one response under a model and context: mean log-prob of a token and of a byte, in nats; total bits."""

    per_token: float
    per_byte: float
    bits: float
    n_tokens: int
    n_bytes: int

    @property
    def bits_per_byte(self) -> float:
        return self.bits / self.n_bytes


def likelihood(logprobs: ArrayLike, text: str) -> Likelihood | None:
    """Teacher-forced likelihood of a response from its tokens' log-probs (tokens,); None for an empty one."""
    values = np.asarray(logprobs, np.float64)
    n_bytes = len(text.encode("utf-8", "surrogatepass"))
    if not values.size or not n_bytes:
        return None
    total = math.fsum(values)
    return Likelihood(total / values.size, total / n_bytes, -total / math.log(2.0), values.size, n_bytes)


def surprisal(logprobs: ArrayLike) -> float | None:
    """Mean over tokens of -log2 p(token), bits, from 0; higher is more diverse. None without a token."""
    values = np.asarray(logprobs, np.float64)
    return -math.fsum(values) / values.size / math.log(2.0) if values.size else None


def progressive_surprise(conditional: Sequence[float], alone: Sequence[float]) -> float | None:
    """How new the last response is given the others, times how coherent each is alone (arXiv 2606.01811).

    conditional: bits per byte of the last response given the others before it, one for each order taken; alone: bits
    per byte of each response by itself. mean(conditional) * 2^(-mean(alone)), under a base model; from 0, higher is
    more diverse. None where one of the two is empty.
    """
    if not conditional or not alone:
        return None
    return math.fsum(conditional) / len(conditional) * math.exp2(-math.fsum(alone) / len(alone))


def token_shift(rank: int) -> Shift:
    """Where an aligned response's token stands under the base model: rank 1, ranks 2 and 3, beyond (Lin et al. 2023).

    arXiv 2312.01552. Ranks count from 1; ValueError below.
    """
    if rank < 1:
        raise ValueError(f"ranks count from 1; this one is {rank}")
    return "unshifted" if rank == 1 else "marginal" if rank <= 3 else "shifted"
