"""The cache folder that cannot be used: all goes on without it, and that is said once."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from alignbench import cache_folder, doctor
from alignbench.api.embedding import embedding_cache
from alignbench.contexts.neighbours import NeighbourIndex, keep_index
from alignbench.models.weights import remembered_hash


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What an earlier test found and said."""
    cache_folder._problem.cache_clear()
    cache_folder._said.clear()
    yield
    cache_folder._problem.cache_clear()
    cache_folder._said.clear()


def a_file_in_its_place(folder: Path) -> None:
    folder.write_text("no folder")


def full(folder: Path) -> None:
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("needs root to mount a small file system")
    (folder / "filler").write_bytes(b"")
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass


def read_only(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("root writes everywhere")


@pytest.mark.parametrize("spoil", [a_file_in_its_place, full, read_only])
def test_all_goes_on_without_it(
    spoil: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "spoilt"
    monkeypatch.setenv("ALIGNBENCH_CACHE_DIR", str(folder))
    spoil(folder)
    try:
        with caplog.at_level(logging.WARNING):
            assert cache_folder.worker_log("x.log") is None
            weights = tmp_path / "weights"
            weights.write_bytes(b"x")
            assert remembered_hash(weights) == remembered_hash(weights)
            keep_index(folder / "indexes" / "x.npy", NeighbourIndex(np.zeros((1, 2), np.float32)))
            with embedding_cache() as store:
                assert store.sessions() == []
        check = doctor.check_cache()
    finally:
        subprocess.run(["umount", str(folder)], check=False, stderr=subprocess.DEVNULL)
    (said,) = [record.getMessage() for record in caplog.records]
    assert str(folder) in said
    assert check.status == "warning"
    assert str(folder) in check.detail


def test_one_that_is_not_there_is_made(caplog: pytest.LogCaptureFixture) -> None:
    assert cache_folder.worker_log("x.log") is not None
    assert not caplog.records
