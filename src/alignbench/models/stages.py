"""The aligned stages of the embedded base model: adapters that come with the package, a folder each.

A folder has the adapter as PEFT saves it, with its chat template, and the same as NAME.gguf.
"""

from __future__ import annotations

from pathlib import Path

from alignbench import paths
from alignbench.errors import InputError

BASE = "demo-base"
STAGES = ("demo-sft", "demo-dpo")  # in the order in which they were trained, each from the one before
ALIGNED = "demo-aligned"  # stands for the last one


def stage_of(name: str) -> str | None:
    """The stage that a name stands for; None for a name that stands for something else."""
    if name == ALIGNED:
        return next((stage for stage in reversed(STAGES) if stage_folder(stage).is_dir()), STAGES[0])
    return name if name in STAGES else None


def known_stages() -> list[str]:
    """The first stage, and those after it that are here."""
    return [stage for stage in STAGES if stage == STAGES[0] or stage_folder(stage).is_dir()]


def stage_folder(stage: str) -> Path:
    """Its adapter as PEFT saves it; it need not be there."""
    return paths.adapters_dir() / stage


def stage_file(stage: str) -> Path:
    """Its adapter for llama.cpp. Raises InputError where it is not there."""
    path = stage_folder(stage) / f"{stage}.gguf"
    if not path.is_file():
        raise InputError(
            f"The adapter of {stage} is not in this installation: there is no file {path}. "
            "Install the package again, or use another aligned model: demo-smollm2."
        )
    return path
