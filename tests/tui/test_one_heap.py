"""Threads of the app share a heap."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.support.waiting import LIMIT

SCRIPT = """
import ctypes, threading
from alignbench.tui.one_heap import share_heap

share_heap()
together = threading.Barrier(12)

def work():
    kept = [bytes(1000 + i) for i in range(100)]
    together.wait()

threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives each thread a heap")
def test_threads_that_begin_later_have_no_heap_of_their_own() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert done.stdout.count("<heap ") == 1
