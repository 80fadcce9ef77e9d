"""Supervised fine-tuning: the next token of our own answers, and the end token after them."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from pathlib import Path
from random import Random

import torch

from tools.tuning.export import write_stage
from tools.tuning.layout import Dialogue, dialogues
from tools.tuning.training import Log, Recipe, add_adapter, batches, held_out_loss, load_base, response_logprobs, train

RECIPE = Recipe(epochs=2, step_tokens=768, rate=1.5e-4)

_log = logging.getLogger(__name__)


def run(out: Path, seed: int, recipe: Recipe = RECIPE) -> Log:
    """Train the stage and write it into a folder `out` of its own."""
    begun = time.monotonic()
    model, tokenizer = load_base()
    training, held_out = (dialogues(tokenizer, name) for name in ("tuning", "tuning-held-out"))
    model = add_adapter(model, seed)
    log = Log(asdict(recipe), seed, rest={"examples": len(training), "held_out_examples": len(held_out)})

    def measure() -> None:
        log.held_out.append(held_out_loss(model, held_out, recipe.step_tokens))
        _log.info("held out: %.4f nats a token", log.held_out[-1])

    def loss_of(batch: list[Dialogue]) -> torch.Tensor:
        return -torch.cat(response_logprobs(model, batch)).mean()

    measure()
    shuffle = Random(seed)
    epochs = [batches(training, len, recipe.step_tokens, shuffle) for _ in range(recipe.epochs)]
    log.losses.extend(train(model, epochs, recipe, loss_of, measure))
    log.minutes = (time.monotonic() - begun) / 60
    write_stage(model, out, log)
    return log
