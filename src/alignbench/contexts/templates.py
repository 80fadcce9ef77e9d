"""Jinja templates, rendered in a process that can be given up."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from alignbench.contexts.sandbox import CPU_SECONDS
from alignbench.errors import InputError
from alignbench.masking import KEY_VARIABLES
from alignbench.parsing import parse_json

_SECONDS = 30.0  # the sandbox counts processor time; this is for what its own clock cannot interrupt


class _Sandbox:
    """The sandbox's process: started when it is first needed, ended when a template does not come back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                ready, _, _ = select.select([process.stdout], [], [], _SECONDS)
                line = process.stdout.readline() if ready else ""
            except OSError:
                ready, line = [process.stdout], ""
            if not line:
                return {"error": self._epitaph(bool(ready))}
        answer: dict[str, Any] = parse_json(line)
        return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "alignbench.contexts.sandbox"],  # -P: nothing from the current folder
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="ascii",
                start_new_session=True,
                env={name: value for name, value in os.environ.items() if name not in KEY_VARIABLES},
            )
        return self._process

    def _epitaph(self, ended: bool) -> str:
        """Why there is no answer. ended: the process is gone, or else it did not answer in time."""
        code = self._process.wait() if ended and self._process is not None else None
        self._end()
        if code is None or code == -signal.SIGXCPU:
            return f"it ran for more than {CPU_SECONDS:g} seconds"
        return "it crashed"

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        with self._lock:
            self._end()


_SANDBOX = _Sandbox()
atexit.register(_SANDBOX.close)


def render_template(source: str, variables: Sequence[Mapping[str, Any]], *, layout: bool, called: str) -> list[str]:
    """The texts of a template, one for each set of variables.

    Raises InputError where it does not render, reads what it should not, or needs more time or room than 2 seconds of
    processor time, 1 GiB of memory and 8 million characters.

    Args:
        layout: whether it is a layout of the user's, which keeps its last line end, and where what is not there is an
            error that names it; else it is rendered as transformers renders a chat template
        called: what messages call the template
    """
    answer = _SANDBOX.ask({"source": source, "layout": layout, "variables": [dict(v) for v in variables]})
    if "error" in answer:
        raise InputError(f"{called} failed: {answer['error']}")
    texts: list[str] = answer["texts"]
    return texts
