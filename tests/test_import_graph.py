"""Who imports whom: no circles between modules, and CONTRIBUTING.md says what the import contracts check."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

import grimp

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```\n", re.MULTILINE | re.DOTALL)


def import_circle(graph: grimp.ImportGraph) -> list[str]:
    """The imports of one circle, a line each; empty without one. Those in functions and for type checking count."""
    try:
        TopologicalSorter(
            {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
        ).prepare()
    except CycleError as error:
        imported_first: list[str] = error.args[1]
        return [
            f"{importer}:{line['line_number']}: {line['line_contents']}"
            for imported, importer in pairwise(imported_first)
            for line in graph.get_import_details(importer=importer, imported=imported)[:1]
        ]
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("alignbench", cache_dir=None)
    circle = import_circle(graph)
    assert not circle, "These modules import each other in a circle:\n" + "\n".join(circle)


def test_a_circle_is_named_with_its_lines() -> None:
    graph = grimp.ImportGraph()
    for importer, imported, line in [("a", "b", 1), ("b", "c", 2), ("c", "a", 3), ("c", "d", 4)]:
        graph.add_import(importer=importer, imported=imported, line_number=line, line_contents=f"import {imported}")
    assert sorted(import_circle(graph)) == ["a:1: import b", "b:2: import c", "c:3: import a"]


def contract(name: str) -> dict[str, Any]:
    return next(contract for contract in LINTER["contracts"] if contract["id"] == name)


def test_every_layer_is_on_the_map_from_the_ground_up() -> None:
    layers = [re.findall(r"\w+", layer) for layer in reversed(contract("layers")["layers"])]
    floors = FENCED.findall(CONTRIBUTING.partition("## The map")[2])[0].splitlines()
    named = [line.partition("  ")[0].split() for line in floors if not line.startswith(" ")]
    assert [sorted(line) for line in named] == [sorted(layer) for layer in layers if layer != ["__main__"]]


def test_the_table_of_packages_says_who_may_import_them() -> None:
    allowed: defaultdict[str, set[str]] = defaultdict(set)
    for each in LINTER["contracts"]:
        for ignored in each.get("ignore_imports", ()):
            module, package = ignored.removeprefix("alignbench.").split(" -> ")
            allowed[package].add(module.removesuffix(".**"))
    rows = re.findall(r"^ *\| (`.+) \| (`.+) \|$", CONTRIBUTING, re.MULTILINE)
    table = {package: set(_ticked(modules)) for packages, modules in rows for package in _ticked(packages)}
    assert table == allowed


def _ticked(text: str) -> list[str]:
    """What stands between backticks on a line."""
    return re.findall(r"`([^`]+)`", text)


def test_every_path_in_contributing_exists() -> None:
    paths = [path for path in _ticked(FENCED.sub("", CONTRIBUTING)) if re.fullmatch(r"[\w.]+/[\w./]*", path)]
    assert "engines/protocol.py" in paths
    assert not [path for path in paths if not any((root / path).exists() for root in (ROOT, ROOT / "src/alignbench"))]
