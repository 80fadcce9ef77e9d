"""Limits that the operating system sets: files that cannot grow, a disk of little space, what is read-only."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """In this process no file grows over so many bytes, as on a disk that is full. For few lines: coverage and the
    like write files too. Python would cut what it compiles short without a word, and read it ever after."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writes_bytecode, sys.dont_write_bytecode = not sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = not writes_bytecode
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so little space in a folder; the test is skipped where none can be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, where that is allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def read_only(*paths: Path) -> Iterator[None]:
    """Files and folders that cannot be written, for root neither; the test is skipped where that cannot be had."""
    try:
        for path in paths:
            _chattr("+i", path) if os.geteuid() == 0 else path.chmod(0o555)
        yield
    finally:
        for path in paths:
            _chattr("-i", path) if os.geteuid() == 0 else path.chmod(0o755)


def _chattr(flag: str, path: Path) -> None:
    try:
        done = subprocess.run(["chattr", flag, str(path)], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no chattr here")
    if done.returncode:
        pytest.skip("this file system or user cannot make a file immutable")
