"""When Python looks for garbage among all that lives: where nobody waits for a key.

It takes 0.1 s in a large session, in which no thread does anything. What lives briefly is looked through as ever.
"""

from __future__ import annotations

import gc

QUIET = 2.0  # seconds without a key
DUE = 50  # searches through what lives briefly, after which one through all is worth its time
OVERDUE = 300  # the same, where somebody types all the time


def search_seldom() -> None:
    """Have Python wait for OVERDUE, where it begins by itself."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, OVERDUE)


def search_if_due(quiet: float) -> None:
    """Look for garbage if it is time. quiet: seconds since the last key."""
    if quiet >= QUIET and gc.get_count()[2] >= DUE:
        gc.collect()
