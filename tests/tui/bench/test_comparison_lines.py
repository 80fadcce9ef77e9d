"""What stands beside the scores below the columns: floor, ceiling, and what is held out."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.tui.bench.comparison_lines import comparison_lines
from alignbench.tui.workbench.comparison_values import (
    ReferenceComparison,
    Score,
    ScoreTable,
    ShownMetric,
    Similarity,
)

METRIC = ShownMetric("jaccard", "jaccard", "jaccard")


def table(comparisons: Sequence[ReferenceComparison]) -> ScoreTable:
    return ScoreTable(
        names=("chat", "raw", "hinted"),
        n=(5, 5, 5),
        reference=0,
        cross={"jaccard": Similarity(Score(0.4), (None, Score(0.1), Score(0.2)))},
        similarities=(METRIC,),
        comparisons=tuple(comparisons),
    )


def drawn(comparisons: Sequence[ReferenceComparison], width: int = 60, lines: int = 8) -> list[str]:
    return [line.plain for line in comparison_lines(table(comparisons), width, lines)]


FLOOR = ReferenceComparison("B", "raw", "floor", (Score(0.1),))
HINTED = ReferenceComparison("C", "hinted", "", (Score(0.22),), held_out=True)
OPEN = ReferenceComparison("D", "shown", "", (Score(0.25),))


def test_the_mark_is_explained_where_there_is_room() -> None:
    assert drawn([FLOOR, HINTED])[-1] == "° held out"
    assert not any("held out" in line for line in drawn([FLOOR, OPEN]))
    assert drawn([FLOOR, HINTED, OPEN, OPEN], lines=5)[-1] == "and 2 more: F7, v   ° held out"
    assert "° held out" in drawn([FLOOR, HINTED], width=100)[0]
    assert len(drawn([FLOOR, HINTED], lines=4)) == 4
