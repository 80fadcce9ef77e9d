"""What the extras add, and the lines that install them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from alignbench import extras
from alignbench.errors import InputError
from alignbench.extras import EXTRAS, install_line, package_line
from alignbench.models.catalog import resolve
from tests.support.commands import alignbench

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
PARTS = PROJECT["optional-dependencies"]


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this Python is installed."""
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    return tmp_path


def test_every_extra_is_known_with_its_packages() -> None:
    listed = {
        name: {re.split(r"[<>=;\[]", package)[0] for package in packages}
        for name, packages in PARTS.items()
        if name not in ("all", "dev", "test")
    }
    assert {name: set(extra.packages) for name, extra in EXTRAS.items()} == listed
    named = re.fullmatch(r"alignbench\[(.*)\]", PARTS["all"][0])
    assert named is not None
    assert set(named[1].split(",")) == {*EXTRAS} - {"inspect"}


@pytest.mark.usefixtures("prefix")
def test_pip() -> None:
    assert install_line("pandas", "report") == "pip install 'alignbench[pandas,report]'"
    assert install_line("llama") == "CMAKE_ARGS='-DGGML_NATIVE=OFF' pip install 'alignbench[llama]'"
    assert package_line("httpx[socks]") == "pip install 'httpx[socks]'"


@pytest.mark.parametrize(
    ("requirement", "line"),
    [
        ('name = "alignbench"', "uv tool install 'alignbench[report]'"),
        ('name = "alignbench", extras = ["pandas", "report"]', "uv tool install 'alignbench[pandas,report]'"),
        (
            'name = "alignbench", extras = ["pandas"], path = "/a/x.whl"',
            "uv tool install 'alignbench[pandas,report] @ /a/x.whl'",
        ),
        ('name = "alignbench", git = "https://x/y"', "uv tool install 'alignbench[report] @ git+https://x/y'"),
        ('name = "other"', "uv tool install 'alignbench[report]'"),
        ("nonsense", "uv tool install 'alignbench[report]'"),
    ],
)
def test_uv_tool_keeps_what_is_installed(prefix: Path, requirement: str, line: str) -> None:
    (prefix / "uv-receipt.toml").write_text(f"[tool]\nrequirements = [{{ {requirement} }}]\n")
    assert install_line("report") == line
    if "pandas" in requirement and "path" not in requirement:
        assert package_line("vllm") == "uv tool install 'alignbench[pandas,report]' --with 'vllm'"


def test_pipx(prefix: Path) -> None:
    (prefix / "pipx_metadata.json").write_text("{}")
    assert install_line("report") == "pipx inject alignbench 'alignbench[report]'"
    assert package_line("vllm") == "pipx inject alignbench 'vllm'"


@pytest.mark.usefixtures("prefix")
@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            "demo-base",
            "demo-base needs is not installed .llama_cpp, the package of its weights.: .*alignbench.llama,demo.",
        ),
        ("llama:/a.gguf", "llama:/a.gguf needs is not installed .llama_cpp.: .*alignbench.llama."),
        ("hf:org/name", "hf:org/name needs is not installed .transformers.: pip install 'alignbench.transformers."),
    ],
)
def test_a_model_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, model: str, words: str) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("alignbench.models.installed.is_installed", lambda _: False)
    with pytest.raises(InputError, match=words):
        resolve(model)
    sampled = alignbench("sample", "--prompt", "Why?", "--model", model, "-n", "1")
    assert sampled.returncode == 2
    assert re.search(words, sampled.stderr)
    assert resolve("openai:http://127.0.0.1:1/v1#x").kind == "aligned"
