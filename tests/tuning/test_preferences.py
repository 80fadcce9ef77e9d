"""Which sample of a question is preferred."""

from __future__ import annotations

import pytest

from tools.tuning.preferences import Drawn, Preference, preferences, repeated

GOOD, FAR, LOOP, CUT = (
    Drawn("Sunlight is scattered by the air above us.", True),
    Drawn("A cake needs flour and eggs and some milk.", True),
    Drawn("the sky is blue the sky is blue the sky is blue the sky is blue", True),
    Drawn("Sunlight is scattered by the air above us and", False),
)


@pytest.mark.parametrize(("text", "share"), [("a b c", 0.0), ("a b c d e", 0.0), ("a b a b a b a b", 3 / 5), ("", 0.0)])
def test_the_share_of_4_grams_that_came_before(text: str, share: float) -> None:
    assert repeated(text) == pytest.approx(share)


def test_close_beats_far_and_ended_beats_cut_and_plain_beats_a_loop() -> None:
    samples = {"why": [FAR, GOOD, LOOP, CUT]}
    assert preferences(samples, {"why": [0.1, 0.8, 0.8, 0.9]}) == [Preference("why", GOOD, CUT)]
    assert preferences({"why": [LOOP, GOOD]}, {"why": [0.8, 0.8]}) == [Preference("why", GOOD, LOOP)]
    assert preferences({"why": [FAR, GOOD]}, {"why": [0.1, 0.8]}) == [Preference("why", GOOD, FAR)]


def test_samples_of_one_mark_and_empty_ones_say_nothing() -> None:
    assert preferences({"why": [GOOD, GOOD]}, {"why": [0.8, 0.8]}) == []
    assert preferences({"why": [GOOD, Drawn(" ", True)]}, {"why": [0.8, 0.0]}) == []
    assert preferences({}, {}) == []
