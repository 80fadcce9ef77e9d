"""Modules that load much, for tests that few processes run: each of them reads every file of tests."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest


def later(name: str, *, needs: str = "") -> Any:
    """A module that is imported when something of it is first asked for.

    The file that asks is skipped where a package is not installed: the module's own, or the one that it needs.
    """
    package = needs or name.partition(".")[0]
    if find_spec(package) is None:
        pytest.skip(f"needs {package}", allow_module_level=True)
    return _Later(name)


class _Later:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # pytest looks at whatever stands in a file, for tests
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)
