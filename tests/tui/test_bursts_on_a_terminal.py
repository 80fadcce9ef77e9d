"""Bursts and pastes as a real terminal sends them, in one write, through the driver's own parser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from textual.screen import Screen
from textual.widgets import Input, TextArea

from alignbench.tui.app import BenchApp
from alignbench.tui.widgets.inputs import PlainInput
from tests.support.app import make_app
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.on_a_terminal import Typist, pasted, run, typed
from tests.support.screens import EARLY, OPENED_BY

PASTED = "x\nd r"


def test_what_is_typed_or_pasted_while_a_screen_opens_reaches_no_other(tmp_path: Path) -> None:
    script = f"from {__name__} import main; main({str(tmp_path / 'x.db')!r})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, ", ".join(OPENED_BY) + "\n"), ran.stderr[-3000:]


def main(db: str) -> None:
    tried: list[str] = []

    async def drive(app: BenchApp, typist: Typist) -> None:
        await _begin(app, typist)
        for name, keys in OPENED_BY.items():
            written = await _open(app, typist, name, typed(*keys, *EARLY), len(keys) + len(EARLY))
            assert written is None or "".join(EARLY) in written, (name, written)
            written = await _open(app, typist, name, typed(*keys) + pasted(PASTED), len(keys) + 1)
            assert written is None or "d r" in written, (name, written)
            tried.append(name)

    run(make_app(Path(db), FakePool(), LetterEmbedder()), drive)
    print(", ".join(tried))


async def _begin(app: BenchApp, typist: Typist) -> None:
    """Two sessions, so that there is one to compare with, and the second column."""
    await typist.until(lambda: app.workbench.bench.columns and app.bench_screen is not None, "columns")
    for session in (1, 2):
        await typist.types(typed("f5"), 1)
        await typist.until(lambda session=session: app.workbench.bench.session == session, "a session")  # type: ignore[misc]
        await typist.until(lambda: not app.workbench.busy, "samples")
        if session == 1:
            await typist.types(b"\x0e", 1)  # Ctrl+N
    await typist.types(typed("right"), 1)


async def _open(app: BenchApp, typist: Typist, name: str, burst: bytes, events: int) -> str | None:
    """Open a screen with a burst that goes on, and leave it again.

    Returns:
        what stands where the screen types, if it does
    """
    bench, seen = app.bench_screen, list[Screen[Any]]()
    assert bench is not None
    columns = list(app.workbench.bench.columns)
    app.screen_change_signal.subscribe(bench, seen.append, immediate=True)
    await typist.types(burst, events)
    app.screen_change_signal.unsubscribe(bench)
    shown = next((each for each in seen if type(each).__name__ == name), None)
    assert shown is not None, (name, seen)
    assert app.workbench.bench.columns == columns, name
    assert not app.workbench.busy, name
    field = shown.focused if shown is app.screen else None
    while app.screen is not bench:
        app.screen.dismiss(None)
        await typist.settled()
    if isinstance(field, PlainInput | Input):
        return field.value
    return field.text if isinstance(field, TextArea) else None
