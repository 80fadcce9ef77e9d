"""Choices of any form: each is read, or named in a message."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.engines.openai.choices import FieldError, Token, choices_of, read_choice, read_usage, tokens_of_end
from alignbench.engines.openai.streamed_sample import StreamedSample
from alignbench.engines.protocol import SampleRequest
from alignbench.spec import Sampling

_NUMBERS = st.integers(-(10**40), 10**40) | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.sampled_from(["", "text", "refusal", "0", "\ud83d", "</think>"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "thinking", "content", "logprob", "value"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)

ANSWER: dict[str, Any] = {
    "choices": [
        {
            "index": 0,
            "delta": {
                "content": [{"type": "text", "text": {"value": "Yes"}}, {"type": "thinking", "thinking": ["hm"]}],
                "refusal": None,
                "reasoning_content": "hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm"}],
                "tool_calls": [],
            },
            "message": None,
            "text": "",
            "logprobs": {"content": [{"token": "Yes", "id": 3, "logprob": -0.5}]},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@given(st.sampled_from(places(ANSWER)[1:]), JSON)
def test_any_field_may_be_anything(path: tuple[Any, ...], value: Any) -> None:
    answer = copy.deepcopy(ANSWER)
    *to, last = path
    inside = answer
    for key in to:
        inside = inside[key]
    inside[last] = value
    sample = StreamedSample(0, SampleRequest(1, "", "", Sampling(), (), (0,), 0, 1, thinking_end="</think>"))
    sample.take_usage(read_usage(answer), alone=True)
    message = None
    try:
        for _, choice, where in choices_of(answer, 1):
            sample.take(read_choice(choice, where))
    except FieldError as error:
        message = str(error)
    assert message is None or (path[0] in message and len(message) < 300)
    sample.end("stop")
    result = sample.result()
    result.text.encode("utf-8")
    assert len(result.tokens.ids) == len(result.tokens.logprob)


def test_what_is_nested_too_deeply_is_named() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(FieldError, match=r"choices\[0\] is nested too deeply"):
        read_choice({"delta": {"reasoning": deep}}, "choices[0]")


@pytest.mark.parametrize(
    ("texts", "end", "n"),
    [
        (["hm", "</think>", "Yes", "."], "Yes.", 2),
        (["hm", "</think>", "Yes", ".", "<|end|>"], "Yes.", 3),
        (["Yes", " hm", "Yes"], "Yes", 1),
        (["hm", "> Yes"], "Yes", 0),
        (["", ""], "Yes", None),
    ],
)
def test_the_tokens_of_the_end_of_a_text(texts: list[str], end: str, n: int | None) -> None:
    assert tokens_of_end([Token(-1, 0.0, text) for text in texts], end) == n
