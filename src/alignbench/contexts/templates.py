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
import time
from collections.abc import Mapping, Sequence
from typing import Any

from alignbench.child_process import is_stopped
from alignbench.contexts.sandbox import CPU_SECONDS
from alignbench.errors import InputError
from alignbench.masking import environment_without_keys
from alignbench.parsing import parse_json

_TOO_LONG = f"it ran for more than {CPU_SECONDS:g} seconds"
_LOOK = 0.25  # seconds between two looks at a process that does not answer
_STOPPED = 2.0  # seconds that it may be stopped
_PIECE = 1 << 16  # bytes: no more go into a pipe at once
_SECONDS = 30.0  # the sandbox counts processor time; this is for what its own clock cannot interrupt


class _Sandbox:
    """The sandbox's process: started when it is first needed, ended when a template does not come back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            process = self._running()
            try:
                line = _exchange(process, json.dumps(request).encode("ascii") + b"\n")
            except TimeoutError as error:
                self._end()
                return {"error": str(error)}
            except OSError:
                line = ""
            if not line:
                return {"error": self._epitaph()}
        answer: dict[str, Any] = parse_json(line)
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "alignbench.contexts.sandbox"],  # -P: nothing from the current folder
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
                env=environment_without_keys(),
            )
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                os.set_blocking(pipe.fileno(), False)
        return self._process

    def _epitaph(self) -> str:
        """Why a process is gone without an answer."""
        code = self._process.wait() if self._process is not None else None
        self._end()
        return _TOO_LONG if code == -signal.SIGXCPU else "it crashed"

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()  # to close its pipes
            self._process = None

    def close(self) -> None:
        with self._lock:
            self._end()


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> str:
    """The line that answers a request; empty where the process ends before. TimeoutError, with why, where it hangs."""
    assert process.stdin is not None
    assert process.stdout is not None
    to, back = process.stdin.fileno(), process.stdout.fileno()
    answer = bytearray()
    end, stopped = time.monotonic() + _SECONDS, 0
    while not answer.endswith(b"\n"):
        readable, writable, _ = select.select([back], [to] if request else [], [], _LOOK)
        if readable:
            piece = os.read(back, _PIECE)
            if not piece:
                return ""
            answer += piece
        elif writable:
            request = request[process.stdin.write(request[:_PIECE]) or 0 :]
        elif time.monotonic() > end:
            raise TimeoutError(_TOO_LONG)
        else:
            stopped = stopped + 1 if is_stopped(process.pid) else 0
            if stopped > _STOPPED / _LOOK:
                raise TimeoutError(f"its process was stopped (SIGSTOP) for {_STOPPED:g} seconds")
    return answer.decode("ascii")


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
    request = {"source": source, "layout": layout, "variables": [*map(dict, variables)]}
    texts: list[str] = _asked(request, called)["texts"]
    return texts


def template_names(source: str, *, called: str) -> list[str]:
    """The variables that a template of the user's reads and does not set itself. InputError where it is none.

    called: what messages call the template
    """
    names: list[str] = _asked({"source": source, "layout": True}, called)["names"]
    return names


def _asked(request: Mapping[str, Any], called: str) -> dict[str, Any]:
    answer = _SANDBOX.ask(request)
    if "error" in answer:
        raise InputError(f"{called} failed: {answer['error']}")
    return answer
