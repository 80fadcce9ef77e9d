"""What both stages train with: a base with a LoRA adapter, batches of about as many tokens, a warmed-up cosine."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import peft
import torch

from alignbench.engines.hf.loading import load
from alignbench.models.catalog import resolve, weights_path
from alignbench.models.hf_source import parse_source
from alignbench.spec import LoadOptions
from tools.tuning.layout import Dialogue

BASE = "demo-base"
RANK = 8
ALPHA = 16
MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_WINDOW = 8  # batches among which those of one length are looked for

_log = logging.getLogger(__name__)
_Item = TypeVar("_Item")
_Sized = TypeVar("_Sized", bound=Sized)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a stage is trained.

    Attributes:
        epochs: times that each example is seen
        step_tokens: most tokens of a step, what fills up short texts among them
        rate: the highest learning rate, reached after `warm` of the steps and followed by a cosine to 0
        clip: largest norm of a gradient
    """

    epochs: int
    step_tokens: int
    rate: float
    warm: float = 0.1
    clip: float = 1.0


@dataclass(slots=True)
class Log:
    """What happened, as `log.json` keeps it: numbers of losses are nats a token of responses, an end token included."""

    recipe: dict[str, object]
    seed: int
    held_out: list[float] = field(default_factory=list)  # before, and after each epoch
    losses: list[float] = field(default_factory=list)  # of each step
    minutes: float = 0.0
    rest: dict[str, object] = field(default_factory=dict)


def load_base(threads: int = 2) -> tuple[Any, Any]:
    """The embedded base in float32, and its tokenizer."""
    torch.set_num_threads(threads)
    path: Path = weights_path(resolve(BASE))
    loaded = load(
        parse_source(f"{path.parent}:{path.name}"), LoadOptions(dtype="float32", device="cpu"), lambda _: None
    )
    return loaded.model, loaded.tokenizer


def add_adapter(model: Any, seed: int) -> Any:
    """The base with a new LoRA adapter on its linear layers; nothing else is trained."""
    torch.manual_seed(seed)
    config = peft.LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules=list(MODULES), lora_dropout=0.0, task_type="CAUSAL_LM"
    )
    return peft.get_peft_model(model, config)


def response_logprobs(model: Any, batch: Sequence[Dialogue]) -> list[torch.Tensor]:
    """Log-probabilities (nats) of the tokens of each response."""
    width = max(map(len, batch))
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    seen = torch.zeros(len(batch), width, dtype=torch.long)
    predicts = torch.zeros(len(batch), width, dtype=torch.bool)  # positions whose next token is of a response
    for row, one in enumerate(batch):
        ids[row, : len(one)] = torch.tensor(one.prompt + one.response)
        seen[row, : len(one)] = 1
        predicts[row, len(one.prompt) - 1 : len(one) - 1] = True
    causal = model.get_base_model()
    hidden = causal.model(input_ids=ids, attention_mask=seen).last_hidden_state
    # only where a token of a response follows: the vocabulary of 262,144 is most of the work
    logits = causal.lm_head(hidden[predicts])
    wanted = torch.tensor([token for one in batch for token in one.response])
    found = -torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
    return list(found.split([len(one.response) for one in batch]))


def batches(
    items: Sequence[_Item], size: Callable[[_Item], int], most: int, shuffle: Random | None = None
) -> list[list[_Item]]:
    """Items in batches of at most `most` tokens, filling included; those of about one length come together.

    size: tokens of an item. shuffle: which items meet, and in which order the batches come; None: all by length.
    """
    order = list(items)
    if shuffle is not None:
        shuffle.shuffle(order)
    mean = sum(map(size, order)) / max(1, len(order))
    window = len(order) if shuffle is None else max(1, int(_WINDOW * most / mean))
    found: list[list[_Item]] = []
    for begin in range(0, len(order), window):
        batch: list[_Item] = []
        for item in sorted(order[begin : begin + window], key=size):
            if batch and size(item) * (len(batch) + 1) > most:
                found.append(batch)
                batch = []
            batch.append(item)
        found.append(batch)
    if shuffle is not None:
        shuffle.shuffle(found)
    return found


def held_out_loss(model: Any, dialogues: Sequence[Dialogue], step_tokens: int) -> float:
    """Mean nats a token over all tokens of the responses."""
    total, n = 0.0, 0
    with torch.no_grad():
        for batch in batches(dialogues, len, step_tokens):
            for logprobs in response_logprobs(model, batch):
                total -= float(logprobs.double().sum())
                n += len(logprobs)
    return total / n


def fit(
    model: Any,
    items: Sequence[_Sized],
    held_out: Sequence[Dialogue],
    recipe: Recipe,
    loss_of: Callable[[list[_Sized]], torch.Tensor],
    log: Log,
) -> None:
    """Train on all items in each epoch, shuffled by the seed of the log, which gets the losses.

    items: have a length in tokens. held_out: what is measured before, and after each epoch. loss_of: of a batch.
    """

    def measure() -> None:
        log.held_out.append(held_out_loss(model, held_out, recipe.step_tokens))
        _log.info("held out: %.4f nats a token", log.held_out[-1])

    measure()
    shuffle = Random(log.seed)
    epochs = [batches(items, len, recipe.step_tokens, shuffle) for _ in range(recipe.epochs)]
    log.losses.extend(train(model, epochs, recipe, loss_of, measure))


def train(
    model: Any,
    epochs: Sequence[list[list[_Item]]],
    recipe: Recipe,
    loss_of: Callable[[list[_Item]], torch.Tensor],
    after_epoch: Callable[[], None],
) -> Iterator[float]:
    """Yields the loss of each step. epochs: the batches of each; loss_of: of a batch, to be made smaller."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=0.0)
    n = sum(map(len, epochs))
    warm = max(1, round(recipe.warm * n))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: (
            (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, n - warm)))
        ),
    )
    step, begun = 0, time.monotonic()
    for epoch in epochs:
        for batch in epoch:
            loss = loss_of(batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, recipe.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
            step += 1
            _log.info("step %d of %d, loss %.4f, %.0f s", step, n, loss.item(), time.monotonic() - begun)
            yield loss.item()
        after_epoch()
