"""A LoRA adapter as a folder of PEFT, and whether it can be added to a base model; nothing is loaded.

For each module W (out, in) of the base it has lora_A (rank, in) and lora_B (out, rank); what is added to W is
alpha / rank * B A, or alpha / sqrt(rank) with rsLoRA.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.models.folder_files import ADAPTER, TEMPLATE, TOKENIZER_CONFIG, has_chat_template, placed
from alignbench.models.hf_source import HfSource, parse_source
from alignbench.models.regular_files import is_regular
from alignbench.models.safetensors_header import tensor_shapes
from alignbench.textfiles import json_type, read_object, read_utf8

ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_FILES = (ADAPTER, ADAPTER_WEIGHTS, TEMPLATE, TOKENIZER_CONFIG)

_PREFIX = "base_model.model."
_PAIRS = ((".lora_A.weight", ".lora_B.weight"), (".lora_embedding_A", ".lora_embedding_B"))
# Options that make something else of an adapter than alpha / rank * B A, or change the base itself.
_ELSE = (
    "use_dora", "modules_to_save", "lora_bias", "trainable_token_indices", "target_parameters", "layer_replication",
    "alora_invocation_tokens", "use_qalora", "use_bdlora", "megatron_config", "arrow_config", "kasa_config",
    "monteclora_config", "velora_config",
)  # fmt: skip
_CHANGE_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")  # ways to begin a training


@dataclass(frozen=True, slots=True)
class PeftAdapter:
    """What the files of an adapter say.

    Attributes:
        shapes: of each module that it changes, (out, in)
        rank: the largest
        per_module: whether modules have ranks or alphas of their own
        base: the model that it was made on, by the name its maker had for it; empty where it is not said
        chat_template: Jinja source, None where it brings none
    """

    folder: Path
    shapes: dict[str, tuple[int, int]]
    rank: int
    base: str
    chat_template: str | None
    per_module: bool = False


def adapter_source(target: str, relative_to: Path | None = None) -> HfSource:
    """The place of an adapter: a folder or a hub id. Raises InputError for anything else."""
    source = parse_source(target, relative_to)
    if source.gguf_file:
        raise InputError(f"{target} is a GGUF file; expected an adapter as PEFT saves it, or llama: for this file.")
    return source


def read_adapter(folder: Path) -> PeftAdapter:
    """Read the files of an adapter.

    Raises InputError where there is none, it is broken, is of another method than LoRA, or has an option that this
    program does not follow.
    """
    config = _config(folder)
    shapes, ranks = _modules(folder / ADAPTER_WEIGHTS)
    wanted = config.get("r")
    if not config.get("rank_pattern") and any(rank != wanted for rank in ranks):
        raise InputError(f"{folder / ADAPTER_WEIGHTS} has rank {max(ranks)}, but {ADAPTER} says r = {wanted!r}.")
    base = config.get("base_model_name_or_path")
    name = base if isinstance(base, str) else ""
    per_module = bool(config.get("rank_pattern") or config.get("alpha_pattern"))
    return PeftAdapter(folder, shapes, max(ranks), name, _template(folder), per_module)


def check_base(adapter: PeftAdapter, source: HfSource) -> None:
    """Raises InputError where the base's files show that the adapter is of another one.

    Modules that files name in another way than the loaded model are left to whoever loads it.
    """
    if source.gguf_file:
        return
    base = {name: shape for file in source.weights() for name, shape in tensor_shapes(file).items()}
    for module, shape in adapter.shapes.items():
        matrix = base.get(f"{module}.weight")
        if matrix is not None and len(matrix) == 2 and sorted(matrix) != sorted(shape):
            raise other_base(adapter, module, (matrix[0], matrix[1]))


def other_base(adapter: PeftAdapter, module: str, matrix: tuple[int, int] | None) -> InputError:
    """The message for a module that the base has in another shape, (out, in), or does not have."""
    made_on = f"; it was made on {adapter.base}" if adapter.base else ""
    wanted = " x ".join(map(str, adapter.shapes[module]))
    there = "has no such module" if matrix is None else f"has one of {' x '.join(map(str, matrix))}"
    return InputError(
        f"{adapter.folder} is an adapter of another base: it changes {module}, {wanted}; this base {there}{made_on}."
    )


def _config(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; expected an adapter as PEFT saves it.")
    path = placed(folder, ADAPTER, folder)
    if not is_regular(path):
        raise InputError(f"{folder} has no {ADAPTER}; expected an adapter as PEFT saves it.")
    config = read_object(path)
    method = config.get("peft_type")
    if method != "LORA":
        raise InputError(f"{path}: peft_type is {method!r}; expected LORA, the one method that is supported.")
    if (task := config.get("task_type")) not in (None, "CAUSAL_LM"):
        raise InputError(f"{path}: task_type is {task!r}; expected CAUSAL_LM.")
    if (bias := config.get("bias", "none")) not in (None, "none"):
        raise InputError(f"{path}: bias is {bias!r}; expected none: an adapter that changes biases is not supported.")
    for option in _ELSE:
        if config.get(option):
            raise InputError(
                f"{path}: {option} is set; that is more than LoRA and not supported. Merge the adapter into its model."
            )
    begun = config.get("init_lora_weights")
    if isinstance(begun, str) and begun.lower().startswith(_CHANGE_BASE):
        raise InputError(
            f"{path}: init_lora_weights is {begun!r}, which changes the base's own weights; expected an adapter "
            "that was saved as plain LoRA (PEFT's path_initial_model_for_weight_conversion)."
        )
    return config


def _modules(path: Path) -> tuple[dict[str, tuple[int, int]], list[int]]:
    """Shape of each module, and all ranks."""
    placed(path.parent, path.name, path.parent)
    if not path.exists() and path.with_name("adapter_model.bin").exists():
        raise InputError(
            f"{path.parent} has adapter_model.bin, which can run code when it is read; expected {ADAPTER_WEIGHTS}."
        )
    tensors = tensor_shapes(path)
    shapes, ranks = {}, []
    for name in tensors:
        begin, end, other = next(
            ((name.removesuffix(end), end, other) for pair in _PAIRS for end, other in (pair, pair[::-1])
             if name.endswith(end)), ("", "", ""),
        )  # fmt: skip
        if not begin.startswith(_PREFIX):
            raise InputError(f"{path} has a tensor {name}; expected lora_A and lora_B alone.")
        if begin + other not in tensors:
            raise InputError(f"{path} lacks the tensor {begin + other}. Download or copy the adapter again.")
        if "A" in end:
            a, b = tensors[name], tensors[begin + other]
            if len(a) != 2 or len(b) != 2 or a[0] != b[1] or not a[0]:
                raise InputError(f"{path}: {begin} has matrices of {list(a)} and {list(b)}; expected one rank.")
            shapes[begin.removeprefix(_PREFIX)] = (b[0], a[1])
            ranks.append(a[0])
    if not shapes:
        raise InputError(f"{path} has no tensors; expected lora_A and lora_B of an adapter.")
    return shapes, ranks


def _template(folder: Path) -> str | None:
    """The chat template that was saved beside an adapter."""
    if not has_chat_template(folder):
        return None
    if is_regular(folder / TEMPLATE):
        return read_utf8(folder / TEMPLATE)
    template = read_object(folder / TOKENIZER_CONFIG).get("chat_template")
    if not isinstance(template, str):
        raise InputError(f"{folder / TOKENIZER_CONFIG}: chat_template is {json_type(template)}; expected one text.")
    return template
