"""Supervised fine-tuning: the next token of our own answers, and the end token after them."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import torch

from tools.tuning.export import write_stage
from tools.tuning.layout import Dialogue, dialogues
from tools.tuning.training import Log, Recipe, add_adapter, fit, load_base, response_logprobs

RECIPE = Recipe(epochs=2, step_tokens=768, rate=1.5e-4)


def run(out: Path, seed: int, recipe: Recipe = RECIPE) -> Log:
    """Train the stage and write it into a folder `out` of its own."""
    begun = time.monotonic()
    model, tokenizer = load_base()
    training, held_out = (dialogues(tokenizer, name) for name in ("tuning", "tuning-held-out"))
    model = add_adapter(model, seed)
    log = Log(asdict(recipe), seed, rest={"examples": len(training), "held_out_examples": len(held_out)})

    def loss_of(batch: list[Dialogue]) -> torch.Tensor:
        return -torch.cat(response_logprobs(model, batch)).mean()

    fit(model, training, held_out, recipe, loss_of, log)
    log.minutes = (time.monotonic() - begun) / 60
    write_stage(model, out, log)
    return log
