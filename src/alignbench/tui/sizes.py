"""From which size of the terminal on the app looks different."""

from __future__ import annotations

PAIR = 72  # columns; below it the Bench shows one condition at a time
TRIPLE = 110  # three conditions beside one another
LEAST_COLUMN = 37  # of one condition among four and more
NARROW = 100  # below it scores stand under one another, and there is less around a text
TALL = 30  # rows; below it there are no blank lines
WIDTHS = [(0, "-narrow"), (NARROW, "-wide")]
BENCH_WIDTHS = [(0, "-single"), (PAIR, "-narrow"), (NARROW, "-wide")]
HEIGHTS = [(0, "-low"), (TALL, "-tall")]


def side_by_side(width: int) -> int:
    """How many conditions a terminal of this width shows beside one another."""
    return max(1 + (width >= PAIR) + (width >= TRIPLE), width // LEAST_COLUMN if width >= TRIPLE else 1)
