"""Small random LoRA adapters: the same numbers as PEFT saves them and as llama.cpp reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

Matrices = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]  # module -> A (rank, in), B (out, rank)

# Of the embedded Gemma (out, in), and of the tiny models of hf_folders.
GEMMA = {"self_attn.q_proj": (1024, 640), "self_attn.v_proj": (256, 640), "mlp.down_proj": (640, 2048)}
TINY = {"self_attn.q_proj": (32, 32), "mlp.up_proj": (64, 32)}
_GGUF_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.v_proj": "attn_v", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip


def drawn(
    shapes: dict[str, tuple[int, int]], layers: int, *, rank: int = 4, seed: int = 0, size: float = 0.02
) -> Matrices:
    """Matrices for these modules of each layer."""
    rng = np.random.default_rng(seed)
    return {
        f"model.layers.{layer}.{module}": (
            (rng.normal(size=(rank, n_in)) * size).astype(np.float32),
            (rng.normal(size=(n_out, rank)) * size).astype(np.float32),
        )
        for layer in range(layers)
        for module, (n_out, n_in) in shapes.items()
    }


def write_peft(folder: Path, matrices: Matrices, *, alpha: float = 16, **config: Any) -> Path:
    """A folder as PEFT saves it. config: other fields of adapter_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for module, (a, b) in matrices.items():
        tensors[f"base_model.model.{module}.lora_A.weight"] = a
        tensors[f"base_model.model.{module}.lora_B.weight"] = b
    save_file(tensors, folder / "adapter_model.safetensors")
    rank = next(iter(matrices.values()))[0].shape[0]
    fields = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": rank,
        "lora_alpha": alpha,
        "target_modules": sorted({module.rpartition(".")[2] for module in matrices}),
        "bias": "none",
        "base_model_name_or_path": "somebody/some-model",
    }
    (folder / "adapter_config.json").write_text(json.dumps(fields | config))
    return folder


def write_gguf_adapter(
    path: Path,
    matrices: Matrices,
    *,
    alpha: float = 16,
    architecture: str = "gemma3",
    method: str = "lora",
    chat_template: str | None = None,
) -> Path:
    """A file as llama.cpp's convert_lora_to_gguf.py writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", method)
    writer.add_float32("adapter.lora.alpha", alpha)
    if chat_template is not None:
        writer.add_string("tokenizer.chat_template", chat_template)
    for module, (a, b) in matrices.items():
        _, _, layer, name = module.split(".", 3)
        writer.add_tensor(f"blk.{layer}.{_GGUF_NAMES[name]}.weight.lora_a", a)
        writer.add_tensor(f"blk.{layer}.{_GGUF_NAMES[name]}.weight.lora_b", b)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
