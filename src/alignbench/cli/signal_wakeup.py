"""A signal is acted on at once, also where it came just before the main thread began to wait.

Python runs a handler between two steps of the main thread, and a signal ends a wait of that thread. One that comes
after the last step before a wait, or to another thread, does neither: the command would go on waiting for what it waits
for, which a worker that hangs never says. So another thread sees each signal too, and wakes the main thread again.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache

_AGAIN = (0.02, 0.1, 0.5)  # seconds; the first that finds the main thread in its wait is enough
_WAKES = signal.SIGURG  # which nobody else sends, and which ends nothing


@cache
def begin() -> None:
    """From now on; to be called in the main thread."""
    numbers, written = os.pipe()
    os.set_blocking(written, False)
    signal.signal(_WAKES, lambda *_: None)
    signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    main = threading.get_ident()
    threading.Thread(target=_wake, args=(main, numbers), name="signals", daemon=True).start()


def _wake(main: int, numbers: int) -> None:
    while number := os.read(numbers, 1):
        if number[0] == _WAKES:
            continue
        for seconds in _AGAIN:
            time.sleep(seconds)
            signal.pthread_kill(main, _WAKES)
