"""Direct preference optimization (Rafailov et al. 2023) of a stage, between two of its own samples of each question."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import peft
import torch

from alignbench.contexts.example_files import shipped_example_set
from alignbench.engines.embedder import Embedder, default_embedder_path
from tools.tuning.export import write_stage
from tools.tuning.layout import Dialogue, dialogue, dialogues
from tools.tuning.preferences import Drawn, Preference, preferences
from tools.tuning.training import Log, Recipe, batches, fit, load_base, response_logprobs

RECIPE = Recipe(epochs=1, step_tokens=1536, rate=5e-5)
BETA = 0.1


@dataclass(frozen=True, slots=True)
class Pair:
    """A preference as tokens, and what the stage before gave it: log-probabilities (nats) of both texts."""

    chosen: Dialogue
    rejected: Dialogue
    reference: float = 0.0  # of the chosen, less that of the rejected

    def __len__(self) -> int:
        return 2 * max(len(self.chosen), len(self.rejected))


def run(stage: Path, samples: Path, out: Path, seed: int, recipe: Recipe = RECIPE) -> Log:
    """Train on from `stage`, a folder that `sft` wrote. samples: what `alignbench sample --json` printed of it."""
    begun = time.monotonic()
    ours = {item.prompt: item.response for item in shipped_example_set("tuning").items}
    drawn = _read(samples)
    preferred = preferences(drawn, _closeness(drawn, ours))
    base, tokenizer = load_base()
    torch.manual_seed(seed)
    model = peft.PeftModel.from_pretrained(base, str(stage), is_trainable=True, torch_device="cpu").float()
    held_out = dialogues(tokenizer, "tuning-held-out")
    pairs = _with_reference(model, [_pair(tokenizer, each) for each in preferred], recipe.step_tokens)
    log = Log(asdict(recipe) | {"beta": BETA}, seed, rest={"pairs": len(pairs), "questions": len(drawn)})
    right: list[float] = []

    def loss_of(batch: list[Pair]) -> torch.Tensor:
        margins = _margins(model, batch) - torch.tensor([pair.reference for pair in batch])
        right.extend((margins > 0).float().tolist())
        return -torch.nn.functional.logsigmoid(BETA * margins).mean()

    fit(model, pairs, held_out, recipe, loss_of, log)
    log.rest["preferred_in_the_last_quarter"] = fmean(right[-len(right) // 4 :])
    log.minutes = (time.monotonic() - begun) / 60
    write_stage(model, out, log)
    return log


def _read(samples: Path) -> dict[str, list[Drawn]]:
    """Finished samples by question."""
    found: dict[str, list[Drawn]] = {}
    for line in samples.read_text("utf-8").splitlines():
        record = json.loads(line)
        if record.get("status") == "done":
            drawn = Drawn(record["text"], record["finish_reason"] == "stop")
            found.setdefault(record["prompt"], []).append(drawn)
    return found


def _closeness(drawn: dict[str, list[Drawn]], ours: dict[str, str]) -> dict[str, list[float]]:
    """Cosine between each sample and our own answer."""
    embedder = Embedder(str(default_embedder_path()))
    found = {}
    for question, samples in drawn.items():
        vectors, _ = embedder.embed([ours[question], *(sample.text for sample in samples)])
        found[question] = [float(vectors[0] @ vector) for vector in vectors[1:]]
    return found


def _pair(tokenizer: Any, preference: Preference) -> Pair:
    return Pair(
        *(
            dialogue(tokenizer, preference.question, sample.text, ended=sample.ended)
            for sample in (preference.chosen, preference.rejected)
        )
    )


def _margins(model: Any, batch: list[Pair]) -> torch.Tensor:
    """Log-probability of each chosen text, less that of the rejected one."""
    rows = [side for pair in batch for side in (pair.chosen, pair.rejected)]
    sums = torch.stack([each.sum() for each in response_logprobs(model, rows)])
    return sums[0::2] - sums[1::2]


def _with_reference(model: Any, pairs: list[Pair], step_tokens: int) -> list[Pair]:
    found = []
    with torch.no_grad():
        for batch in batches(pairs, len, step_tokens):
            margins = _margins(model, batch).tolist()
            found += [Pair(pair.chosen, pair.rejected, each) for pair, each in zip(batch, margins, strict=True)]
    return found
