"""The band draws a share where there is a gap to take a share of, and marks one of too few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from textual.content import Content

from alignbench.scoring.score_tables import CrossEstimate
from alignbench.tui.bench.recovery_lines import Measured, recovery_line, spelled_out
from alignbench.tui.workbench.recovery_scores import BandColumn

SCORE = CrossEstimate(0.2, ceiling=0.48, floor=0.17, n=1, gap_ci=(0.1, 0.5))
NEAR = CrossEstimate(0.326, ceiling=0.33, floor=0.3, n=1, recovery=0.87, gap_ci=(-0.1, 0.16))


def score(recovery: float, ci: tuple[float, float] | None = None, warning: str = "") -> CrossEstimate:
    return replace(SCORE, value=0.17 + 0.31 * recovery, recovery=recovery, recovery_ci=ci, warning=warning)


def measured(scores: Mapping[str, CrossEstimate], n: int = 3, prompts: int = 1) -> Measured:
    columns = [BandColumn(ord(sign[0]) - 65, sign, f"name of {sign}", n, at == 0) for at, sign in enumerate(scores)]
    return Measured("jaccard", [*zip(columns, scores.values(), strict=True)], n, prompts)


def line(scores: Mapping[str, CrossEstimate], width: int = 80, n: int = 3, prompts: int = 1) -> str:
    drawn = recovery_line(measured(scores, n, prompts), width, "recovery")
    assert isinstance(drawn, Content)
    assert drawn.cell_length <= width
    return drawn.plain


def test_columns_stand_in_the_order_of_their_shares_between_floor_and_ceiling() -> None:
    drawn = line({"B2": score(0.61), "B3": score(0.11)})
    assert drawn.startswith(" recovery  jaccard  floor .170 ")
    assert "─B3 11%─" in drawn
    assert drawn.index("B3 11%") < drawn.index("B2 61%") < drawn.index(".480 ceiling")
    assert drawn.endswith("ceiling  n 3 !"), "few samples are marked, once"


def test_where_ceiling_and_floor_are_not_told_apart_no_share_is_drawn() -> None:
    """87% of .02 of .03 at n 3 says nothing."""
    drawn = line({"B2": NEAR, "C": replace(NEAR, recovery=None, gap_ci=None, recovery_reason="not over")})
    assert "%" not in drawn
    assert " no gap ─" in drawn
    assert drawn.endswith(".330 ceiling  n 3")
    assert any(said.endswith("recovery no gap") for said in spelled_out(measured({"B2": NEAR})))


def test_a_share_outside_is_drawn_at_the_end_and_told() -> None:
    drawn = line({"B": score(-0.3), "C": score(1.13, warning="over 1")})
    assert "floor .170 B -30%─" in drawn
    assert "─C 113%! .480 ceiling" in drawn


def test_an_interval_stands_behind_its_share_and_marks_nothing() -> None:
    drawn = line({"B": score(0.61, (0.48, 0.75))}, width=120, n=5, prompts=24)
    assert "B 61% [48, 75]" in drawn
    assert drawn.endswith("ceiling  24 prompts")


@pytest.mark.parametrize("width", [60, 72, 80, 100, 200])
@pytest.mark.parametrize("shares", [[0.5] * 7, [0.0, 0.01, 0.02, 0.99, 1.0, 1.5, -2.0], [0.4]])
def test_it_fits_at_every_width(width: int, shares: Sequence[float]) -> None:
    drawn = line({chr(66 + i): score(share) for i, share in enumerate(shares)}, width)
    assert "B" in drawn, "the selected one is always there"


def test_floor_and_ceiling_are_there_before_anything_is_compared() -> None:
    apart = replace(score(0.0), value=0.17)
    drawn = recovery_line(Measured("jaccard", [], 5, 1, apart), 80, "recovery").plain
    assert drawn.startswith(" recovery  jaccard  floor .170 ────")
    assert drawn.endswith("── .480 ceiling  n 5")
    assert " no gap " in recovery_line(Measured("jaccard", [], 5, 1, NEAR), 80).plain


def test_where_nothing_is_known_yet_nothing_is_said_of_a_gap() -> None:
    """Embeddings come later than texts."""
    unknown = CrossEstimate(reason="not scored yet")
    drawn = recovery_line(Measured("cosine", [], 5, 1, unknown), 80).plain
    assert "floor – ───" in drawn
    assert "─── – ceiling" in drawn
    assert "gap" not in drawn


def test_what_is_not_sampled_says_why() -> None:
    assert "– needs 2 samples" in line({"B": CrossEstimate(reason="needs 2 samples, has 1")})


def test_the_floor_on_the_line_is_the_one_of_the_scores_whatever_is_held_out() -> None:
    """A column made from samples of the reference has a floor of its own, over the others."""
    held_out = replace(score(0.33), floor=0.068)
    of_floor = CrossEstimate(0.067, ceiling=0.48, floor=0.067, n=1, recovery=0.0, gap_ci=(0.1, 0.5))
    drawn = recovery_line(replace(measured({"C°": held_out}), floor=of_floor), 80)
    assert isinstance(drawn, Content)
    assert "floor .067 " in drawn.plain
    assert "C° 33%" in drawn.plain
