"""The heap of a front end that runs for hours: what it does not need goes back to the system.

Only where the C library is glibc; elsewhere nothing is done.
"""

from __future__ import annotations

import ctypes
import gc

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of mallopt(3)
_LARGE = 1 << 17  # bytes


def share_heap() -> None:
    """Have threads that begin from now on allocate from the heap of the main one, and large blocks outside of it.

    glibc gives each thread a heap, which keeps what its threads once needed, in pieces: the app has many short-lived
    threads (three for each worker, a pool for scores). They hold the GIL while they allocate nearly all of what they
    do, so that they hardly ever wait for each other. What a large block is grows with the largest that was freed, up to
    32 MiB, unless it is set: such blocks then come from the heap, and small ones that stay are put between them.
    """
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _LARGE)


def trim_heap() -> None:
    """Give back what is free: for moments in which much has become so, and nobody waits."""
    gc.collect()
    if (malloc_trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        malloc_trim(0)
