"""What servers answer when they are asked to echo a text with its log-probs."""

from __future__ import annotations

from typing import Any

import pytest

from alignbench.engines.openai.echo_scoring import Echoed, NoEcho, is_late, read_echo

PIECES = ["A", " cat", " sat", " down"]


def answer(**fields: Any) -> dict[str, Any]:
    """As vLLM gives it: the last token is the one that had to be generated."""
    logprobs = {
        "tokens": PIECES,
        "token_logprobs": [None, -1.0, -2.0, -0.5],
        "top_logprobs": [None, {" cat": -1.0, " dog": -1.5}, {" ran": -1.0, " sat": -2.0}, {" down": -0.5}],
    }
    choice = {"index": 0, "text": "A cat sat down", "logprobs": logprobs, **fields}
    return {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}


def test_the_given_tokens_without_the_one_that_was_generated() -> None:
    echoed = read_echo(answer(), "A cat sat")
    assert echoed.pieces == ("A", " cat", " sat")
    assert echoed.logprobs == (None, -1.0, -2.0)
    assert echoed.tops[0] == {}
    assert echoed.after(2).tops == ({" ran": -1.0, " sat": -2.0},)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": " down"}, "does not echo"),
        ({"logprobs": None}, "gives no log-probs of a text"),
        ({"logprobs": {"content": []}}, "gives no log-probs of a text"),
        # llama-server: of what it generates
        (
            {"logprobs": {"tokens": [" down"], "token_logprobs": [-0.5], "top_logprobs": [{}]}},
            "of what it generates only",
        ),
        (
            {"logprobs": {"tokens": PIECES, "token_logprobs": [None] * 4, "top_logprobs": [None] * 4}},
            "of what it generates only",
        ),
    ],
)
def test_answers_without_what_was_asked_for(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(NoEcho, match=said):
        read_echo(answer(**fields), "A cat sat")
    for other in ([], {}, {"choices": []}, {"choices": [7]}):
        with pytest.raises(NoEcho, match="does not echo"):
            read_echo(other, "A cat sat")


def test_log_probs_that_fit_the_next_token_are_late() -> None:
    tops = [{"b": -0.1, "a": -3.0}, {"c": -0.1, "b": -4.0}, {"d": -0.1}, {"x": -0.1}]
    late = Echoed(("a", "b", "c", "d"), (None, -4.0, -4.0, -4.0), tuple(tops))
    right = Echoed(("a", "b", "c", "d"), (None, -0.1, -0.1, -0.1), ({}, *tops[:3]))
    assert is_late(late, doubt=False)
    assert not is_late(right, doubt=True)
    nothing_fits = Echoed(("x", "y"), (None, -9.0), ({}, {"z": -0.1}))
    assert is_late(nothing_fits, doubt=True)
    assert not is_late(nothing_fits, doubt=False)
