"""Where responses were cut, and where nobody knows."""

from __future__ import annotations

import pytest

from alignbench.scoring.truncation import MOST_CUT, Truncation, not_recorded, too_many_cut


def test_a_tenth_may_be_cut() -> None:
    assert MOST_CUT == 0.1
    assert [Truncation(cut, 20).too_many for cut in (0, 2, 3, 20, None)] == [False, False, True, True, False]
    assert Truncation(3, 20).share == pytest.approx(0.15)
    assert (Truncation(0, 0).share, Truncation(None, 20).share) == (None, None)


def test_the_reason_names_who_was_cut_and_of_whom_it_is_not_known() -> None:
    truncations = {"chat": Truncation(62, 250), "base": Truncation(250, 250), "old": Truncation(None, 250)}
    assert too_many_cut(truncations, "old", "chat") == (
        "62 of 250 responses of chat (25%) were cut by length, and over 10% neither lengths nor texts compare"
    )
    assert "250 of 250 responses of base (100%) and 62 of 250" in too_many_cut(truncations, "base", "chat")
    assert too_many_cut(truncations, "old", "unheard-of") == ""
    assert not_recorded(truncations, "old", "chat") == "how responses of old ended was not recorded"
    assert not_recorded(truncations, "base", "chat") == ""
