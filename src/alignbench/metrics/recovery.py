"""Recovery: how far a condition comes from the zero-shot base model to the reference."""

from __future__ import annotations


def recovered(similarity: float, floor: float, ceiling: float) -> float | None:
    """(similarity - floor) / (ceiling - floor); None where the ceiling is not over the floor.

    All three are mean similarities to the reference, over the same prompts: of the condition, of the zero-shot base
    model, and of the reference to itself over pairs of different samples. 0: as far as the base model, 1: as like the
    reference as it is to itself; below and over both are possible. After Lake, Choi and Durrett 2024, arXiv
    2406.17692; a ratio of means, never a mean of ratios.
    """
    return (similarity - floor) / (ceiling - floor) if ceiling > floor else None
