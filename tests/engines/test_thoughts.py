"""Thoughts and answer apart, in texts and in their tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alignbench.engines.protocol import FinishReason, SampleResult, TokenStats
from alignbench.engines.text_stream import TextStream
from alignbench.engines.thoughts import ThoughtMarks, answer_alone, parted

THINK, OPENS = ThoughtMarks(), ThoughtMarks(opened=False)


def drawn(text: str, finish: FinishReason = "stop", *, n: int = 6, n_thinking: int | None = None) -> SampleResult:
    floats = np.arange(5 * n, dtype=np.float32).reshape(5, n) / -7
    tokens = TokenStats(np.arange(n, dtype=np.int32), *floats[1:])
    total = float(tokens.logprob.sum(dtype=np.float64))
    return SampleResult(0, text, text, finish, 3, n, 0.1, total, tokens, n_thinking_tokens=n_thinking)


@pytest.mark.parametrize(
    ("text", "marks", "complete", "thinking", "answer"),
    [
        ("<think>\nhm\n</think>\n\nYes.", THINK, True, "hm", "Yes."),
        ("hm\n</think>\n\nYes.", THINK, True, "hm", "Yes."),
        ("<think>\n\n</think>\n\nYes.", THINK, True, None, "Yes."),
        ("hm </think> Yes </think> no", THINK, True, "hm", "Yes </think> no"),
        (" Yes. ", THINK, True, None, " Yes. "),
        ("hm", THINK, False, "hm", ""),
        ("<think>hm", THINK, True, "hm", ""),
        ("</think>", THINK, True, None, ""),
        ("<think>hm</think>Yes.", OPENS, True, "hm", "Yes."),
        ("\n<think>hm</think>Yes.", OPENS, False, "hm", "Yes."),
        ("<think>hm", OPENS, False, "hm", ""),
        ("Write </think> after it.", OPENS, True, None, "Write </think> after it."),
        ("Half of an", OPENS, False, None, "Half of an"),
        ("[THINK]hm[/THINK]Yes.", ThoughtMarks("[/THINK]"), True, "hm", "Yes."),
        ("hm ### Yes.", ThoughtMarks("###"), True, "hm", "Yes."),
        ("hm ### Yes.", ThoughtMarks("###", opened=False), True, None, "hm ### Yes."),
    ],
)
def test_texts(text: str, marks: ThoughtMarks, complete: bool, thinking: str | None, answer: str) -> None:
    assert parted(text, marks, complete=complete) == (thinking, answer)


def test_tokens_and_log_probs_are_those_of_the_answer() -> None:
    whole = drawn("hm</think>Yes.", n_thinking=4)
    result = answer_alone(whole, THINK)
    assert (result.text, result.thinking, result.raw_text) == ("Yes.", "hm", "hm</think>Yes.")
    assert (result.n_tokens, result.n_thinking_tokens) == (2, 4)
    assert list(result.tokens.ids) == [4, 5]
    assert list(result.tokens.sampling_entropy) == list(whole.tokens.sampling_entropy[4:])
    assert result.logprob == pytest.approx(float(whole.tokens.logprob[4:].sum()))


@pytest.mark.parametrize("n", [0, 3])
def test_more_thoughts_than_tokens_are_a_count_that_is_not_known(n: int) -> None:
    result = answer_alone(drawn("hm</think>Yes.", n=n, n_thinking=4), THINK)
    assert (result.text, result.n_tokens, result.n_thinking_tokens) == ("Yes.", None, None)
    assert len(result.tokens.ids) == 0


def test_what_was_cut_in_its_thoughts_has_no_tokens() -> None:
    result = answer_alone(drawn("hm, and", "length"), THINK)
    assert (result.text, result.n_tokens, result.n_thinking_tokens) == ("", 0, 6)
    assert math.isnan(result.logprob)
    assert len(result.tokens.ids) == 0


def test_counts_that_are_not_known_stay_so() -> None:
    result = answer_alone(drawn("hm</think>Yes."), THINK)
    assert (result.text, result.n_tokens, result.n_thinking_tokens) == ("Yes.", None, None)
    assert math.isnan(result.logprob)


@pytest.mark.parametrize("marks", [None, THINK, OPENS])
def test_an_answer_without_thoughts_stays_as_it_is(marks: ThoughtMarks | None) -> None:
    whole = drawn("Yes.")
    assert answer_alone(whole, marks) == whole


def test_the_end_of_thoughts_is_seen_across_tokens() -> None:
    for size in range(1, 9):
        stream = TextStream(["###"], mark="</think>")
        text = "hm </ </think> Yes. ###"
        seen = [(stream.feed(text[at : at + size].encode()), stream.marked)[1] for at in range(0, len(text), size)]
        ends = text.index("</think>") + len("</think>")
        assert seen == [at + size >= ends for at in range(0, len(text), size)]
