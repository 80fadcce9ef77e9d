"""What servers answer when they are asked to echo a text with its log-probs."""

from __future__ import annotations

from typing import Any

import pytest

from alignbench.engines.openai.echo_scoring import Echoed, NoEcho, is_late, read_echo

PIECES = ["A", " cat", " sat", " down"]


def logprobs(**columns: list[Any]) -> dict[str, list[Any]]:
    """As vLLM gives them: the last token is the one that had to be generated."""
    return {
        "tokens": PIECES,
        "token_logprobs": [None, -1.0, -2.0, -0.5],
        "top_logprobs": [None, {" cat": -1.0, " dog": -1.5}, {" ran": -1.0, " sat": -2.0}, {" down": -0.5}],
        **columns,
    }


def answer(**fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "text": "A cat sat down", "logprobs": logprobs(), **fields}
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
        ({"logprobs": 5}, "gives no log-probs of a text"),
        ({"logprobs": logprobs(tokens=PIECES[:2])}, "of different lengths: 2, 4, 4"),
        ({"logprobs": logprobs(token_logprobs=[None, "much", -2.0, -0.5])}, r"token_logprobs\[1\] is \"much\""),
        ({"logprobs": logprobs(token_logprobs=[None, 7.0, -2.0, -0.5])}, r"token_logprobs\[1\] is 7.0"),
        ({"logprobs": logprobs(top_logprobs=[None, 5, {}, {}])}, r"top_logprobs\[1\] that is no object"),
        ({"logprobs": logprobs(top_logprobs=[None, {" cat": []}, {}, {}])}, r"top_logprobs\[1\]\[' cat'\] is \[\]"),
    ],
)
def test_answers_without_what_was_asked_for(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(NoEcho, match=said):
        read_echo(answer(**fields), "A cat sat")
    for other in ([], {}, {"choices": []}, {"choices": [7]}):
        with pytest.raises(NoEcho, match="does not echo"):
            read_echo(other, "A cat sat")


def test_infinite_log_probs_are_read_in_all_their_spellings() -> None:
    spelled = logprobs(token_logprobs=[None, "-inf", -9999.0, -0.5], top_logprobs=[None, {" a": float("-inf")}, {}, {}])
    echoed = read_echo(answer(logprobs=spelled), "A cat sat")
    assert echoed.logprobs == (None, float("-inf"), float("-inf"))
    assert echoed.tops[1] == {" a": float("-inf")}


def test_log_probs_that_fit_the_next_token_are_late() -> None:
    tops = [{"b": -0.1, "a": -3.0}, {"c": -0.1, "b": -4.0}, {"d": -0.1}, {"x": -0.1}]
    late = Echoed(("a", "b", "c", "d"), (None, -4.0, -4.0, -4.0), tuple(tops))
    right = Echoed(("a", "b", "c", "d"), (None, -0.1, -0.1, -0.1), ({}, *tops[:3]))
    assert is_late(late, doubt=False)
    assert not is_late(right, doubt=True)
    nothing_fits = Echoed(("x", "y"), (None, -9.0), ({}, {"z": -0.1}))
    assert is_late(nothing_fits, doubt=True)
    assert not is_late(nothing_fits, doubt=False)
