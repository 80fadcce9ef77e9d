"""How sure a model was of the tokens it drew: entropies stored at sampling, and the branching factor.

Everything here is of responses as they were drawn: for each of them an array (T,) of its tokens, in nats.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from alignbench.metrics.arrays import Floats
from alignbench.metrics.metric import Metric

EXACT = 50
"""The longest response, in tokens, whose branching factor is read off its entropies."""

SPANS = ((1, 1), (2, 5), (6, 10), (11, 25), (26, 50), (51, 100), (101, 200), (201, 400), (401, None))
"""Positions of tokens, from 1, that the curve of the branching factor takes together; None: to the end."""

_BIT = math.log(2.0)  # in nats


def bits_per_token(nats: Sequence[ArrayLike]) -> float | None:
    """The mean over all tokens of some responses, in bits; None without a token."""
    return None if (mean := _mean(nats)) is None else mean / _BIT


def branching_factor(entropies: Sequence[ArrayLike], logprobs: Sequence[ArrayLike]) -> float | None:
    """How many tokens, equally likely, a model chooses from on average: 1 and up, None without a token.

    Both under the distribution that was drawn from. The exponential of the mean entropy of responses of up to 50
    tokens, of minus the mean log-prob of whole texts where one is longer: over many tokens the two are the same
    (asymptotic equipartition). Yang and Holtzman 2025, arXiv 2506.17871.
    """
    if all(np.size(of_response) <= EXACT for of_response in entropies):
        mean = _mean(entropies)
    else:
        mean = _mean([-np.asarray(of_response, np.float64) for of_response in logprobs])
    return None if mean is None else _choices(mean)


def branching_by_logprobs(bits: float) -> float:
    """The exponential of minus the mean log-prob, from the mean surprisal in bits a token: 1 and up.

    Of log-probs under the model's own distribution at temperature 1, as servers tell them. It is a branching factor of
    what was drawn from where nothing but that distribution was drawn from; at a lower temperature, or truncated, it is
    less than the model's own.
    """
    return _choices(bits * _BIT)


def branching_curve(entropies: Sequence[ArrayLike]) -> Iterator[tuple[str, float]]:
    """The exponential of the mean entropy of the distribution drawn from, by span of positions (see `span_key`).

    A span that no response reaches is left out. Later spans are of the longer responses alone.
    """
    for first, last in SPANS:
        mean = _mean([np.asarray(of_response, np.float64)[first - 1 : last] for of_response in entropies])
        if mean is not None:
            yield span_key(first, last), _choices(mean)


def span_key(first: int, last: int | None) -> str:
    """What a span's point of the curve is called beside the branching factor."""
    return f"at_{first}" if first == last else f"at_{first}_{'on' if last is None else last}"


def span_title(first: int, last: int | None) -> str:
    """The same for people."""
    return f"{first}" if first == last else f"{first} on" if last is None else f"{first}-{last}"


def _choices(nats: float) -> float:
    """Rounding must not carry it below the one choice there is."""
    return math.exp(max(0.0, nats))


def _mean(nats: Sequence[ArrayLike]) -> float | None:
    tokens: Floats = np.concatenate([np.zeros(0), *(np.asarray(of_response, np.float64) for of_response in nats)])
    return math.fsum(tokens) / tokens.size if tokens.size else None


_STORED = "stored for every token at sampling, over the whole vocabulary"

METRICS = (
    Metric(
        name="entropy",
        title="entropy",
        meaning=(
            "Mean bits of the model's own next-token distribution, at temperature 1, along what it wrote. Bits of a "
            "token compare between models of one tokenizer."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="higher",
        source=f"Shannon 1948; {_STORED}",
        version="1",
        needs=("entropies",),
        min_samples=1,
        order=201,
        family="likelihood",
        place=1,
    ),
    Metric(
        name="sampling_entropy",
        title="entropy of what was drawn from",
        meaning=(
            "Mean bits of the distribution that each token was drawn from, after temperature, truncation and "
            "penalties. Equal temperatures are not equal entropies: read it beside every diversity."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="higher",
        source=f"Shannon 1948; {_STORED}",
        version="1",
        needs=("entropies",),
        min_samples=1,
        order=202,
        family="likelihood",
        place=1,
        label="entropy, as drawn",
    ),
    Metric(
        name="branching_factor",
        title="branching factor",
        meaning=(
            "How many equally likely tokens the model chose from on average: the exponential of the mean entropy of "
            f"what was drawn from, of minus the mean log-prob where a response is longer than {EXACT} tokens."
        ),
        scope=("within",),
        low=1.0,
        high=None,
        more_diverse="higher",
        source="Yang and Holtzman 2025, arXiv 2506.17871",
        version="1",
        needs=("entropies",),
        min_samples=1,
        order=203,
        family="likelihood",
        place=2,
    ),
    Metric(
        name="branching_by_logprobs",
        title="branching factor by log-probs",
        meaning=(
            "The exponential of minus the mean log-prob of the tokens under the model's own distribution: what there "
            "is of a branching factor where servers and files tell no entropies. It is one of what was drawn from at "
            "temperature 1 without truncation only."
        ),
        scope=("within",),
        low=1.0,
        high=None,
        more_diverse="higher",
        source="Yang and Holtzman 2025, arXiv 2506.17871; log-probs stored at sampling",
        version="1",
        needs=("log-probs",),
        min_samples=1,
        order=204,
        family="likelihood",
        place=3,
        label="branching, by log-probs",
    ),
)
