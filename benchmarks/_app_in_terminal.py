"""The app on a planted engine in a terminal of its own, whose keys are timed."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

Press = Callable[[bytes], object]


class PlantedEngine:
    """Is above the engine layer, in the app's process: has every model loaded; what it draws is the subclass's."""

    def __init__(self) -> None:
        from alignbench.engines.protocol import Capabilities

        self._keys = itertools.count(1)
        self._capabilities = Capabilities("base", None, "", "", False, 4096, 1000, "fake", "fake")

    def load(self, model, sink):
        from alignbench.engines.protocol import Loaded

        sink(Loaded(model.name, self._capabilities, 0.0))

    def capabilities(self, _model):
        return self._capabilities

    def new_key(self):
        return next(self._keys)

    def cancel(self, *_):
        pass

    def close(self):
        pass


def time_calls(screen: type, action: str, done: Callable[[], object]) -> None:
    """Have `done` called whenever what an action of a screen has changed is drawn."""
    method = getattr(screen, action)

    def timed(self) -> None:
        method(self)
        self.call_after_refresh(done)

    setattr(screen, action, timed)


def run_in_terminal(script: str, size: str, step: Callable[[Path, Press], None]) -> dict[str, Any]:
    """Run `SCRIPT --app DB OUT` to its end, in a pty that is read and thrown away; what it has written to OUT.

    Args:
        script: Of the app.
        size: COLUMNSxROWS.
        step: Called some hundred times a second, with OUT and what presses keys.
    """
    columns, rows = (int(n) for n in size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command = [sys.executable, script, "--app", str(Path(folder) / "bench.db"), str(out)]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": folder}
        child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        while child.poll() is None:
            if select.select([master], [], [], 0.01)[0]:
                try:
                    os.read(master, 1 << 16)
                except OSError:  # the app has left
                    break
            step(out, lambda keys: os.write(master, keys))
        child.wait()
        return json.loads(out.read_text())


def waits_ms(pressed: list[float], shown: list[float]) -> list[float]:
    """From each key to what it changed on the screen."""
    return [1000 * (done - key) for key, done in zip(pressed, shown, strict=False)]
