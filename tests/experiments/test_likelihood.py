"""Teacher forcing through the command line and in totals."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from alignbench.engines.protocol import Scored
from alignbench.experiments.likelihood import likelihood
from tests.cli.running import alignbench


def scored(logprobs: list[float], ranks: list[int]) -> Scored:
    n = len(ranks)
    return Scored(
        key=1, ids=np.arange(n, dtype=np.int32), pieces=("x",) * n, logprob=np.array(logprobs, np.float32),
        rank=np.array(ranks, np.int32), top_ids=np.zeros((n, 1), np.int32), top_logprob=np.zeros((n, 1), np.float32),
        top_pieces=(("x",),) * n, n_context_tokens=3,
    )  # fmt: skip


def test_totals_on_known_answers() -> None:
    totals = likelihood(scored([-math.log(2)] * 5, [1, 2, 3, 4, 100]), "déjà!")
    assert (totals.unshifted, totals.marginal, totals.shifted) == (1, 2, 2)
    assert totals.n_bytes == 7
    assert totals.bits_per_byte == pytest.approx(5 / 7)


def test_an_empty_response_has_no_bits_per_byte() -> None:
    assert likelihood(scored([], []), "").bits_per_byte is None


@pytest.mark.models
def test_one_object_a_token_then_totals(tmp_path: Path) -> None:
    response = "People keep diaries to remember their days."
    arguments = ["likelihood", "--model", "demo-aligned", "--prompt", "Why do people keep diaries?", "--json"]
    typed = alignbench(*arguments, "--response", response)
    assert typed.returncode == 0, typed.stderr
    *tokens, last = [json.loads(line) for line in typed.stdout.splitlines()]
    assert "".join(token["token"] for token in tokens) == response
    assert all(set(token) == {"token", "id", "logprob", "rank", "top"} for token in tokens)
    assert last["totals"]["logprob"] == pytest.approx(sum(token["logprob"] for token in tokens), abs=1e-3)
    file = tmp_path / "response.txt"
    file.write_text(response)
    assert alignbench(*arguments, "--response", str(file)).stdout == typed.stdout
    scrambled = alignbench(*arguments, "--response", "days their remember to diaries keep People.")
    assert json.loads(scrambled.stdout.splitlines()[-1])["totals"]["logprob"] < last["totals"]["logprob"]


def test_what_cannot_be_scored_is_one_message() -> None:
    ran = alignbench("likelihood", "--model", "demo-aligned", "--prompt", "Why?", "--response", "")
    assert ran.returncode == 2
    assert "--response is empty" in ran.stderr
