"""The app as a process of its own in a terminal: a hang-up loses nothing that was finished."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from alignbench import paths
from alignbench.child_process import is_stopped
from tests.support.app import rows
from tests.support.on_a_terminal import terminal_of
from tests.support.waiting import LIMIT, wait_until

SCRIPT = """
import sys
from pathlib import Path
from alignbench.tui.app import BenchApp
from tests.support.fakes import FakePool

texts = {"demo-aligned": ["finished at once"]}
session = int(sys.argv[2]) if len(sys.argv) > 2 else None
BenchApp(Path(sys.argv[1]), FakePool(texts=texts, delay=0.3), None, session=session).run()
"""


class Terminal:
    """The app on a pty; what it writes is collected."""

    def __init__(self, *arguments: str) -> None:
        self.master, slave = terminal_of(120, 36)
        environment = {**os.environ, "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def until(self, words: str) -> None:
        end = time.monotonic() + LIMIT
        while words not in self.seen:
            assert time.monotonic() < end, self.seen[-2000:]
            self._read()

    def ended(self) -> int:
        """Its exit code, when it has ended; what it still writes is read, or it would wait for that."""
        end = time.monotonic() + LIMIT
        while (code := self.process.poll()) is None:
            assert time.monotonic() < end, self.seen[-2000:]
            with suppress(OSError):  # it has let go of its end
                self._read()
        return code

    def _read(self) -> None:
        if select.select([self.master], [], [], 0.1)[0]:
            self.seen += os.read(self.master, 1 << 16).decode("utf-8", "replace")

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def end(self, signal_number: int) -> None:
        self.process.send_signal(signal_number)
        self.ended()
        os.close(self.master)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_what_finished_survives(tmp_path: Path, number: int) -> None:
    db = tmp_path / "x.db"
    terminal = Terminal(str(db))
    terminal.until("F5 draws 5")
    terminal.press(b"\x1b[15~")
    terminal.until("5/5")
    terminal.end(number)
    stored = rows(db)
    assert {(row.condition, row.text) for row in stored if row.status == "done"} == {
        ("demo-aligned", "finished at once")
    }
    assert len([row for row in stored if row.status == "done"]) == 5
    again = Terminal(str(db), "1")
    again.until("finished at once")
    again.press(b"\x11")  # Ctrl+Q
    assert again.ended() == 0
    os.close(again.master)


def test_a_terminal_that_went_away_ends_the_app_where_no_signal_says_so(tmp_path: Path) -> None:
    """The process has no controlling terminal, as under setsid: nobody sends it SIGHUP."""
    terminal = Terminal(str(tmp_path / "x.db"))
    try:
        terminal.until("F5 draws 5")
        os.close(terminal.master)
        assert terminal.process.wait(LIMIT) == -signal.SIGHUP
    finally:
        terminal.process.kill()


def test_an_app_that_was_stopped_and_continued_goes_on_and_ends(tmp_path: Path) -> None:
    """By SIGSTOP, which it does not see coming."""
    terminal = Terminal(str(tmp_path / "x.db"))
    try:
        terminal.until("F5 draws 5")
        for _ in range(5):
            terminal.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: is_stopped(terminal.process.pid))
            terminal.process.send_signal(signal.SIGCONT)
            terminal.seen = ""
            terminal.until("F1")
        terminal.press(b"\x1b[15~")
        terminal.until("5/5")
        terminal.press(b"\x11")  # Ctrl+Q
        assert terminal.ended() == 0
    finally:
        terminal.process.kill()
        os.close(terminal.master)


FIRST_PAINT = """
import asyncio, sys
from pathlib import Path
from alignbench.tui.app import BenchApp
from alignbench.tui.start import app_start

HEAVY = ("torch", "transformers", "llama_cpp", "sentence_transformers", "numpy", "sqlite_utils")
loaded = []

async def begin(self):
    loaded.extend(name for name in HEAVY if name in sys.modules)
    self.exit()

async def main():
    BenchApp._begin = begin
    app = BenchApp(Path("none.db"), None, None, start=app_start(Path("none.db")))
    async with app.run_test() as pilot:
        await pilot.pause()

asyncio.run(main())
print(loaded)
"""


def test_the_first_paint_imports_nothing_heavy(tmp_path: Path) -> None:
    paths.config_dir().mkdir()
    paths.config_file().write_text('prompts = "contested"\ntheme = "nord"\n[keys]\nbench.sample = "f12"\n')
    painted = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert painted.stdout.strip() == "[]"


EDITOR = """#!/bin/sh
trap '' INT
kill -INT 0
stty -a | grep -q " icanon" && printf 'written elsewhere' > "$1"
"""


def test_an_editor_gets_the_terminal_and_gives_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C there, which the terminal sends to both, is none of the app's business."""
    editor = tmp_path / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    terminal = Terminal(str(tmp_path / "x.db"))
    try:
        terminal.until("F5 draws 5")
        terminal.press(b"e")
        terminal.until("$EDITOR")
        terminal.press(b"\x0f")  # Ctrl+O
        terminal.until("written elsewhere")
        terminal.press(b"\x11\x11")  # Ctrl+Q, and again: what was written is not taken
        assert terminal.ended() == 0
    finally:
        terminal.process.kill()
        os.close(terminal.master)
