"""What the stages are trained with: batches, log-probabilities of responses, losses that fall."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch

from tests.support.hf_folders import byte_tokenizer, tiny_model
from tools.tuning.layout import Dialogue, dialogue
from tools.tuning.training import Log, Recipe, add_adapter, batches, fit, held_out_loss, response_logprobs, train

SIZES = [3, 50, 7, 7, 12, 90, 1, 20, 33, 8, 8, 41]


@pytest.fixture(scope="module")
def model() -> Any:
    return add_adapter(tiny_model("gemma3"), seed=0)


@pytest.fixture(scope="module")
def dialogues() -> list[Dialogue]:
    tokenizer = byte_tokenizer()
    return [dialogue(tokenizer, "Why?", answer) for answer in ("So.", "Nobody knows that.", "- a\n- b")]


@pytest.mark.parametrize("shuffle", [None, Random(3)])
def test_every_item_is_in_one_batch_that_is_not_too_large(shuffle: Random | None) -> None:
    found = batches(range(len(SIZES)), SIZES.__getitem__, 60, shuffle)
    assert sorted(item for batch in found for item in batch) == [*range(len(SIZES))]
    assert all(len(batch) == 1 or max(SIZES[i] for i in batch) * len(batch) <= 60 for batch in found)


def test_a_seed_gives_the_same_batches() -> None:
    one, other = (batches(range(200), lambda i: 5 + i % 31, 120, Random(7)) for _ in range(2))
    assert one == other
    assert one != batches(range(200), lambda i: 5 + i % 31, 120, Random(8))


def test_a_dialogue_is_the_template_and_ends_in_the_end_token() -> None:
    tokenizer = byte_tokenizer()
    one = dialogue(tokenizer, " Why? ", "So.\n")
    assert tokenizer.decode(one.prompt) == "<s>Question: Why?\n\nAnswer:\n"
    assert tokenizer.decode(one.response) == "So.</s>"
    assert dialogue(tokenizer, "Why?", "So", ended=False).response == one.response[:2]


def test_logprobs_are_those_of_each_response_alone(model: Any, dialogues: list[Dialogue]) -> None:
    """In a batch with filling, the same as over all positions of one sequence."""
    with torch.no_grad():
        for one, found in zip(dialogues, response_logprobs(model, dialogues), strict=True):
            ids = torch.tensor([one.prompt + one.response])
            whole = torch.log_softmax(model(input_ids=ids).logits[0], -1)
            wanted = [whole[len(one.prompt) - 1 + i, token] for i, token in enumerate(one.response)]
            assert torch.allclose(found, torch.stack(wanted), atol=1e-4)


def test_held_out_loss_is_over_all_tokens(model: Any, dialogues: list[Dialogue]) -> None:
    with torch.no_grad():
        each = torch.cat(response_logprobs(model, dialogues))
    for step_tokens in (1, 10_000):
        assert held_out_loss(model, dialogues, step_tokens) == pytest.approx(-float(each.mean()), abs=1e-4)


def test_training_lowers_the_loss_and_moves_nothing_but_the_adapter(dialogues: list[Dialogue]) -> None:
    model = add_adapter(tiny_model("gemma3"), seed=0)
    fixed = {name: weight.clone() for name, weight in model.named_parameters() if not weight.requires_grad}
    before = held_out_loss(model, dialogues, 1000)
    after: list[float] = []

    def loss_of(batch: list[Dialogue]) -> torch.Tensor:
        return -torch.cat(response_logprobs(model, batch)).mean()

    recipe = Recipe(epochs=6, step_tokens=1000, rate=1e-2)
    losses = [
        *train(model, [[dialogues]] * 6, recipe, loss_of, lambda: after.append(held_out_loss(model, dialogues, 1000)))
    ]
    assert len(losses) == len(after) == 6
    assert after[-1] < before
    assert all(torch.equal(weight, fixed[name]) for name, weight in model.named_parameters() if name in fixed)


def trained(dialogues: list[Dialogue]) -> Log:
    model, log = add_adapter(tiny_model("gemma3"), seed=1), Log({}, seed=1)

    def loss_of(batch: list[Dialogue]) -> torch.Tensor:
        return -torch.cat(response_logprobs(model, batch)).mean()

    fit(model, dialogues, dialogues, Recipe(epochs=2, step_tokens=60, rate=1e-2), loss_of, log)
    return log


def test_a_seed_gives_the_same_losses_and_each_epoch_is_measured(dialogues: list[Dialogue]) -> None:
    log = trained(dialogues)
    assert trained(dialogues) == log
    assert len(log.held_out) == 3
    assert len(log.losses) == 2 * len(batches(dialogues, len, 60))
