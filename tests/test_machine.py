"""What there is of a machine, also on systems that cannot say all of it."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import pytest

from alignbench import child_process, machine
from alignbench.errors import InputError
from alignbench.models.catalog import resolve
from tests.support.commands import alignbench


def test_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 7}, raising=False)
    assert machine.usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert machine.usable_cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.usable_cores() == 1


def test_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "meminfo"
    monkeypatch.setattr(machine, "_MEMINFO", said)
    assert machine.free_memory() == machine.UNKNOWN
    said.write_text("MemTotal: 9 kB\nMemAvailable: 7 kB\n")
    assert machine.free_memory() == 7 * 1024


def test_a_limit_that_the_system_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    with pytest.raises(ValueError, match="current limit"):
        child_process.lower_limit(resource.RLIMIT_AS, 1 << 30)
    monkeypatch.setattr(sys, "platform", "darwin")
    child_process.lower_limit(resource.RLIMIT_AS, 1 << 30)


def test_vllm_needs_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InputError, match="on Linux alone"):
        resolve("vllm:org/name")


def test_on_windows_there_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    ran = alignbench("--version")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "wsl --install" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_no_other_place_asks_for_cores() -> None:
    source = Path(machine.__file__).parent
    asking = [path.name for path in source.rglob("*.py") if "sched_getaffinity" in path.read_text("utf-8")]
    assert asking == ["machine.py"]
