"""Writes a stage: the adapter as PEFT and as llama.cpp read it, both of the same float16 numbers, layout and log."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import peft
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tools.tuning.layout import TEMPLATE
from tools.tuning.training import ALPHA, BASE, Log

ARCHITECTURE = "gemma3"
_GGUF_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_NAME = re.compile(r"base_model\.model\.model\.layers\.(\d+)\.(.+)\.lora_([AB])\.weight")


def write_stage(model: Any, out: Path, log: Log) -> None:
    """Fill the folder `out`, which takes its name from the stage; what stands there is replaced."""
    shutil.rmtree(out, ignore_errors=True)
    model.save_pretrained(str(out))  # the configuration; the weights are written again, in half the bytes
    (out / "README.md").unlink(missing_ok=True)
    tensors = {
        name: weight.detach().to(torch.float16).numpy()
        for name, weight in peft.get_peft_model_state_dict(model).items()
    }
    save_file(tensors, weights := out / "adapter_model.safetensors", metadata={"format": "pt"})
    weights.chmod(0o644)
    config = json.loads((out / "adapter_config.json").read_text("utf-8"))
    config["base_model_name_or_path"] = BASE
    config["target_modules"] = sorted(config["target_modules"])
    (out / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", "utf-8")
    (out / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    (out / "log.json").write_text(json.dumps(asdict(log), indent=1) + "\n", "utf-8")
    write_gguf(tensors, out / f"{out.name}.gguf")


def gguf_name(name: str) -> str:
    """What llama.cpp calls a matrix of PEFT's. ValueError for one that is on no linear layer."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name} is no matrix of a LoRA adapter on a linear layer.")
    layer, module, side = found.groups()
    return f"blk.{layer}.{_GGUF_NAMES[module]}.weight.lora_{side.lower()}"


def write_gguf(tensors: dict[str, NDArray[np.float16]], path: Path) -> None:
    """The matrices of a PEFT adapter of Gemma as llama.cpp's convert_lora_to_gguf.py would write them."""
    writer = gguf.GGUFWriter(path, ARCHITECTURE)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(ALPHA))
    writer.add_string("general.name", path.stem)
    writer.add_string("tokenizer.chat_template", TEMPLATE)
    for name, values in sorted(tensors.items()):
        writer.add_tensor(gguf_name(name), np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
