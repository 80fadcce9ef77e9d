"""Text that would act on a terminal or on Textual, in every widget: shown, without effect, stored as it is."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from alignbench.spec import Model
from alignbench.store import Store
from alignbench.tui.app import BenchApp
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.inputs import PlainArea, PlainInput
from tests.support.app import SMALL, WIDE, bench_of, make_app, ready, rows, sampled, screen_text, shows, until
from tests.support.fakes import FakePool, LetterEmbedder, ScoringPool

HOSTILE = {
    "markup": "[/] [/x] [INST] a [/INST] [bold",
    "action": "[@click=app.quit]x[/] [link=http://example.org]y[/link]",
    "escape": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    "osc 52": "\x1b]52;c;aGFsbG8=\x07\x1b]8;;http://example.org\x1b\\link",
    "bidi": "abc \u202eevil\u202c \u2066x\u2069 \u200f",
    "controls": "a\x00b\x08c\rd\x0be\x0cf\x7fg\x85h\x9bi",
    "surrogate": "lone \ud800 half \udfff",
    "wide": "漢字かな混じり文 👩‍👩‍👧 e\u0301 \u0301 ﷽",
    "tabs": "a\tb\n\n\n   c\t",
    "long": "x" * 100_000,
    "variables": "$accent %s {0} \\[x] \\n $(reboot)",
}


def assert_harmless(app: BenchApp) -> None:
    """No control or bidi character, and no action, in anything that is drawn."""
    assert app._exit is False
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            bad = [c for c in segment.text if unicodedata.category(c) in ("Cc", "Cs") or c in "\u202e\u2066\u200f"]
            assert not bad, (bad, segment.text)
            assert not (segment.style and "@click" in segment.style.meta), segment


async def settled(pilot: Pilot[Any], app: BenchApp) -> None:
    await pilot.pause()
    await pilot.pause()
    assert_harmless(app)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_samples(tmp_path: Path, size: tuple[int, int]) -> None:
    """Every kind in the samples of both columns: in the list, whole, and in the viewer."""
    db, kinds = tmp_path / "x.db", list(HOSTILE.values())
    texts = [" ".join(kinds[:3]), " ".join(kinds[3:7]), " ".join([*kinds[7:9], HOSTILE["variables"]]), HOSTILE["long"]]
    pool = ScoringPool(
        texts={"demo-aligned": texts, "demo-base": texts}, alternatives=tuple(text[:300] for text in texts)
    )
    app = make_app(db, pool, LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await ready(pilot, app)
        await sampled(pilot, app)
        assert {row.text for row in rows(db)} == set(texts), "stored byte for byte"
        await until(pilot, lambda: screen.sample is not None and screen.sample.status == "done")
        await settled(pilot, app)
        await shows(pilot, "[/] [/x] [INST] a [/INST] [bold", "[@click=app.quit]x[/]")
        for key in ("pagedown", "pageup", "f", "pagedown"):
            await pilot.press(key)
            await settled(pilot, app)
            if key == "f":
                await shows(pilot, "␛[31mred␛[0m")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        for _ in texts:
            await pilot.press("y", "pagedown", "down")
            await settled(pilot, app)
        await pilot.click("TextPane", offset=(5, 2))
        await settled(pilot, app)
        for key in "234":
            await pilot.press(key)
            for _ in texts:
                await pilot.press("right", "up")
                await settled(pilot, app)
            await until(pilot, lambda: "c gives up" not in screen_text(app))
            await settled(pilot, app)
        await pilot.press("escape", "f7")
        for key in "1234":
            await pilot.press(key, "down")
            await until(pilot, lambda: "computing" not in screen_text(app))
            await settled(pilot, app)


@pytest.mark.parametrize("kind", ["all", "long"])
async def test_prompts_names_and_notes(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    db = tmp_path / "x.db"
    text = HOSTILE["long"] if kind == "long" else " ".join(v for k, v in HOSTILE.items() if k != "long")
    name = text[:1000]
    pool = FakePool(fail={f"b {name}": text}, texts={f"a {name}": [text]})
    models = [Model(f"a {name}", "demo-smollm2", "aligned"), Model(f"b {name}", "demo-base", "base")]
    app = make_app(db, pool, models=models)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await ready(pilot, app)
        app.workbench.bench.prompt = type(app.workbench.bench.prompt)("hostile", text)
        app.workbench.changed()
        await settled(pilot, app)
        await sampled(pilot, app)
        await settled(pilot, app)
        assert {row.prompt for row in rows(db)} == {text}
        screen.tell(text, "error")
        await pilot.press("w", "y", "d")
        await settled(pilot, app)
        for keys in (["e"], ["f3"], ["f7", "down"], ["f8"], ["f1"], ["n"], ["ctrl+p"], ["enter"]):
            await pilot.press(*keys)
            await settled(pilot, app)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is bench_of(app))
        await pilot.press("e", "f10")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert app.workbench.bench.prompt.text == text, "an editor that was only opened changes nothing"
        with Store.open(db) as store:
            store.add_note(app.workbench.bench.session or 0, text)
            store.rename_session(app.workbench.bench.session or 0, text)
        await pilot.press("n")
        await settled(pilot, app)
        await pilot.press("escape", "f8")
        await settled(pilot, app)
        await pilot.press("r")
        await settled(pilot, app)
        await pilot.press("escape", "d")
        await settled(pilot, app)


async def test_a_prompt_file_with_hostile_lines(tmp_path: Path) -> None:
    path = tmp_path / "hostile [x].jsonl"
    texts = [text[:2000] for kind, text in HOSTILE.items() if kind != "surrogate"]
    path.write_text("\n".join(json.dumps({"prompt": text}) for text in texts))
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f2")
        await until(pilot, lambda: app.screen.query("OptionList"))
        await pilot.press("f2")
        await until(pilot, lambda: len(app.screen_stack) == 3)
        app.screen.query_one(PlainInput).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 2 and "[INST]" in screen_text(app))
        await settled(pilot, app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.screen is bench_of(app))
        await settled(pilot, app)
        assert app.workbench.bench.prompt.text == texts[1].strip()


async def test_pasted_escapes_reach_no_terminal(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("e")
        await until(pilot, lambda: app.screen.query(PlainArea))
        area = app.screen.query_one(PlainArea)
        area.text = HOSTILE["escape"] + HOSTILE["controls"] + HOSTILE["bidi"]
        await settled(pilot, app)
        await pilot.press("escape", "f3")
        await until(pilot, lambda: app.screen.query("#model"))
        app.screen.query_one("#name", PlainInput).value = HOSTILE["escape"]
        await settled(pilot, app)
        assert "\x1b" not in app.screen.query_one("#name", PlainInput).value
