"""Processes that share work, and end with whoever waits for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from alignbench.child_process import end_with_parent
from alignbench.errors import AlignbenchError


@contextmanager
def process_pool(n: int, doing: str, begin: Callable[[], None] | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of n processes. They share the cores: numpy has one thread in each, unless the environment says otherwise.

    What is submitted has to be taken inside.

    Work that is given up, as by Ctrl-C, is not waited for: the processes are killed, stopped ones too. AlignbenchError
    where one of them is killed.

    Args:
        n: processes
        doing: what they do, for that message: "scored responses"
        begin: called in each of them first; it is pickled
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is loaded: here it has been, there not yet
    pool = ProcessPoolExecutor(n, multiprocessing.get_context("spawn"), _begin, (os.getpid(), begin))
    try:
        yield pool
    except BrokenProcessPool:
        raise AlignbenchError(f"A process that {doing} was killed; is there enough memory?") from None
    except BaseException:
        for process in list(pool._processes.values()):
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int, begin: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle
    end_with_parent(parent)
    if begin is not None:
        begin()
