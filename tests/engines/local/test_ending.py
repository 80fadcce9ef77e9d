"""How likely a response is to end after a text: end tokens, and closing texts in whatever tokens they come."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.local.ending import Branch, TokenBytes, distinct_closings, ending_logprob
from alignbench.engines.local.engine import LocalEngine
from alignbench.engines.protocol import LikelihoodRequest
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Model
from tests.support.hf_folders import write_folder

PIECES = (b"", b"a", b".", b"\n", b"`", b"``", b"```", b".\n", b"\n```", b"```\n", b"\n\n", b"b")
END = 0


def logits(ids: Sequence[int]) -> NDArray[np.float32]:
    """A model that looks at the last two tokens."""
    return np.random.default_rng([7, *ids[-2:]]).normal(0, 2, len(PIECES)).astype(np.float32)


def probabilities(ids: Sequence[int]) -> NDArray[np.float64]:
    z = np.exp(logits(ids).astype(np.float64))
    return z / z.sum()  # type: ignore[no-any-return]


def follows(ids: tuple[int, ...], rest: bytes) -> float:
    """The probability that a text follows, in any tokens."""
    if not rest:
        return 1.0
    here, total = probabilities(ids), 0.0
    for token, piece in enumerate(PIECES):
        if piece and (piece.startswith(rest) or rest.startswith(piece)):
            total += here[token] * (1.0 if piece.startswith(rest) else follows((*ids, token), rest[len(piece) :]))
    return total


@pytest.fixture
def vocabulary() -> TokenBytes:
    return TokenBytes(len(PIECES), PIECES.__getitem__, lambda token: token == END)


@pytest.mark.parametrize("closings", [(), (b"```",), (b"```", b"\n```"), (b"b", b"\n```")])
def test_end_tokens_and_closings_in_any_tokens_add_up(vocabulary: TokenBytes, closings: tuple[bytes, ...]) -> None:
    for ids in itertools.product((1, 2, 11), repeat=2):
        expected = probabilities(ids)[END] + sum(follows(ids, closing) for closing in closings)
        found = ending_logprob(ids, [Branch(0.0, ids, closing) for closing in closings], vocabulary, logits)
        assert found == pytest.approx(math.log(expected), abs=0.002)


def test_a_token_over_the_border_of_text_and_closing_counts(vocabulary: TokenBytes) -> None:
    """The text ends in "." and is closed by a line end and a fence: ".\\n" is one token."""
    ids, closing = (1, 2), b"\n```"
    own = probabilities(ids[:1])[2]  # of the last token
    over = probabilities(ids[:1])[7] * follows((1, 7), b"```") / own
    expected = probabilities(ids)[END] + follows(ids, closing) + over
    branches = [Branch(0.0, ids, closing), Branch(-math.log(own), ids[:1], b"." + closing, over=1)]
    assert ending_logprob(ids, branches, vocabulary, logits) == pytest.approx(math.log(expected), abs=0.002)


def test_closings_that_another_one_comes_before_are_not_counted_twice() -> None:
    assert distinct_closings(("#", "\n#", "# Query", "\n# Query", "```")) == ["#", "\n#", "```"]


def test_no_end_token_and_no_closing_is_no_end() -> None:
    vocabulary = TokenBytes(len(PIECES), PIECES.__getitem__, lambda _: False)
    assert ending_logprob((1,), [], vocabulary, logits) == -math.inf


# On weights


@pytest.fixture(params=[pytest.param("llama", marks=pytest.mark.models), "hf"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalEngine]:
    if request.param == "llama":
        from alignbench.engines.llamacpp.engine import LlamaCppEngine

        engine = LlamaCppEngine(weights_path(resolve("demo-smollm2")), Cancellation(), threads=1)
        yield engine
        engine.close()
    else:
        from alignbench.engines.hf.engine import TransformersEngine

        folder = write_folder(tmp_path, "llama")
        yield TransformersEngine(Model("tiny", f"hf:{folder}", "base"), Cancellation(), threads=2)


CONTEXT, QUERY, TEXT = "# Query:\n```\n", "Why?\n```\n\n# Answer:\n```\n", "Because it is so."


def asked(text: str, closings: tuple[str, ...] | None, top: int = 0, context: str = CONTEXT) -> LikelihoodRequest:
    return LikelihoodRequest(1, context, QUERY, text, top, closings)


def next_probabilities(engine: LocalEngine, text: str) -> NDArray[np.float64]:
    """Of each token after a text, by another request: the alternatives to a token that follows."""
    scored = engine.score(asked(text + "\n", None, top=engine.n_vocab))
    (at,) = (i for i, piece in enumerate(scored.pieces) if "".join(scored.pieces[: i + 1]).endswith(text + "\n"))
    assert scored.pieces[at] == "\n"
    row = np.empty(engine.n_vocab)
    row[scored.top_ids[at]] = scored.top_logprob[at]
    return np.exp(row)


def test_the_end_is_the_sum_over_end_tokens_and_changes_nothing_else(engine: LocalEngine) -> None:
    here = next_probabilities(engine, TEXT)
    ends = [token for token in range(engine.n_vocab) if engine.is_end(token)]
    without = engine.score(asked(TEXT, None))
    with_end = engine.score(asked(TEXT, ()))
    assert without.end is None
    assert with_end.end == pytest.approx(math.log(here[ends].sum()), abs=1e-3)
    assert np.array_equal(without.logprob, with_end.logprob)
    assert engine.score(asked("", ())).end is not None


def test_a_closing_is_the_likeliest_tokens_of_its_text_or_more(engine: LocalEngine) -> None:
    (end,) = (engine.score(asked(TEXT, ())).end,)
    closed = engine.score(asked(TEXT, ("```", "\n```"))).end
    whole = engine.score(asked(TEXT + "\n```", None))
    text = engine.score(asked(TEXT, None))
    assert end is not None
    assert closed is not None
    assert closed >= end
    fence = float(whole.logprob.sum(dtype=float) - text.logprob.sum(dtype=float))
    assert math.exp(closed) >= (math.exp(end) + math.exp(fence)) * 0.999
    # The same again, whatever was read in between.
    engine.score(asked("Other.", ("```",), context="Something else. "))
    assert engine.score(asked(TEXT, ("```", "\n```"))).end == closed


def test_where_no_closing_fits_into_the_window_the_end_is_not_told(engine: LocalEngine) -> None:
    n = len(engine.tokenize(CONTEXT + QUERY + TEXT))
    engine.n_ctx_train = n
    assert engine.score(asked(TEXT, ("\n```",))).end is None
    assert engine.score(asked(TEXT, ())).end is not None
