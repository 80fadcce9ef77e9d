"""Recovery: how far a condition comes from the zero-shot base model to the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the app's first paint does without numpy
    from alignbench.metrics.intervals import Interval

NO_GAP = "no gap: ceiling and floor are too close to be told apart"


def recovered(similarity: float, floor: float, ceiling: float) -> float | None:
    """(similarity - floor) / (ceiling - floor); None where the ceiling is not over the floor.

    All three are mean similarities to the reference, over the same prompts: of the condition, of the zero-shot base
    model, and of the reference to itself over pairs of different samples. 0: as far as the base model, 1: as like the
    reference as it is to itself; below and over both are possible. After Lake, Choi and Durrett 2024, arXiv
    2406.17692; a ratio of means, never a mean of ratios.
    """
    return (similarity - floor) / (ceiling - floor) if ceiling > floor else None


def no_gap(gap_ci: Interval | None) -> bool:
    """Whether ceiling and floor are not told apart, so that a recovery would be a share of chance.

    gap_ci: 95% interval of ceiling minus floor, over prompts or, of one prompt, over its samples; without one it is
    not known, and a recovery is of too few to be more than a number.
    """
    return gap_ci is not None and gap_ci[0] <= 0.0


def over_one(recovery: float | None, ci: Interval | None, mmd2: float | None, *, compares_means: bool) -> str:
    """What to know of a recovery over 1; empty up to that.

    Args:
        recovery: None where there is none.
        ci: Its interval; where that reaches down to 1, or is missing, chance may be all.
        mmd2: Of the same sets, None where there is none to read beside it.
        compares_means: Whether that sees no more than where the two sets are centred.
    """
    if recovery is None or recovery <= 1.0:
        return ""
    if ci is not None and ci[0] > 1.0:
        warning = "over 1: closer to the reference than the reference is to itself, as mode-seeking is"
    else:
        warning = "over 1, by mode-seeking or by chance"
    if mmd2 is None:
        return warning
    return f"{warning}; read mmd2 beside it{', which compares means only' if compares_means else ''}"
