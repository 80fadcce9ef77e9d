"""The stages that ship: both files of each are one adapter, small enough, laid out as it was trained."""

from __future__ import annotations

import json
import math

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from alignbench.models.adapter import Adapter
from alignbench.models.adapter_check import gguf_facts
from alignbench.models.catalog import resolve, weights_path
from alignbench.models.peft_adapter import read_adapter
from alignbench.models.stages import known_stages, stage_file, stage_folder
from tools.tuning.export import gguf_name
from tools.tuning.layout import TEMPLATE
from tools.tuning.sft import RECIPE
from tools.tuning.training import MODULES, RANK

MOST_BYTES = 4_000_000
STAGES = known_stages()


@pytest.mark.parametrize("stage", STAGES)
def test_a_file_has_at_most_4_mb(stage: str) -> None:
    assert all(file.stat().st_size <= MOST_BYTES for file in stage_folder(stage).iterdir())


@pytest.mark.parametrize("stage", STAGES)
def test_both_files_hold_the_same_numbers(stage: str) -> None:
    tensors = load_file(stage_folder(stage) / "adapter_model.safetensors")
    there = {tensor.name: np.asarray(tensor.data) for tensor in gguf.GGUFReader(stage_file(stage)).tensors}
    assert there.keys() == {gguf_name(name) for name in tensors}
    for name, values in tensors.items():
        assert (there[gguf_name(name)] == values).all(), name
    assert any(np.abs(values).max() > 0 for name, values in tensors.items() if "lora_B" in name)


@pytest.mark.parametrize("stage", STAGES)
def test_both_are_adapters_of_the_embedded_base_in_the_layout_they_were_trained_in(stage: str) -> None:
    read = read_adapter(stage_folder(stage))
    facts = gguf_facts(Adapter(str(stage_file(stage))), weights_path(resolve("demo-base")))
    assert read.chat_template == facts.chat_template == TEMPLATE
    assert read.rank == facts.rank == RANK
    assert {name.rpartition(".")[2] for name in read.shapes} == {*MODULES}


@pytest.mark.parametrize("stage", STAGES)
def test_the_log_has_every_step_and_held_out_losses(stage: str) -> None:
    log = json.loads((stage_folder(stage) / "log.json").read_text())
    assert len(log["held_out"]) == log["recipe"]["epochs"] + 1
    assert all(map(math.isfinite, log["losses"]))
    assert log["minutes"] < 120


def test_the_recipe_in_the_log_is_the_one_in_the_code() -> None:
    log = json.loads((stage_folder("demo-sft") / "log.json").read_text())
    assert (log["recipe"]["rate"], log["recipe"]["epochs"]) == (RECIPE.rate, RECIPE.epochs)
    assert log["held_out"][-1] < log["held_out"][0]
