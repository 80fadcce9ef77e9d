"""A vLLM server of our own: begun, waited for, watched, ended."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.protocol import LOAD
from alignbench.engines.vllm.command import (
    HOST,
    ServedAdapter,
    adds_adapters,
    largest_rank,
    server_command,
    server_environment,
)
from alignbench.engines.vllm.log import LogReader, Stage
from alignbench.errors import EngineError
from alignbench.masking import masked
from alignbench.models.openai_address import Address
from alignbench.parsing import parse_json
from alignbench.spec import Model

SILENT_SECONDS = 900.0  # of a server that starts: compiling for a large model says nothing for minutes

_TICK = 0.25  # seconds between two looks
_ANSWER_SECONDS = 10.0
_LAST_WORDS = 2.0  # seconds that a server whose connection broke has to end
_MOST_OF_CAUSE = 400  # characters
_PORTS = 3  # that are tried, should somebody take one before the server does


class VllmServer:
    """A server process, under a keeper (engines.vllm.keeper) that ends it with this process. Its log is ours."""

    def __init__(
        self,
        model: Model,
        name: str,
        cancel: Cancellation,
        told: Callable[[Stage], None],
        *,
        silent_seconds: float = SILENT_SECONDS,
        adapters: Sequence[ServedAdapter] = (),
    ) -> None:
        """Begin it, and wait until it answers. Raises EngineError with the cause where it does not.

        Args:
            model: that is served
            name: what the server calls it
            cancel: a load that was cancelled is given up
            told: gets the stages that the start comes to
            silent_seconds: after which a start that says nothing has failed
            adapters: that it has from the beginning
        """
        self._model, self._silent_seconds, self._adapters = model, silent_seconds, adapters
        self.key = secrets.token_urlsafe(32)
        for _ in range(_PORTS):
            self._begin(name, told)
            try:
                self._wait(name, cancel)
                return
            except BaseException as error:
                self.close()
                if "address already in use" not in str(error).lower():
                    raise
        raise EngineError(f"vLLM found no free port for {model.name}.")

    @property
    def address(self) -> Address:
        """Where its API is."""
        return Address(f"http://{HOST}:{self._port}/v1", self._name)

    def has_room_for(self, adapter: ServedAdapter) -> bool:
        """Whether an adapter can be added while it runs, as far as its command line says."""
        return adds_adapters(self._model) and adapter.rank <= self.largest_rank

    @property
    def largest_rank(self) -> int:
        """Of the adapters that it can have; 0 for none."""
        return largest_rank(self._model, self._adapters)

    @property
    def pid(self) -> int:
        """Process id of the keeper."""
        return self._keeper.pid

    def why_gone(self, wait: float = 0.0) -> str:
        """Why there is no server any more; empty where it runs. wait: seconds that it has to end."""
        with suppress(subprocess.TimeoutExpired):
            code = self._keeper.wait(wait)
            self._reading.join(_LAST_WORDS)
            return self._epitaph(code)
        return ""

    def why_broken(self) -> str:
        """`why_gone` after a connection to it broke, which may be the first that is seen of its end."""
        return self.why_gone(_LAST_WORDS)

    def close(self) -> None:
        """End it, and all that it has started. Returns when they are gone."""
        with suppress(OSError):
            self._stdin.close()
        self._keeper.wait()
        self._reading.join(_LAST_WORDS)

    def _begin(self, name: str, told: Callable[[Stage], None]) -> None:
        self._name, self._port = name, _free_port()
        command = server_command(self._model, name, self._port, self._adapters)
        print(f"vLLM server of {self._model.name}: {masked(' '.join(command))}", file=sys.stderr, flush=True)
        self._log, self._heard = LogReader(told), time.monotonic()
        try:
            self._keeper = subprocess.Popen(
                [sys.executable, "-P", "-m", "alignbench.engines.vllm.keeper", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=server_environment(self._model, self.key),
                start_new_session=True,  # it outlives this process, to end the server
            )
        except OSError as error:
            raise EngineError(f"The vLLM server of {self._model.name} could not be started: {error}.") from None
        assert self._keeper.stdin is not None
        self._stdin = self._keeper.stdin
        self._reading = threading.Thread(target=self._read, name=f"log of {name}", daemon=True)
        self._reading.start()

    def _read(self) -> None:
        """Copy its log into ours."""
        assert self._keeper.stdout is not None
        out = self._keeper.stdout.fileno()
        with suppress(OSError):
            while data := os.read(out, 1 << 16):
                self._heard = time.monotonic()
                self._log.feed(data)
                with suppress(OSError):  # no room for the log
                    os.write(2, data)

    def _wait(self, name: str, cancel: Cancellation) -> None:
        while not self._answers(name):
            if why := self.why_gone(_TICK):
                raise EngineError(why)
            if cancel.whole(LOAD):
                raise EngineError(f"The loading of {self._model.name} was cancelled.")
            if (silent := time.monotonic() - self._heard) > self._silent_seconds:
                last = f" Its last words: {said}" if (said := _cut(self._log.last_words)) else ""
                raise EngineError(
                    f"The vLLM server of {self._model.name} hangs: it has said nothing for {silent:.0f} s while it "
                    f"started, and was ended.{last}"
                )

    def _answers(self, name: str) -> bool:
        """Whether it serves the model; another server that has its port does not know the key."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {self.key}"})
            answer = connection.getresponse()
            served = parse_json(answer.read()) if answer.status == 200 else {}
            return name in [entry.get("id") for entry in served.get("data", [])]
        except (OSError, http.client.HTTPException, ValueError, AttributeError, TypeError):
            return False
        finally:
            connection.close()

    def _epitaph(self, code: int) -> str:
        how = f"killed by signal {code - 128}" if code > 128 else f"exit code {code}"
        why = self._log.cause or ("" if code > 128 else self._log.last_words)
        return f"The vLLM server of {self._model.name} ended ({how}){': ' if why else '.'}{_cut(why)}"


def _cut(words: str) -> str:
    """What a server said, for a message."""
    words = masked(words)
    return words if len(words) <= _MOST_OF_CAUSE else f"{words[:_MOST_OF_CAUSE]}…"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
