"""Whether a model fits: an estimate before loading, and what is free. No heavy library is loaded."""

from __future__ import annotations

import os
import shutil
import subprocess

from alignbench.errors import AlignbenchError
from alignbench.machine import free_memory
from alignbench.models.embedded import DEMOS
from alignbench.models.gguf import header
from alignbench.models.hf_source import HfSource, parse_source
from alignbench.models.hub_gguf import gguf_path
from alignbench.models.reference import parse_reference
from alignbench.spec import Model

OVERHEAD = 1.2  # weights in memory beside the file: caches, buffers, the runtime

# How large the cache of vLLM is on a CPU, GiB: the variable that says it, and what it is set to where nobody has.
VLLM_CPU_SPACE, VLLM_CPU_GIB = "VLLM_CPU_KVCACHE_SPACE", 4
_VLLM_SHARE = 0.92  # of a GPU's memory, which vLLM takes where it is not told otherwise


def needed_bytes(model: Model) -> int:
    """Estimated size of a loaded model; 0 where nothing is known (a server, a hub id that is not cached)."""
    reference = parse_reference(model.reference)
    match reference.scheme:
        case "demo":
            size = DEMOS[reference.target].size
        case "llama":
            size = _gguf_size(reference.target)
        case "hf":
            size = _loaded_size(parse_source(reference.target), 2 if on_gpu(model) else 4)
        case "vllm":
            return needed_by_vllm(model)
        case _:
            size = 0
    return int(size * OVERHEAD)


def needed_by_vllm(model: Model) -> int:
    """What a vLLM server takes: of a GPU the share that it is told to, whatever the model's size; else the weights
    beside a cache of a size that it is told."""
    if on_gpu(model):
        total = [int(line) for line in _nvidia_smi("memory.total") if line.isdigit()]
        return int(max(total, default=0) * 2**20 * _number(argument(model, "--gpu-memory-utilization"), _VLLM_SHARE))
    source = parse_source(parse_reference(model.reference).target)
    space = dict(model.options.env).get(VLLM_CPU_SPACE) or os.environ.get(VLLM_CPU_SPACE, "")
    return int(_loaded_size(source, 2) * OVERHEAD + _number(space, VLLM_CPU_GIB) * 2**30)


def argument(model: Model, name: str) -> str:
    """The value of an argument of vLLM, `--name value` or `--name=value`; empty where it is not given."""
    args = model.options.args
    for arg, following in zip(args, [*args[1:], ""], strict=False):
        if arg == name:
            return following
        if arg.startswith(f"{name}="):
            return arg.removeprefix(f"{name}=")
    return ""


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise


def free_bytes(device: str) -> int:
    """Memory a new model could have: RAM for cpu, VRAM of the GPU with most of it free for cuda."""
    return _free_vram() if device.startswith("cuda") else free_memory()


def on_gpu(model: Model) -> bool:
    """Whether this model would take VRAM, as far as can be seen from outside."""
    return model.options.device != "cpu" and model.options.gpu_layers != 0 and shutil.which("nvidia-smi") is not None


def gpu_names() -> list[str]:
    """The GPUs of this machine, as far as nvidia-smi knows."""
    if shutil.which("nvidia-smi") is None:
        return []
    return _nvidia_smi("name")


def _gguf_size(target: str) -> int:
    try:
        return header(gguf_path(target)).file_size
    except AlignbenchError:
        return 0  # loading will say what is wrong


def _loaded_size(source: HfSource, bytes_per_weight: int) -> int:
    """Bytes of a model's safetensors; the weights of a GGUF file take bytes_per_weight each once they are loaded."""
    try:
        files = source.weights()
        if source.gguf_file:
            return sum(header(path).n_parameters for path in files) * bytes_per_weight
        return sum(path.stat().st_size for path in files)
    except AlignbenchError:
        return 0  # loading will say what is wrong


def _free_vram() -> int:
    free = [int(line) for line in _nvidia_smi("memory.free") if line.isdigit()]
    return max(free) * 2**20 if free else 1 << 62


def _nvidia_smi(what: str) -> list[str]:
    """A line for each GPU; none where nvidia-smi fails."""
    answer = subprocess.run(
        ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return [] if answer.returncode else [line.strip() for line in answer.stdout.splitlines() if line.strip()]
