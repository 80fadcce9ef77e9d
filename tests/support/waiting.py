"""Waiting for a condition. The one limit is more than a crowded machine needs: only a test that fails meets it."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT = 300.0  # seconds


def wait_until(true: Callable[[], object]) -> None:
    """Look until a condition holds, less often the longer it takes: what is waited for needs the core."""
    end, pause = time.monotonic() + LIMIT, 0.005
    while not true():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(pause)
        pause = min(1.2 * pause, 0.1)
