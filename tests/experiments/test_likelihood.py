"""Teacher forcing through the command line and in totals."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from alignbench.metrics.likelihood import likelihood, token_shift
from tests.support.commands import alignbench


def test_totals_on_known_answers() -> None:
    totals = likelihood([-math.log(2)] * 5, "déjà!")
    assert totals is not None
    assert Counter(map(token_shift, [1, 2, 3, 4, 100])) == {"unshifted": 1, "marginal": 2, "shifted": 2}
    assert totals.n_bytes == 7
    assert totals.bits_per_byte == pytest.approx(5 / 7)


def test_an_empty_response_has_no_totals() -> None:
    assert likelihood([], "") is None


@pytest.mark.models
def test_one_object_a_token_then_totals(tmp_path: Path) -> None:
    response = "People keep diaries to remember their days."
    arguments = ["likelihood", "--model", "demo-smollm2", "--prompt", "Why do people keep diaries?", "--json"]
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
    ran = alignbench("likelihood", "--model", "demo-smollm2", "--prompt", "Why?", "--response", "")
    assert ran.returncode == 2
    assert "--response is empty" in ran.stderr


@pytest.mark.models
def test_a_context_changes_what_is_likely(tmp_path: Path) -> None:
    context = tmp_path / "mine.toml"
    context.write_text(
        'template = "plain"\n[examples]\nselect = "random"\nk = 1\n'
        '[[examples.items]]\nprompt = "How are you?"\nresponse = "Quite well, and my diary knows."\n'
    )
    arguments = ["likelihood", "--model", "demo-base", "--prompt", "And today?", "--json"]
    arguments += ["--response", "Quite well, and my diary knows."]

    def totals(*more: str) -> dict[str, float]:
        ran = alignbench(*arguments, *more)
        assert ran.returncode == 0, ran.stderr
        parsed: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])["totals"]
        return parsed

    alone, in_context = totals(), totals("--context", str(context))
    assert in_context["n_tokens"] == alone["n_tokens"]
    assert in_context["logprob"] > alone["logprob"] / 3
    gone = alignbench(*arguments, "--context", str(tmp_path / "gone.toml"))
    assert gone.returncode == 2
    assert "no context or file" in gone.stderr
    teacher = alignbench(*arguments, "--context", "nearest-prompt-3")
    assert teacher.returncode == 2, teacher.stderr
    assert "is made of samples of 'demo-aligned', which only a session has" in teacher.stderr
