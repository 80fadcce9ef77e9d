"""Which prompt's answers stand in for another's in the shuffled null."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def shuffled_cycle(prompts: Iterable[str], seed: int) -> list[str]:
    """The prompts in an order that depends on which they are and on the seed alone.

    Each prompt followed by the next one, and the last by the first, makes one cycle: no prompt meets itself.
    """
    ordered = sorted(prompts)
    return [ordered[i] for i in np.random.default_rng(seed).permutation(len(ordered))]


def other_prompt(prompts: Iterable[str], seed: int) -> dict[str, str]:
    """For each prompt another one, each used once; empty where there is only one prompt."""
    cycle = shuffled_cycle(prompts, seed)
    return dict(zip(cycle, cycle[1:] + cycle[:1], strict=True)) if len(cycle) > 1 else {}


def other_prompts(prompts: Iterable[str], n: int, seed: int = 0) -> dict[str, list[str]]:
    """For each prompt the n that follow it in the cycle, fewer where there are fewer; empty where there is only one."""
    cycle = shuffled_cycle(prompts, seed)
    n = min(n, len(cycle) - 1)
    return {prompt: (cycle + cycle)[at + 1 : at + 1 + n] for at, prompt in enumerate(cycle)} if n > 0 else {}
