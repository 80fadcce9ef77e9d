"""A response while its tokens are drawn."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.local.decoder import Decoder
from alignbench.engines.local.rows import DecodingCell, TokenizedRequest
from alignbench.engines.local.sampler import DrawnTokens
from alignbench.engines.protocol import SampleRequest, SampleResult
from alignbench.engines.thoughts import ThoughtMarks, answer_alone
from alignbench.spec import Sampling


class _Pieces:
    """Stands for a decoder whose token i is the i-th of these pieces, and its last one the end."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces

    def piece(self, token: int) -> bytes:
        return self.pieces[token].encode()

    def is_end(self, token: int) -> bool:
        return token == len(self.pieces)


def drawn(pieces: list[str], *, max_tokens: int = 64, thinking_end: str = "</think>") -> SampleResult:
    request = SampleRequest(1, "", "", Sampling(max_tokens=max_tokens), ("###",), (0,), 0, 1, thinking_end=thinking_end)
    cell = DecodingCell(TokenizedRequest(request, (1, 2), 0), Cancellation())
    decoder = cast(Decoder, _Pieces(pieces))
    row = cell.open_row(0, 0, decoder)
    reason = None
    for token in range(len(pieces) + 1):
        values = np.full(1, -float(token + 1), np.float32)
        reason = cell.take(row, DrawnTokens(np.array([token]), values, -values, values, -values), 0, decoder)
        if reason is not None:
            break
    assert reason is not None
    row.stream.finish()
    return row.result(reason, 2)


def test_the_tokens_of_thoughts_are_counted_up_to_their_end() -> None:
    result = drawn(["hm", " so", "</thi", "nk>", "\n", "Yes", "."])
    assert (result.n_tokens, result.n_thinking_tokens) == (8, 4)
    alone = answer_alone(result, ThoughtMarks())
    assert (alone.text, alone.thinking, alone.n_tokens, alone.logprob) == ("Yes.", "hm so", 4, -5 - 6 - 7 - 8)
    assert list(alone.tokens.ids) == [4, 5, 6, 7]
    assert list(alone.tokens.entropy) == [5, 6, 7, 8]


@pytest.mark.parametrize("mark", ["</think>", ""])
def test_without_thoughts_every_token_is_the_answers(mark: str) -> None:
    result = drawn(["Yes", ".", "###", " more"], thinking_end=mark)
    assert (result.text, result.finish_reason, result.n_tokens, result.n_thinking_tokens) == ("Yes.", "stop", 3, None)
    assert answer_alone(result, ThoughtMarks()) == result


def test_thoughts_that_a_limit_cuts() -> None:
    result = answer_alone(drawn(["hm", " so", " and"], max_tokens=3), ThoughtMarks())
    assert (result.text, result.thinking, result.finish_reason) == ("", "hm so and", "length")
    assert (result.n_tokens, result.n_thinking_tokens) == (0, 3)
