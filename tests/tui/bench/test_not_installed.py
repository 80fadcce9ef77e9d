"""The first screen where no extra is installed: what can be done all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.tui.bench import column
from tests.support.app import SMALL, make_app, ready, screen_text, shows
from tests.support.fakes import FakePool, LetterEmbedder


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("alignbench.models.installed.is_installed", lambda _: False)
    column._why_not_installed.cache_clear()
    yield
    column._why_not_installed.cache_clear()


@pytest.mark.usefixtures("light")
async def test_each_column_says_what_works_and_what_is_missing(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot, app)
        await shows(
            pilot, "This model cannot be loaded here.", "F3 takes another one", "F8 has the sessions", "llama_cpp"
        )
        assert "F5 draws" not in screen_text(app)
