"""From which size of the terminal on the app looks different."""

from __future__ import annotations

NARROW = 100  # columns; below it there is one condition at a time, and scores stand under one another
TALL = 30  # rows; below it there are no blank lines
WIDTHS = [(0, "-narrow"), (NARROW, "-wide")]
HEIGHTS = [(0, "-low"), (TALL, "-tall")]
