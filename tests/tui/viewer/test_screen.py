"""The sample viewer: its text, shared words, covered sentences, token shift."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.engines.protocol import SampleResult
from alignbench.tui.viewer.anchor_spans import anchor_runs, placed_anchors
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.marked_pane import MarkedPane
from tests.support.app import (
    SMALL,
    WIDE,
    bench_of,
    hint_second_column,
    make_app,
    ready,
    sampled,
    screen_text,
    shows,
    until,
)
from tests.support.fakes import FakePool, LetterEmbedder, ScoringPool

TEXTS = {
    "demo-aligned": ["Tea is warm. Rain falls.", "Tea helps people."],
    "demo-base": ["Warm is tea. Zzz zzz.", "Nothing."],
}


async def test_viewer_goes_through_samples_and_columns(tmp_path: Path) -> None:
    texts = {"demo-aligned": ["first\n  indented", "second"], "demo-base": ["other"]}
    app = make_app(tmp_path / "x.db", FakePool(texts=texts))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("enter")
        assert app.screen is bench_of(app), "there is nothing to view yet"
        await sampled(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await until(pilot, lambda: "  indented" in screen_text(app) and "sample 1 of 5" in screen_text(app))
        await shows(pilot, "stop: it ended by itself", "-1.00 nats per token", "seed 0")
        await pilot.press("down")
        await until(pilot, lambda: "second" in screen_text(app) and "sample 2 of 5" in screen_text(app))
        await pilot.press("right")
        await until(pilot, lambda: "other" in screen_text(app) and "demo-base" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert app.workbench.bench.cursor == 1


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_shared_words_and_covered_sentences(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right", "enter", "2")
        await until(pilot, lambda: "2 of 3 content words are in A* demo-aligned too" in screen_text(app))
        marked = {run.text: run.style for run in app.screen.query_one(MarkedPane)._runs if run.style != "plain"}
        assert marked == {"Warm": "strong", "tea": "strong"}
        await pilot.press("3")
        await until(pilot, lambda: "1 of 2 sentences covered by A* demo-aligned" in screen_text(app))
        match = "Best match 1.00, sample 1 of A* demo-aligned; covered by 3 of 5"
        await until(pilot, lambda: match in screen_text(app))
        text = screen_text(app)
        assert "▸● 1.00  Warm is tea." in text
        assert "○" in text
        await pilot.press("right")
        await until(pilot, lambda: "▸○" in screen_text(app))
        await pilot.press("shift+tab")
        await until(pilot, lambda: "the other samples of A*" in screen_text(app))


async def test_a_sample_that_the_context_is_made_from_is_held_out(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("right")
        hint_second_column(app)
        await sampled(pilot, app)
        await pilot.press("enter", "2")
        await until(pilot, lambda: "2 of 3 content words are in A* demo-aligned, held out too" in screen_text(app))
        await pilot.press("3")
        await until(pilot, lambda: "of A* demo-aligned, held out; covered by 2 of 4" in screen_text(app))


async def test_why_nothing_can_be_compared(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder(broken="no memory"))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.reference = None
        await sampled(pilot, app)
        await pilot.press("right", "enter", "2")
        await until(pilot, lambda: "No column is the reference" in screen_text(app))
        app.workbench.bench.reference = "demo-aligned"
        await pilot.press("3")
        await until(pilot, lambda: "no memory   r tries again." in screen_text(app))
        await pilot.press("escape", "x", "enter", "4")
        await until(pilot, lambda: "No column has a base model" in screen_text(app))


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_token_shift(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", ScoringPool(texts=TEXTS))
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("enter", "4")
        await until(pilot, lambda: all(s in screen_text(app) for s in ("bits per byte", "rank 1:")))
        text = " ".join(screen_text(app).split())
        assert "40% unshifted 40% marginal (underlined) 20% shifted (reversed) of 5 tokens" in text
        assert "0.30 bits per byte under B demo-base" in text
        assert 'token 1 of 5 "Tea" rank 1: unshifted p .37' in text
        styles = [run.style for run in app.screen.query_one(MarkedPane)._runs]
        assert styles == ["plain", "marginal", "shifted", "plain", "marginal"]
        await pilot.press("right", "right")
        await until(pilot, lambda: "rank 5: shifted" in screen_text(app) and '" three"' in screen_text(app))
        await pilot.press("down")
        await until(pilot, lambda: "token 1 of 3" in screen_text(app))


async def test_a_reading_can_be_given_up_and_begun_again(tmp_path: Path) -> None:
    pool = ScoringPool(texts=TEXTS)
    app = make_app(tmp_path / "x.db", pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        pool.hold.clear()
        await pilot.press("enter", "4")
        await until(pilot, lambda: "demo-base reads the response" in screen_text(app))
        await pilot.press("right")
        assert app.workbench.bench.selected == 0, "the cursor does not leave for another column while it waits"
        await pilot.press("c")
        await until(pilot, lambda: "Given up." in screen_text(app))
        pool.hold.set()
        await pilot.press("r")
        await until(pilot, lambda: "of 5 tokens" in screen_text(app))


async def test_a_base_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", ScoringPool(texts=TEXTS, fail={"demo-base": "the file is cut off"}))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("enter", "4")
        await until(pilot, lambda: "the file is cut off   r tries again." in screen_text(app))
        assert isinstance(app.screen, ViewerScreen)


class _Thinker(FakePool):
    """Thinks before its first answer, refuses the second time, and breaks off the third."""

    def _result(self, i: int, pieces: list[str], reason: str) -> SampleResult:
        result = super()._result(i, pieces, reason)
        if i == 0:
            return replace(result, thinking="Let me\nsee.", n_thinking_tokens=7, note="A note on it.")
        if i == 2:
            return replace(result, finish_reason="error", error="It broke off.")
        return replace(result, refused=i == 1)


async def test_thoughts_and_what_broke_off_stand_apart_from_the_text(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", _Thinker(texts={"demo-aligned": ["The answer.", "I must not.", "Half of"]}))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: "refused" in screen_text(app) and "It broke off." in screen_text(app))
        await pilot.press("enter")
        await shows(pilot, "The answer.", "its thoughts, which are no part of it", "see.", "7 tokens of thoughts")
        await shows(pilot, "A note on it.")
        assert app.workbench.bench.sample is not None
        assert app.workbench.bench.sample.text == "The answer.", "what is copied and saved"
        await pilot.press("down")
        await shows(pilot, "I must not.", "a refusal, as its server says")
        await pilot.press("down")
        await shows(pilot, "It broke off.", "what had come of it", "Half of")


PHRASES = {
    "demo-aligned": [
        "Well, people keep diaries for many reasons. One is memory.",
        "People keep diaries for many a year.",
        "In short: people keep diaries for many reasons.",
    ],
    "demo-base": ["Nothing here."],
}


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_anchor_spans_are_marked_and_listed(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=PHRASES))
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("enter", "5")
        await shows(pilot, "anchor span", "▸ ", "6 words: people keep diaries for many reasons")
        marked = {run.text: run.style for run in app.screen.query_one(MarkedPane)._runs if run.style != "plain"}
        assert "chosen" in marked.values()
        assert "".join(run.text for run in app.screen.query_one(MarkedPane)._runs).startswith("Well, people keep")
        await pilot.press("down", "up", "right", "left")
        await shows(pilot, "anchor span")
        await pilot.press("1")
        await until(pilot, lambda: "anchor span" not in screen_text(app))


def test_anchors_of_a_text_are_where_they_stand() -> None:
    text = "Oh! A b, c d\tE x. a B c d e"
    anchors = placed_anchors(text, ("a b c d e y", "z A B C D E"))
    assert [(text[a.start : a.end], a.holders) for a in anchors] == [("A b, c d\tE", (0, 1, 2))]
    runs, cursor = anchor_runs(text, anchors, 3, 0)
    assert "".join(run.text for run in runs) == text
    assert cursor is not None
    assert runs[cursor].style == "chosen"
    assert placed_anchors("", ("a",)) == ()
    assert anchor_runs("", (), 2, 0) == ([], None)
