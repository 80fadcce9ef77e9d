"""The fifth and the sixth view of the scores screen: the matrix of columns, and the branching factor along samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.tui.scores.matrix_view import matrix_rows
from alignbench.tui.scores.screen import ScoresScreen
from tests.support.app import SMALL, WIDE, line_with, make_app, ready, sampled, screen_text, shows, until
from tests.support.fakes import FakePool, LetterEmbedder

TEXTS = {
    "demo-aligned": ["tea warms people", "tea warms everyone", "tea calms people"],
    "demo-base": ["rain falls", "tea warms gardens", "birds sing"],
}


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_matrix_of_columns(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7", "5")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen) and "1 prompt of this" in screen_text(app))
        first = matrix_rows()[0]
        await shows(
            pilot, f"similarity by {first.label}", "A* with itself:", "Shades: ░ from", "wide at least, so that"
        )
        await until(pilot, lambda: "█" in line_with(app, "A* demo-aligned"))
        await pilot.press("right")
        await shows(pilot, "B with itself:", "B with A*:")
        names = [row.metric.name for row in matrix_rows()]
        assert {"jaccard", "embedding_similarity"} <= {*names}
        await pilot.press(*["down"] * names.index("embedding_similarity"))
        await shows(pilot, "similarity by embeddings (cosine), 1 prompt")


async def test_without_samples_there_is_no_matrix(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f7", "5")
        await shows(pilot, "No matrix: no two responses to compare.")


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_branching_factor_along_samples(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7", "6")
        await until(pilot, lambda: "Branching factor, 1 prompt of this session" in screen_text(app))
        await shows(pilot, "by position of the token")
