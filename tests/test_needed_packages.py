"""A package that is missing is named, with the line that installs it."""

from __future__ import annotations

import sys

import pytest

from alignbench.errors import AlignbenchError, EngineError
from alignbench.extras import install_line, needed


def test_a_missing_package_and_one_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "some_package", None)
    with (
        pytest.raises(
            EngineError, match=r"^It needs some-package, which is not installed: pip install 'alignbench\[a,b\]'$"
        ),
        needed("It needs", "a", "b", error=EngineError),
    ):
        import some_package.inner  # noqa: F401
    with (
        pytest.raises(AlignbenchError, match=r"It needs a package that cannot be imported \(libx\.so"),
        needed("It needs", "a"),
    ):
        raise ImportError("libx.so: cannot open")
    with needed("It needs", "a"):
        pass
    assert install_line("hub") == "pip install 'alignbench[hub]'"
