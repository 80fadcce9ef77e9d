"""Both files of a stage hold the same numbers, and are read as adapters."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from alignbench.models.gguf_adapter import checked_adapter, rank_of
from alignbench.models.peft_adapter import read_adapter
from tests.support.hf_folders import tiny_model
from tools.tuning.export import write_gguf, write_stage
from tools.tuning.layout import TEMPLATE
from tools.tuning.training import RANK, Log, add_adapter


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stages") / "demo-tiny"
    write_stage(add_adapter(tiny_model("gemma3"), seed=0), folder, Log({}, 0, held_out=[2.0, 1.0], losses=[1.5]))
    return folder


def test_the_folder_is_an_adapter_of_peft(stage: Path) -> None:
    read = read_adapter(stage)
    assert (read.rank, read.base, read.chat_template) == (RANK, "demo-base", TEMPLATE)
    assert len(read.shapes) == 3 * 7
    assert json.loads((stage / "log.json").read_text())["held_out"] == [2.0, 1.0]


def test_the_gguf_file_is_an_adapter_of_llama_cpp(stage: Path) -> None:
    adapter = checked_adapter(stage / "demo-tiny.gguf", None)
    assert rank_of(adapter) == RANK
    assert adapter.chat_template == TEMPLATE


def test_both_hold_the_same_numbers(stage: Path) -> None:
    tensors = load_file(stage / "adapter_model.safetensors")
    there = {tensor.name: np.asarray(tensor.data) for tensor in gguf.GGUFReader(stage / "demo-tiny.gguf").tensors}
    name = "base_model.model.model.layers.2.mlp.down_proj.lora_A.weight"
    assert tensors[name].dtype == np.float16
    assert (there["blk.2.ffn_down.weight.lora_a"] == tensors[name]).all()
    assert len(there) == len(tensors) == 2 * 3 * 7


def test_a_matrix_that_no_name_is_known_for_is_refused(tmp_path: Path) -> None:
    tensors = {"base_model.model.model.embed_tokens.lora_A.weight": np.zeros((2, 2), np.float16)}
    with pytest.raises(ValueError, match=r"model\.embed_tokens"):
        write_gguf(tensors, tmp_path / "x.gguf")
