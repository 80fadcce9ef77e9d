"""A front end that runs for hours keeps no more than it needs."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.support.waiting import LIMIT

pytestmark = pytest.mark.linux

only_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heap is another C library's")
SCRIPT = """
import ctypes, threading
from alignbench.heap import share_heap, trim_heap

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
trim_heap()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


@only_glibc
def test_threads_that_begin_later_have_no_heap_of_their_own() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert done.stdout.count("<heap ") == 1


@only_glibc
def test_what_is_freed_goes_back() -> None:
    """Blocks between which small ones stay."""
    script = """
import ctypes
from pathlib import Path
from alignbench.heap import share_heap, trim_heap

def private():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) // 1024

share_heap()
blocks, small = [], []
for i in range(400):
    blocks.append(bytearray(100_000))
    small.append(bytearray(600))
before = private()
del blocks
trim_heap()
print(before - private())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert int(done.stdout) > 30, "MiB, of 40 that were freed"
