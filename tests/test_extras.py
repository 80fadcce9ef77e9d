"""A package that is missing is named, with the line that installs it."""

from __future__ import annotations

import sys

import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.workers.factory import open_engine
from alignbench.errors import AlignbenchError, EngineError
from alignbench.extras import install_line, needed
from alignbench.spec import Model
from tests.support.gguf_files import write_gguf


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


@pytest.mark.parametrize(
    ("scheme", "package", "extra"), [("llama", "llama_cpp", "llama"), ("hf", "transformers", "transformers")]
)
def test_a_model_whose_engine_is_not_installed(
    scheme: str, package: str, extra: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gguf(tmp_path_factory.mktemp("weights") / "tiny.gguf")
    for name in [
        name
        for name in sys.modules
        if name.startswith(f"alignbench.engines.{'llamacpp' if extra == 'llama' else 'hf'}")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    name = package.replace("_", "-")
    with pytest.raises(
        EngineError, match=rf"tiny needs {name}, which is not installed: pip install 'alignbench\[{extra}\]'"
    ):
        open_engine(Model("tiny", f"{scheme}:{path}", "base"), Cancellation(), 1, lambda *_: None)
