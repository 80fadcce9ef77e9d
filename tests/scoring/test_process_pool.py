from __future__ import annotations

import os

import pytest

from alignbench.scoring.process_pool import process_pool


@pytest.mark.parametrize(("of_user", "threads"), [(None, "1"), ("3", "3")])
def test_numpy_has_one_thread_in_each_process(
    monkeypatch: pytest.MonkeyPatch, of_user: str | None, threads: str
) -> None:
    name = "OPENBLAS_NUM_THREADS"
    monkeypatch.setenv(name, of_user or "")
    if of_user is None:
        monkeypatch.delenv(name)
    with process_pool(1, "looked") as pool:
        assert pool.submit(os.getenv, name).result() == threads
