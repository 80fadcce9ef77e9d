"""How fast tokens arrive."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

RATE_WINDOW = 2.0  # seconds over which tokens a second are counted
RATE_HOLD = 0.5


class TokenRate:
    """Tokens a second over the last two seconds; the number holds for half a second, so that it can be read."""

    __slots__ = ("_clock", "_counted", "_drawn", "_shown", "total")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._drawn: deque[tuple[float, int]] = deque()
        self._counted = -RATE_HOLD
        self._shown = 0.0
        self.total = 0

    def add(self, n_tokens: int) -> None:
        self.total += n_tokens
        self._drawn.append((self._clock(), n_tokens))

    def per_second(self) -> float:
        now = self._clock()
        if now - self._counted >= RATE_HOLD:
            self._counted = now
            while self._drawn and self._drawn[0][0] < now - RATE_WINDOW:
                self._drawn.popleft()
            since = max(now - self._drawn[0][0], 0.25) if self._drawn else 1.0
            self._shown = sum(n for _, n in self._drawn) / since
        return self._shown
