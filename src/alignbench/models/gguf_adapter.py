"""A LoRA adapter as a GGUF file, and whether it is one of a base model; nothing is loaded.

Per matrix W (out, in) of the base it has A (rank, in) and B (out, rank), as NAME.lora_a and NAME.lora_b; what is added
to W is alpha / rank * B A (llama.cpp, convert_lora_to_gguf.py).
"""

from __future__ import annotations

from pathlib import Path

from alignbench.errors import InputError
from alignbench.models.adapter import Adapter
from alignbench.models.folder_files import ADAPTER, TEMPLATE
from alignbench.models.gguf import BrokenFile, GgufHeader, header, read_adapter_header
from alignbench.models.regular_files import is_regular
from alignbench.models.stages import STAGES, stage_file

_A, _B = ".lora_a", ".lora_b"
_EMBEDDING = "token_embd.weight"  # a table that is looked up: A and B have changed places


def adapter_file(adapter: Adapter) -> Path:
    """The file of an adapter that llama.cpp reads. Raises InputError for a stage that is not in this installation."""
    return stage_file(adapter.target) if adapter.target in STAGES else Path(adapter.target)


def layout_beside(path: Path) -> Path | None:
    """The chat template beside a GGUF file that lies in the folder of the adapter that it was converted from.

    The converter does not write it into the file. None where there is none.
    """
    template = path.with_name(TEMPLATE)
    return template if is_regular(template) and is_regular(path.with_name(ADAPTER)) else None


def checked_adapter(path: Path, base: Path | None) -> GgufHeader:
    """The header of an adapter that llama.cpp can add to a base model; base: its GGUF file, None where it is not here.

    Raises InputError where it is none, is broken, is of another method than LoRA, or is of another base.
    """
    if (path / ADAPTER).is_file():
        raise InputError(
            f"{path} is an adapter as PEFT saves it; llama.cpp reads GGUF. Convert it with llama.cpp's "
            "convert_lora_to_gguf.py, or load base and adapter with transformers: hf:/base+/adapter."
        )
    adapter = read_adapter_header(path)
    method = adapter.metadata.get("adapter.type")
    if method != "lora":
        raise InputError(f"{path} is an adapter of type {method!r}; expected lora.")
    if any(key.startswith("adapter.alora.") for key in adapter.metadata):
        raise InputError(f"{path} is an activated LoRA, which works from some tokens on; expected a plain one.")
    if base is not None:
        model = header(base)
        if adapter.architecture != model.architecture:
            raise InputError(
                f"{path} is an adapter of another architecture: {adapter.architecture or 'it names none'}; "
                f"{base} is {model.architecture}."
            )
    ranks = _ranks(path, adapter)
    if base is not None:
        for name, rank in ranks.items():
            _check_shape(path, adapter, name, rank, header(base).shapes.get(name), base)
    return adapter


def rank_of(adapter: GgufHeader) -> int:
    """The largest rank of its matrices."""
    return max((_rank(name, adapter.shapes[name + _A]) for name in _names(adapter)), default=0)


def _names(adapter: GgufHeader) -> list[str]:
    return [name.removesuffix(_A) for name in adapter.shapes if name.endswith(_A)]


def _rank(name: str, a: tuple[int, ...]) -> int:
    return a[0] if name == _EMBEDDING else a[1]


def _ranks(path: Path, adapter: GgufHeader) -> dict[str, int]:
    """Of each matrix that it changes its rank."""
    ranks = {}
    for tensor, shape in adapter.shapes.items():
        name = tensor.removesuffix(_A).removesuffix(_B)
        missing = next((name + end for end in (_A, _B) if name + end not in adapter.shapes), None)
        if name == tensor:
            raise InputError(f"{path} has a tensor {tensor}; expected {_A} and {_B} of a LoRA adapter alone.")
        if missing is not None:
            raise BrokenFile(f"{path} lacks the tensor {missing}. Download or convert it again.")
        if len(shape) < 2:
            raise BrokenFile(f"{path}: {tensor} has {len(shape)} dimensions; expected a matrix.")
        ranks[name] = 0
    if not ranks:
        raise BrokenFile(f"{path} has no tensors; expected {_A} and {_B} of a LoRA adapter.")
    for name in ranks:
        a, b = adapter.shapes[name + _A], adapter.shapes[name + _B]
        ranks[name] = _rank(name, a)
        if ranks[name] != b[0] or not ranks[name]:
            raise BrokenFile(f"{path}: {name} has rank {ranks[name]} in {_A} and {b[0]} in {_B}; expected the same.")
    return ranks


def _check_shape(
    path: Path, adapter: GgufHeader, name: str, rank: int, matrix: tuple[int, ...] | None, base: Path
) -> None:
    if matrix is None:
        raise InputError(f"{path} is an adapter of another base: {base} has no tensor {name}.")
    a, b = adapter.shapes[name + _A], adapter.shapes[name + _B]
    changed = (b[1], a[1]) if name == _EMBEDDING else (a[0], b[1])
    if changed != matrix[:2]:
        raise InputError(
            f"{path} is an adapter of another base: it changes a {name} of {_shape(changed)} (rank {rank}), "
            f"that of {base} is {_shape(matrix)}."
        )


def _shape(dimensions: tuple[int, ...]) -> str:
    return " x ".join(map(str, dimensions))
