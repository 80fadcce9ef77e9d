from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from alignbench import doctor, paths
from alignbench.doctor import Check, LlamaBuild, examine, failed
from alignbench.extras import EXTRAS, Extra
from alignbench.store import Store
from alignbench.store.schema import MIGRATIONS
from tests.support.gguf_files import write_gguf

AVX2_BUILD = LlamaBuild("0.3.36", "CPU : SSE3 = 1 | AVX2 = 1 | LLAMAFILE = 1 | REPACK = 1 | ")
AMX_BUILD = LlamaBuild("0.3.36", "CPU : AVX2 = 1 | AVX512 = 1 | AMX_INT8 = 1 | OPENMP = 1 | ")
CUDA_BUILD = LlamaBuild("0.3.36", "CUDA : ARCHS = 900 | USE_GRAPHS = 1 | CPU : AVX2 = 1 | ")


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty PATH; programs can be put into the folder."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


# Python, CPU, llama.cpp


def test_python() -> None:
    check = doctor.check_python()
    assert check.status == "ok"
    assert "alignbench 0.1.0" in check.detail


@pytest.mark.parametrize(
    ("flags", "status", "words"),
    [
        ("fpu avx avx2", "ok", "AVX2"),
        ("avx2 avx512f amx_int8 amx_tile", "ok", "AVX2 AVX-512 AMX"),
        ("fpu sse2", "warning", "without AVX2"),
    ],
)
def test_cpu(flags: str, status: str, words: str) -> None:
    check = doctor.check_cpu(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: {flags}\n")
    assert check.status == status
    assert check.detail.endswith(words)


def test_cpu_that_says_nothing() -> None:
    assert doctor.check_cpu("").status == "ok"


def test_llama() -> None:
    check = doctor.check_llama(AVX2_BUILD)
    assert check == Check(
        "llama.cpp", "ok", "llama-cpp-python 0.3.36 for CPU: SSE3 AVX2 LLAMAFILE REPACK", required=True
    )
    assert "for CUDA, CPU: USE_GRAPHS AVX2" in doctor.check_llama(CUDA_BUILD).detail


def test_the_amx_trap() -> None:
    check = doctor.check_llama(AMX_BUILD)
    assert check.status == "warning"
    assert "CMAKE_ARGS='-DGGML_NATIVE=OFF' pip install" in check.advice
    assert "--no-cache-dir" in check.advice
    assert not failed([check])


@pytest.mark.parametrize(
    ("build", "detail"),
    [
        (LlamaBuild(""), "llama-cpp-python is not installed"),
        (LlamaBuild("0.3.36", error="libgomp.so.1: cannot open"), "0.3.36 does not start: libgomp.so.1"),
    ],
)
def test_no_llama(build: LlamaBuild, detail: str) -> None:
    check = doctor.check_llama(build)
    assert check.status == "missing"
    assert detail in check.detail
    assert "-DGGML_NATIVE=OFF" in check.advice
    assert failed([check]) is bool(build.version), "without it there are servers; broken, it is in the way"


def test_llama_build_survives_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda _: "1.2.3")
    monkeypatch.setattr(doctor, "_SYSTEM_INFO", "import os; os.abort()")
    assert doctor.llama_build() == LlamaBuild("1.2.3", error="it ended with code -6")
    monkeypatch.setattr(doctor, "_SYSTEM_INFO", "import no_such_package")
    assert "No module named 'no_such_package'" in doctor.llama_build().error
    monkeypatch.setattr(doctor, "_SYSTEM_INFO", "print('noise'); print('CPU : AVX2 = 1 |')")
    assert doctor.llama_build().info == "CPU : AVX2 = 1 |"
    monkeypatch.setattr(doctor, "_version", lambda _: "")
    assert doctor.llama_build() == LlamaBuild("")


# GPU


@pytest.mark.usefixtures("no_programs")
def test_no_gpu() -> None:
    assert doctor.check_gpu(AVX2_BUILD).status == "ok"


def test_gpu(no_programs: Path) -> None:
    program(no_programs, "nvidia-smi", "echo 'NVIDIA H200, 143771 MiB, 570.86'; echo odd")
    check = doctor.check_gpu(CUDA_BUILD)
    assert check.status == "ok"
    assert check.detail == "NVIDIA H200 (143771 MiB, driver 570.86); odd"
    check = doctor.check_gpu(AVX2_BUILD)
    assert check.status == "warning"
    assert "built without CUDA" in check.detail
    assert "-DGGML_CUDA=ON" in check.advice
    assert doctor.check_gpu(LlamaBuild("")).status == "ok"


def test_vllm(tmp_path: Path) -> None:
    check = doctor.check_vllm(None)
    assert check.status == "missing"
    assert not check.required
    assert "Only vllm: models need it" in check.advice
    (tmp_path / "lib/python3.11/site-packages/vllm-0.32.0.dist-info").mkdir(parents=True)
    command = tmp_path / "bin/vllm"
    assert doctor.check_vllm(command).detail == f"vLLM 0.32.0, {command}"


def test_gpu_with_a_broken_driver(no_programs: Path) -> None:
    program(no_programs, "nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9")
    check = doctor.check_gpu(CUDA_BUILD)
    assert check.status == "warning"
    assert "NVIDIA-SMI has failed" in check.detail


def test_a_command_that_hangs() -> None:
    assert doctor._run((sys.executable, "-c", "import time; time.sleep(60)"), seconds=0.2)[0] == 1
    assert doctor._run(("no-such-command",), seconds=1)[0] == 1


# Packages and models


def test_extras(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    check = doctor.check_extra("embeddings", Extra("what it adds", ("numpy", "no-such-package")))
    assert check.status == "missing"
    assert check.detail == "not installed: no-such-package"
    assert check.advice == "For what it adds: pip install 'alignbench[embeddings]'"
    assert not failed([check])
    assert doctor.check_extra("embeddings", Extra("what it adds", ("numpy",))).status == "ok"
    assert [check.name for check in doctor.check_extras()] == [f"extra {name}" for name in EXTRAS if name != "llama"]


@pytest.mark.extras
def test_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)  # no demo packages
    assert failed(doctor.check_models())
    weights = write_gguf(tmp_path / "a.gguf")
    paths.config_dir().mkdir()
    paths.models_file().write_text(f"[models.mine]\nreference = 'llama:{weights}'\n")
    checks = doctor.check_models()
    assert [(check.name, check.status) for check in checks] == [
        ("model demo-base", "missing"),
        ("model demo-aligned", "missing"),
        ("model demo-sft", "missing"),
        ("model demo-smollm2", "missing"),
        ("model mine", "ok"),
    ]
    assert not failed(checks)
    paths.models_file().write_text("[models.mine\n")
    checks = doctor.check_models()
    assert checks[0].name == "models.toml"
    assert "not TOML" in checks[0].advice
    assert failed(checks)


# Database


def test_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    check = doctor.check_database(tmp_path / "new" / "folder" / "x.db")
    assert (check.status, list(tmp_path.iterdir())) == ("ok", [])
    assert "made at first use; WAL works" in check.detail


def test_a_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with Store.open(path) as store:
        store.create_session("one")
        check = doctor.check_database(path)  # beside an open one
    assert check.status == "ok"
    assert f"schema {MIGRATIONS[-1][0]}" in check.detail


def test_databases_that_cannot_be_used(tmp_path: Path) -> None:
    foreign, newer, text, empty = (tmp_path / f"{name}.db" for name in ("foreign", "newer", "text", "empty"))
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    Store.open(newer).close()
    with sqlite3.connect(newer) as connection:
        connection.execute("INSERT INTO _migrations VALUES ('9999_future', '')")
    connection.close()
    text.write_text("not a database, but long enough to have a header" * 10)
    empty.touch()
    for path, words in (
        (foreign, "a database of another program"),
        (newer, "written by a newer alignbench"),
        (text, "file is not a database"),
        (tmp_path, "unable to open database file"),
        (text / "x.db", "text.db"),
    ):
        check = doctor.check_database(path)
        assert check.status == "missing", path
        assert words in check.detail
        assert failed([check])
    assert doctor.check_database(empty).status == "ok"


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    check = doctor.check_database(tmp_path / "x.db")
    assert check.status == "missing"
    assert check.detail == f"{tmp_path} cannot be written"
    assert "--db" in check.advice


# Terminal


@pytest.mark.parametrize(
    ("environ", "size", "status", "words"),
    [
        (
            {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            (120, 36),
            "ok",
            "120x36, TERM=xterm-256color, truecolor",
        ),
        ({"TERM": "xterm", "NO_COLOR": "1"}, (80, 24), "ok", "no colours (NO_COLOR)"),
        ({"TERM": "tmux", "TMUX": "x", "SSH_CONNECTION": "y"}, (80, 24), "ok", "tmux, SSH"),
        ({"TERM": "xterm"}, (79, 24), "warning", "79x24"),
        ({"TERM": "dumb"}, (80, 24), "warning", "TERM=dumb"),
        ({}, (80, 24), "warning", "TERM=(not set)"),
        ({}, None, "ok", "stdout is no terminal"),
    ],
)
def test_terminal(environ: dict[str, str], size: tuple[int, int] | None, status: str, words: str) -> None:
    check = doctor.check_terminal(environ, size)
    assert check.status == status
    assert words in check.detail
    assert bool(check.advice) == (status == "warning")


def test_locale() -> None:
    assert doctor.check_locale("UTF-8").status == doctor.check_locale("utf8").status == "ok"
    assert doctor.check_locale("ANSI_X3.4-1968").status == "warning"


def test_clipboard(no_programs: Path) -> None:
    assert doctor.check_clipboard({}).status == "ok"
    assert "set-clipboard unknown" in doctor.check_clipboard({"TMUX": "x"}).detail
    program(no_programs, "tmux", "echo external")
    check = doctor.check_clipboard({"TMUX": "x"})
    assert (check.status, check.detail) == ("warning", "tmux keeps copies to itself (set-clipboard external)")
    program(no_programs, "tmux", "echo on")
    assert doctor.check_clipboard({"TMUX": "x"}).status == "ok"
    assert doctor.check_clipboard({"STY": "x"}).status == "warning"


# All of it


@pytest.mark.usefixtures("no_programs")
def test_everything_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "_version", lambda _: "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(doctor, "_CPUINFO", tmp_path / "none")
    for variable in ("TERM", "TMUX", "STY", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    checks = examine(Path("/proc/none/x.db"))
    assert failed(checks)
    required = {check.name for check in checks if check.required and check.status == "missing"}
    embedded = {f"model {name}" for name in ("demo-base", "demo-aligned", "demo-sft", "demo-smollm2")}
    assert required == {*embedded, "database"}
    assert all(check.advice for check in checks if check.status != "ok")


@pytest.mark.extras
def test_this_machine(tmp_path: Path) -> None:
    checks = examine(tmp_path / "x.db")
    assert len({check.name for check in checks}) == len(checks)
    assert not failed(checks)
