"""Models that do not fit: idle ones make room, and a refusal names the numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.engines.memory import free_bytes, needed_bytes
from alignbench.engines.protocol import Failed, Loaded
from alignbench.engines.workers import pool as pool_module
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve
from alignbench.spec import LoadOptions, Model
from tests.support.driving import load
from tests.support.gguf_files import write_gguf
from tests.support.waiting import wait_until

MIB = 2**20


def test_estimates_come_from_the_files(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    assert needed_bytes(Model("tiny", f"llama:{path}", "base")) == int(path.stat().st_size * 1.2)
    assert needed_bytes(Model("far", "openai:http://127.0.0.1:1/v1#x", "aligned")) == 0
    assert needed_bytes(resolve("demo-base")) > 200 * MIB
    assert free_bytes("cpu") > 0


def test_a_vllm_server_takes_a_share_of_a_gpu_or_its_weights_and_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    big = Model("big", "vllm:org/big", "base", LoadOptions(env=(("VLLM_CPU_KVCACHE_SPACE", "2"),)))
    assert needed_bytes(big) == 2 * 1024 * MIB  # beside weights of a size that is not known
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 80000\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert needed_bytes(big) == int(0.92 * 80_000 * MIB)
    assert needed_bytes(big.with_options(args=("--gpu-memory-utilization=0.5",))) == 40_000 * MIB


def test_what_cannot_fit_is_refused_with_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "free_bytes", lambda _: 50 * MIB)
    pool = WorkerPool()
    event = load(pool, resolve("demo-smollm2"))
    pool.close()
    assert isinstance(event, Failed)
    assert "needs about 113 MiB" in event.message
    assert "50 MiB are free" in event.message


def test_models_take_no_more_of_a_gpu_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "on_gpu", lambda _: True)
    monkeypatch.setattr(pool_module, "free_bytes", lambda _: 80_000 * MIB)
    pool = WorkerPool(vram=100 * MIB)
    event = load(pool, resolve("demo-smollm2"))
    pool.close()
    assert isinstance(event, Failed)
    assert event.crowded
    assert "only 100 MiB of those that --vram allows are free" in event.message


@pytest.mark.models
def test_a_model_that_is_idle_leaves_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "on_gpu", lambda _: True)
    monkeypatch.setattr(pool_module, "free_bytes", lambda _: 80_000 * MIB)
    pool = WorkerPool(idle_seconds=0.2)
    aligned = resolve("demo-smollm2")
    assert isinstance(load(pool, aligned), Loaded)
    wait_until(lambda: pool.capabilities(aligned) is None)
    pool.close()


@pytest.mark.models
def test_the_least_recently_used_model_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = WorkerPool()
    base, aligned = resolve("demo-base"), resolve("demo-smollm2")
    assert isinstance(load(pool, base), Loaded)
    monkeypatch.setattr(pool_module, "free_bytes", lambda _: 50 * MIB)
    assert isinstance(load(pool, aligned), Loaded)
    assert pool.capabilities(base) is None
    pool.close()
