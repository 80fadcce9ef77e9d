"""Writes the pictures of README and docs from the app itself, with the embedded models: `make screenshots`.

A session is drawn into a database of its own, then the app is opened on it and its screens are taken one after the
other. Keys and sizes stand in `SHOTS`; another picture is another line there.
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import resvg_py
from PIL import Image
from textual.pilot import Pilot

from alignbench.engines.workers.pool import WorkerPool
from alignbench.tui.app import BenchApp

DOCS = Path(__file__).parents[1] / "docs"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FONT = "DejaVu Sans Mono"
COLOURS = 255  # of a picture: a screen has few, the edges of letters the rest
LONGEST = 300.0  # seconds that a screen may take to be there
LARGEST = 300_000  # bytes of a picture

SAMPLING = ["--prompts", "open-ended", "--limit", "3", "-n", "5", "--temperature", "1", "--max-tokens", "200"]
CONDITIONS = ["demo-aligned=demo-aligned", "demo-base=demo-base", "with-summary=demo-base,context=summary"]


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture.

    Attributes:
        name: Of the file in docs.
        keys: That lead to it from the Bench.
        shows: Words that are on the screen when it is there.
        gone: Words that are not there any more.
        theme: The app's.
    """

    name: str
    keys: tuple[str, ...]
    shows: tuple[str, ...] = ()
    gone: tuple[str, ...] = ("computing", "gives up")
    theme: str = "alignbench-dark"


SHOTS = (
    Shot("bench", (), ("cosine",)),
    Shot("condition", ("right", "f3"), ("Temperature",)),
    Shot("context", ("right", "right", "f4"), ("# Query", "tokens")),
    Shot("hint", ("right", "right", "f6"), ("gives away", "# Query")),
    Shot("help", ("f1",), ("words on that screen",)),
    Shot("scores", ("f7", "down", "down"), ("lexical diversity",)),
    Shot("recovery", ("f7", "2"), ("MMD²",)),
    Shot("token-shift", ("enter", "4"), ("bits per byte",)),
    Shot("ledger", ("left", "g"), ("all pieces save",)),
    Shot("audit", ("right", "f9"), ("text the template adds",), theme="alignbench-light"),
    Shot("findings", ("I",), ("What moved",)),
    Shot("sessions", ("f8",), ("samples",)),
)
SIZE = (120, 36)
FOOTER = "F1 help"  # begins every footer, which comes a moment after its screen


def text_of(app: BenchApp) -> str:
    """What the terminal shows."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def png(svg: str) -> bytes:
    """A picture of few colours, in a font that is there on every machine."""
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg.replace("Fira Code", FONT), font_dirs=[str(FONTS)], monospace_family=FONT, font_family=FONT
    )
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(bytes(drawn))).convert("RGB")
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"the screen did not come:\n{text_of(pilot.app)}")
        await pilot.pause(0.2)


async def take(pilot: Pilot[Any], app: BenchApp, shot: Shot) -> None:
    """Go to a screen, write its picture, and come back."""
    app.theme = shot.theme
    app.workbench.bench.select(0)
    app.workbench.changed()
    await pilot.pause(0.5)
    for key in shot.keys:
        await pilot.press(key)
        await pilot.pause(0.2)

    def there() -> bool:
        shown = text_of(app)
        awaited = (FOOTER, *shot.shows)
        return all(word in shown for word in awaited) and not any(word in shown for word in shot.gone)

    await until(pilot, there)
    app.clear_notifications()
    await until(pilot, lambda: not app.screen.query("Toast"))
    picture = png(app.export_screenshot(title="alignbench"))
    if len(picture) > LARGEST:
        raise SystemExit(f"{shot.name} has {len(picture)} bytes; expected at most {LARGEST}")
    (DOCS / f"{shot.name}.png").write_bytes(picture)
    print(f"docs/{shot.name}.png", len(picture))
    while len(app.screen_stack) > 1:
        app.screen.dismiss(None)
        await pilot.pause()


async def take_all(db: Path, names: list[str]) -> None:
    pool = WorkerPool()
    app = BenchApp(db, pool, pool, session=1)
    try:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await until(pilot, lambda: app.workbench.bench.session is not None and len(app.workbench.bench.columns) > 1)
            for shot in SHOTS:
                if not names or shot.name in names:
                    await take(pilot, app, shot)
    finally:
        pool.close()


def main(names: list[str]) -> None:
    """names: of the pictures, all of them where none is named."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ALIGNBENCH_CONFIG_DIR"] = folder  # nobody's own theme or models
        db = Path(folder) / "study.db"
        conditions = [part for condition in CONDITIONS for part in ("--condition", condition)]
        command = [sys.executable, "-m", "alignbench", "sample", *SAMPLING, *conditions, "--db", str(db), "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        os.chdir(folder)
        asyncio.run(take_all(Path("study.db"), names))


if __name__ == "__main__":
    main(sys.argv[1:])
