"""No text of a model or a user shifts a border: every row of a screen is as wide as the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from alignbench.spec import Model, Prompt
from alignbench.tui.app import BenchApp
from alignbench.tui.wide_cells import keep_widths
from tests.support.app import bench_of, make_app, ready, sampled, screen_text, still, until
from tests.support.fakes import LetterEmbedder, ScoringPool

STRANGE = (
    "⚠️ one ❤️ two 1️⃣ three ☑️ four ℹ️ five ✍️",
    "👨‍👩‍👧‍👦👩‍🚀 🇩🇪🇫🇷🇪 👍🏽 e\u0301\u0301 \u0301 ﷽ ₍ᐢ..ᐢ₎",
    "日本語ｶﾅ한국어 " * 9,
    "\ufe0f⚠\ufe0f\ufe0f \u200d\u200d❤\u200d \U000e0061 क्षि நி ก็ำ",
)


def assert_straight(app: BenchApp) -> None:
    width = app.size.width
    for strip in app.screen._compositor.render_strips():
        segments = sum(cell_len(segment.text) for segment in strip)
        assert segments == width == strip.cell_length, strip.text


@pytest.mark.parametrize("text", STRANGE)
def test_a_row_is_cut_anywhere_without_getting_shorter(text: str) -> None:
    keep_widths()
    whole = Strip([Segment(text[:9]), Segment(text[9:24])])
    end = sum(cell_len(segment.text) for segment in whole)
    for cut in range(1, end):
        for first in range(cut):
            parts = [*whole.divide([*([first] if first else []), cut, end]), whole.crop(first, cut)]
            widths = (
                [cut - first, end - cut, cut - first] if first == 0 else [first, cut - first, end - cut, cut - first]
            )
            assert [sum(cell_len(segment.text) for segment in part) for part in parts] == widths


@pytest.mark.parametrize("shift", range(3))
async def test_a_toast_over_half_of_a_wide_character(tmp_path: Path, shift: int) -> None:
    app = make_app(tmp_path / "x.db", ScoringPool(), LetterEmbedder())
    async with app.run_test(size=(81, 24), notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.prompt = Prompt("wide", "a" * shift + "日本語❤️👩‍🚀" * 30)
        app.workbench.changed()
        app.notify("said", timeout=600)
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        await still(pilot, 3)
        assert "said" in screen_text(app)
        assert_straight(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_no_text_shifts_a_border(tmp_path: Path, size: tuple[int, int]) -> None:
    texts = [*STRANGE, " ".join(STRANGE)]
    models = [
        Model(f"{name} {STRANGE[at]}", name, kind)
        for at, (name, kind) in enumerate((("demo-smollm2", "aligned"), ("demo-base", "base")))
    ]
    pool = ScoringPool(texts={model.name: texts for model in models})
    app = make_app(tmp_path / "x.db", pool, LetterEmbedder(), models=models)
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.prompt = Prompt("strange", STRANGE[0] + STRANGE[1])
        app.workbench.changed()
        await sampled(pilot, app)
        await still(pilot, 3)
        assert_straight(app)
        for keys in (("f",), ("enter",), ("f2",), ("f3",), ("f7",), ("f8",), ("v",), ("f9",), ("I",)):
            await pilot.press(*keys)
            await pilot.pause()
            for key in ("", "2", "3", "4") if keys[0] in ("enter", "f7", "I") else ("",):
                await pilot.press(*filter(None, [key]))
                await pilot.pause()
                assert_straight(app)
            if app.screen is not bench_of(app):
                await pilot.press("escape")
                await until(pilot, lambda: app.screen is bench_of(app))
