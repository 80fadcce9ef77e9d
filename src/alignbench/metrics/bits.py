"""Bits per byte over the responses to many prompts: sums of bits over sums of bytes, with intervals over prompts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Literal, get_args

import numpy as np

from alignbench.metrics.estimates import NO_SHARE, Estimate, share_estimate
from alignbench.metrics.gap_parts import TextParts
from alignbench.metrics.intervals import Interval
from alignbench.metrics.statistics import Uncertainty

Part = Literal["opening", "format", "end", "rest"]


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits that one response of n_bytes UTF-8 bytes and n_tokens tokens costs, or that something saves on it.

    end: those of the bits that are of its end, which is one of the tokens then; None where only its text is counted.
    parts: where those of the text are; None where that is not known.
    """

    bits: float
    n_bytes: int
    n_tokens: int
    end: float | None = None
    parts: TextParts | None = None

    @property
    def of_text(self) -> Bits:
        """Without the end."""
        if self.end is None:
            return self
        return replace(self, bits=self.bits - self.end, n_tokens=self.n_tokens - 1, end=None)

    @property
    def by_part(self) -> dict[Part, float] | None:
        """The bits of each part, which add up to all of them; None where they are not told apart."""
        if self.parts is None:
            return None
        opening, form, rest = self.parts.opening, self.parts.format, self.parts.rest
        return {"opening": opening, "format": form, "end": self.end or 0.0, "rest": rest}


@dataclass(frozen=True, slots=True)
class BitRate:
    """Bits over the responses to n_prompts prompts, n_responses in all, n_ended of them with their end.

    per_byte, per_response, per_token: all bits over all bytes, responses, tokens. ci: of per_byte, over prompts; None
    under two.
    """

    per_byte: float
    ci: Interval | None
    per_response: float
    per_token: float
    n_prompts: int
    n_responses: int
    n_ended: int = 0


@dataclass(frozen=True, slots=True)
class PartRate:
    """The bits of one part of the responses to some prompts.

    per_byte, per_response: all its bits over all bytes, responses. ci: of per_byte, over prompts; None under two.
    share: all its bits over the bits of all parts; none where the interval of the whole holds 0.
    """

    per_byte: float
    ci: Interval | None
    per_response: float
    share: Estimate


@dataclass(frozen=True, slots=True)
class Cost:
    """Mean over prompts of what a text costs, in bits and in tokens. ci: of the bits; None under two prompts."""

    bits: float
    ci: Interval | None
    tokens: float


def rate(prompts: Sequence[Sequence[Bits]], uncertainty: Uncertainty) -> BitRate | None:
    """Of the responses to each prompt, at least one each; None without a prompt."""
    if not prompts:
        return None
    sums = np.array(
        [[math.fsum(r.bits for r in responses), sum(r.n_bytes for r in responses)] for responses in prompts]
    )
    bits, n_bytes = map(float, sums.sum(axis=0))
    ci = uncertainty.ratio_interval(sums[:, 0], sums[:, 1])
    n = sum(map(len, prompts))
    n_tokens = sum(r.n_tokens for said in prompts for r in said)
    n_ended = sum(r.end is not None for said in prompts for r in said)
    return BitRate(bits / n_bytes, ci, bits / n, bits / n_tokens, len(prompts), n, n_ended)


def part_rates(prompts: Sequence[Sequence[Bits]], uncertainty: Uncertainty) -> dict[Part, PartRate]:
    """Of each part of the responses to each prompt, at least one each; empty where they are not all told apart."""
    whole = rate(prompts, uncertainty)
    parts = [[each for bits in responses if (each := bits.by_part) is not None] for responses in prompts]
    if whole is None or sum(map(len, parts)) < whole.n_responses:
        return {}
    n_bytes = [sum(bits.n_bytes for bits in responses) for responses in prompts]
    all_bits = {str(i): math.fsum(bits.bits for bits in responses) for i, responses in enumerate(prompts)}
    rates: dict[Part, PartRate] = {}
    for part in get_args(Part):
        of_prompts = [math.fsum(each[part] for each in responses) for responses in parts]
        bits = math.fsum(of_prompts)
        ci = uncertainty.ratio_interval(of_prompts, n_bytes)
        if whole.ci is not None and whole.ci[0] <= 0.0 <= whole.ci[1]:
            share = Estimate(n=len(prompts), reason=NO_SHARE)
        else:
            share = share_estimate(dict(zip(all_bits, of_prompts, strict=True)), all_bits, uncertainty)
        rates[part] = PartRate(bits / sum(n_bytes), ci, bits / whole.n_responses, share)
    return rates


def bits_saved(without: Bits, given: Bits) -> Bits:
    """What a piece of context saves on a response: the bits without it minus the bits with it.

    Savings on the response that a hint was made of alone are leakage, on held-out ones elicitation. ValueError where
    the two are not of the same length, so not of one response. The end is counted where it is in both.
    """
    if (without.end is None) != (given.end is None):
        without, given = without.of_text, given.of_text
    if (without.n_bytes, without.n_tokens) != (given.n_bytes, given.n_tokens):
        raise ValueError(f"{without} and {given} are not of one response")
    end = None if without.end is None or given.end is None else without.end - given.end
    return replace(without, bits=without.bits - given.bits, end=end, parts=None)


def cost(prompts: Sequence[tuple[float, int]], uncertainty: Uncertainty) -> Cost | None:
    """Of a text's bits and tokens, prompt by prompt; None without one."""
    if not prompts:
        return None
    values = np.array(prompts, np.float64)
    (ci,) = uncertainty.intervals(values[:, :1], [(0.0, inf)])
    bits, tokens = values.mean(axis=0)
    return Cost(float(bits), ci, float(tokens))
