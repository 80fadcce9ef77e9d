"""Samples whose tokens were drawn from a distribution that is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from alignbench.engines.protocol import SampleResult, TokenStats
from alignbench.spec import Condition, Prompt
from alignbench.store import Store


def drawn(sample: int, text: str, choices: Sequence[float], raw: Sequence[float] | None = None) -> SampleResult:
    """A response each of whose tokens was one of so many equally likely ones. raw: before temperature."""
    own, sampling = (np.log(np.asarray(of, np.float32)) for of in (choices if raw is None else raw, choices))
    tokens = TokenStats(np.arange(len(choices), dtype=np.int32), -own, own, -sampling, sampling)
    return SampleResult(sample, text, text, "stop", 5, len(choices), 0.1, -math.fsum(own), tokens)


def drawn_session(
    store: Store, samples: Mapping[Condition, Sequence[Sequence[SampleResult]]], reference: str | None = None
) -> int:
    """A session with the samples of each condition, prompt by prompt."""
    session = store.create_session("drawn", reference=reference)
    for condition, prompts in samples.items():
        for p, results in enumerate(prompts):
            cell = store.add_cell(session, Prompt(f"p{p:02}", f"Why {p}?"), condition, len(results))
            for result in results:
                store.add_sample(cell, result)
    return session
