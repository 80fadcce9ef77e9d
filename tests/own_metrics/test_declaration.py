from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import alignbench
from alignbench.own_metrics.declaration import Declaration, declaration_of, declared_names


def starts(texts: list[str]) -> float:
    """Different
    first words.

    More of it.
    """
    return float(len({text.split()[0] for text in texts}))


def closeness(a: str, b: str, scale: float = 1.0) -> float:
    return scale * abs(len(a) - len(b))


def three(a: str, b: str, c: str) -> float:
    return float(a == b == c)


def none() -> float:
    return 0.0


def test_the_signature_tells_sets_from_pairs() -> None:
    of_set, of_pair = declaration_of("starts", starts), declaration_of("closeness", closeness)
    assert (of_set.of, of_set.meaning, of_set.title, of_set.moves_with_n) == (
        "responses", "Different first words.", "starts", True,
    )  # fmt: skip
    assert (of_pair.of, of_pair.moves_with_n) == ("pair", False)


def test_the_decorator_says_the_rest_and_leaves_the_function_as_it_is() -> None:
    declare = alignbench.metric(
        name="first_words", title="first words", range=(0, None), direction="more is more diverse", moves_with_n=False,
        seconds=2,
    )  # fmt: skip
    assert declare(starts) is starts
    said = declaration_of("starts", starts)
    assert (said.name, said.title, said.low, said.high) == ("first_words", "first words", 0.0, None)
    assert (said.direction, said.moves_with_n, said.seconds) == ("more is more diverse", False, 2.0)
    assert Declaration.of_facts(said.facts()) == said
    del starts.__alignbench_metric__  # type: ignore[attr-defined]


def test_without_brackets_it_says_that_the_function_is_a_score() -> None:
    def either(*texts: str) -> float:
        return float(len(texts))

    assert alignbench.metric(either) is either
    with pytest.raises(TypeError, match="expected one argument"):
        declaration_of("either", either)
    assert declaration_of("either", alignbench.metric(of="pair")(either)).of == "pair"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"range": (1, 0)}, "lower end first"),
        ({"range": 3}, r"\(low, high\)"),
        ({"range": (float("nan"), 1)}, "lower end first"),
        ({"direction": "up"}, "'more is more diverse' or 'less is more diverse'"),
        ({"needs": ["gpu"]}, "expected some of text, embeddings"),
        ({"needs": 3}, "expected some of text, embeddings"),
        ({"of": "words"}, "'responses' or 'pair'"),
        ({"seconds": 0}, "over 0"),
        ({"seconds": True}, "over 0"),
    ],
)
def test_what_it_cannot_be_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alignbench.metric(**said)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (three, r"takes \(a, b, c\)"),
        (none, r"takes \(\)"),
        (int, "no function"),
        (3, "no function"),
        (alignbench.metric(needs="embeddings")(partial(closeness)), "only a function of a set"),
    ],
)
def test_what_can_be_no_score_says_what_was_expected(function: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        declaration_of("f", function)


def test_the_functions_of_a_module_are_its_own_and_the_decorated() -> None:
    decorated: Callable[..., Any] = alignbench.metric(partial(three))
    module = {"__name__": __name__, "starts": starts, "pytest_raises": pytest.raises, "one": decorated, "_x": starts}
    assert declared_names(module) == ["starts", "one"]
