"""Which samples of a running request were cancelled."""

from __future__ import annotations

import threading
from collections.abc import Sequence


class Aborted(Exception):
    """The request was cancelled as a whole while the engine was busy with its prompt."""


class Cancellation:
    """Which samples of the running request were cancelled. Written by the worker's reader thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled: dict[int, set[int] | None] = {}

    def cancel(self, key: int, samples: Sequence[int] | None) -> None:
        """Cancel some samples of a request that runs or will run, or (None) all of it."""
        with self._lock:
            before = self._cancelled.get(key, set())
            self._cancelled[key] = None if samples is None or before is None else before | set(samples)

    def whole(self, key: int) -> bool:
        """Whether all of the request is cancelled."""
        with self._lock:
            return key in self._cancelled and self._cancelled[key] is None

    def hit(self, key: int, sample: int) -> bool:
        """Whether this sample is cancelled."""
        with self._lock:
            samples = self._cancelled.get(key, set())
            return samples is None or sample in samples

    def forget(self, key: int) -> None:
        """The request has ended."""
        with self._lock:
            self._cancelled.pop(key, None)
