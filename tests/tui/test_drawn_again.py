"""What is the same is not drawn again: screens say ten times a second what they show, while samples arrive."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.steady_text import SteadyText


class Both(App[None]):
    def compose(self) -> ComposeResult:
        yield SteadyText("")
        yield LineList()


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """Regions that were asked to be drawn again; an empty one is all of a widget."""
    seen: list[Region] = []
    refresh = Widget.refresh

    def noted(self: Widget, *regions: Region, **options: bool) -> Widget:
        if isinstance(self, SteadyText | LineList):
            seen.extend(regions or [Region()])
        return refresh(self, *regions, **options)

    monkeypatch.setattr(Widget, "refresh", noted)
    return seen


async def test_a_text(refreshed: list[Region]) -> None:
    app = Both()
    async with app.run_test():
        text = app.query_one(SteadyText)
        text.update(Content("tea"))
        refreshed.clear()
        text.update(Content("tea"))
        assert not refreshed
        text.update(Content.styled("tea", "bold"))
        text.update(Content("rain"))
        assert len(refreshed) == 2


async def test_lines(refreshed: list[Region]) -> None:
    app = Both()
    async with app.run_test() as pilot:
        lines = app.query_one(LineList)
        lines.show([Content("tea"), Content("rain"), Content("snow")])
        await pilot.pause()
        refreshed.clear()
        lines.show([Content("tea"), Content.styled("rain", "bold"), Content("snow")])
        assert [region.y for region in refreshed] == [1]
        lines.show([Content("tea")])
        assert len(refreshed) > 1
