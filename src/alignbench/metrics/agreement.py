"""How far judges agree beyond chance."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal

import numpy as np

from alignbench.metrics.arrays import Floats

MeasurementLevel = Literal["nominal", "ordinal"]


def krippendorff_alpha(units: Sequence[Mapping[str, Hashable]], level: MeasurementLevel) -> float | None:
    """Krippendorff's alpha = 1 - observed / expected disagreement (Krippendorff 2011), at most 1; 0 is chance.

    units: for each judged item its ratings by judge; an item with fewer than two counts for nothing. level: nominal
    takes any two different ratings as equally far apart; ordinal ranks them by their order, so they must be comparable.
    None under two items that two judges rated, or where all ratings are the same: agreement beyond chance has no
    meaning there.
    """
    paired = [list(unit.values()) for unit in units if len(unit) >= 2]
    ratings = {rating for unit in paired for rating in unit}
    if len(paired) < 2 or len(ratings) < 2:
        return None
    values = sorted(ratings) if level == "ordinal" else list(ratings)  # type: ignore[type-var]
    at = {value: i for i, value in enumerate(values)}
    coincidences = np.zeros((len(values), len(values)))
    for unit in paired:
        counts = np.bincount([at[rating] for rating in unit], minlength=len(values)).astype(np.float64)
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = coincidences.sum(axis=0)
    distances = _ordinal(totals) if level == "ordinal" else 1.0 - np.eye(len(values))
    observed = float((coincidences * distances).sum())
    expected = float((np.outer(totals, totals) * distances).sum()) / (float(totals.sum()) - 1.0)
    return 1.0 - observed / expected


def _ordinal(totals: Floats) -> Floats:
    """Squared number of ratings between two ranks, the ends by half."""
    middle = np.cumsum(totals) - totals / 2
    squared: Floats = (middle[:, None] - middle[None, :]) ** 2
    return squared
