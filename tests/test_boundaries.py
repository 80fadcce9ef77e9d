"""What is not imported before it is used: each look at sys.modules is taken in a process of its own."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import alignbench
from tests.support.waiting import LIMIT

HEAVY = {"aiohttp", "torch", "transformers", "llama_cpp", "sentence_transformers", "matplotlib", "ray"}
FRONT_ENDS = ("alignbench.cli", "alignbench.tui", "alignbench.serve")
IN_WORKERS = tuple(  # loaded in the process of a model, and nowhere else
    f"alignbench.engines.{name}" for name in ("llamacpp", "hf", "local.torch_sampler")
)
# These import matplotlib.
DRAWING = tuple(
    f"alignbench.reports.{name}"
    for name in ("plotting", "figure", "dial_figure", "constraint_figure", "pluralism_figures", "survey_figure", "html")
)

REPORT = """
import json, sys
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def packages_after(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", code + REPORT], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def core_modules() -> list[str]:
    """Every module that belongs to no front end, is loaded outside workers, draws nothing and needs no Ray."""
    modules = pkgutil.walk_packages(alignbench.__path__, "alignbench.")
    apart = (*FRONT_ENDS, *IN_WORKERS, *DRAWING, "alignbench.cluster.")
    return [module.name for module in modules if not module.name.startswith(apart)]


@pytest.mark.parametrize("modules", ["alignbench.cli.app", "alignbench.tui.app, alignbench.engines.workers.pool"])
def test_front_ends_start_without_heavy_packages(modules: str) -> None:
    assert not (HEAVY | {"numpy", "sqlite_utils"}) & packages_after(f"import {modules}")


def test_a_database_is_opened_without_pandas() -> None:
    assert "pandas" not in packages_after("import alignbench.store")
    assert "pandas" in packages_after("import alignbench.store, pandas")
    assert "sqlite_utils" in packages_after("import pandas, alignbench.store")


@pytest.mark.parametrize(
    "command", ["", "sample", "score", "report", "metrics", "likelihood", "sessions", "models", "prompts", "doctor"]
)
def test_help_loads_no_heavy_package_and_no_app(command: str) -> None:
    code = f"""
import sys
sys.argv = ["alignbench", *{command.split()}, "--help"]
from alignbench.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
    assert not (HEAVY | {"textual", "sqlite_utils", "numpy"}) & packages_after(code)


def test_the_package_itself_is_light() -> None:
    loaded = packages_after("import alignbench; alignbench.open")
    assert not (HEAVY | {"numpy", "pandas", "sqlite_utils", "sqlite3", "rich", "typer", "textual"}) & loaded


def test_core_loads_neither_a_front_end_nor_a_heavy_package() -> None:
    modules = core_modules()
    assert "alignbench.experiments.runner" in modules
    loaded = packages_after("\n".join(f"import {module}" for module in modules))
    assert not ({"textual", "typer"} | HEAVY) & loaded
