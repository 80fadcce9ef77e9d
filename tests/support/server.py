"""OpenAI-compatible servers on loopback: one that answers as a test says, and llama-cpp-python's own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.support.waiting import LIMIT

MODEL = "some-model"


@dataclass(frozen=True)
class Reply:
    """An answer. pieces: written one by one, `pause` seconds before each. whole: whether it is ended as HTTP wants it,
    or the connection is dropped."""

    status: int = 200
    kind: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()
    pause: float = 0.0
    whole: bool = True


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, "application/json", headers, [json.dumps(value).encode()])


def refusal(status: int, message: str, **headers: str) -> Reply:
    return as_json({"error": {"message": message, "type": "error", "param": None, "code": None}}, status, **headers)


HTML = Reply(kind="text/html", pieces=[b"<!doctype html><html><body>Welcome</body></html>"])
DONE = b"data: [DONE]\n\n"


def event(choices: Sequence[dict[str, Any]], **fields: object) -> bytes:
    return b"data: " + json.dumps({"choices": choices, **fields}).encode() + b"\n\n"


def piece(text: str, *, index: int = 0, finish: str | None = None, chat: bool = False, **fields: object) -> bytes:
    """An event with a piece of a response."""
    said: dict[str, object] = {"delta": {"content": text}} if chat else {"text": text}
    return event([{"index": index, "finish_reason": finish, **said, **fields}])


def response(text: str, *, finish: str = "stop", chat: bool = False) -> list[bytes]:
    """The events of a whole response, a word each."""
    words = [word + " " for word in text.split(" ")]
    words[-1] = words[-1][:-1]
    pieces = [piece(word, chat=chat) for word in words]
    usage = event([], usage={"prompt_tokens": 7, "completion_tokens": len(words)})
    return [*pieces, piece("", finish=finish, chat=chat), usage, DONE]


def text_of(seed: int) -> str:
    """What the server says to a seed unless a test wants something else."""
    return f"the answer to {seed}"


class ScriptedServer:
    """Answers streamed requests from `script` while it lasts, then with `text_of` their seeds.

    requests: the bodies of the streamed requests. tried: those of the trial requests, which are not streamed.
    trial: the answer to those, if not the usual one. has_n: gives n choices. refuses: fields that no request may have.
    headers: of all requests. Subclasses answer GET in `listed`, POST in `answer`.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.tried: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.script: deque[Reply] = deque()
        self.by_seed: dict[int, Callable[[], Reply]] = {}
        self.models: Reply = as_json({"data": [{"id": MODEL, "max_model_len": 4096}, {"id": "another"}]})
        self.trial: Reply | None = None
        self.has_n = False
        self.refuses: set[str] = set()
        self.gone = threading.Event()  # set when a client has left before the end of an answer
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"scripted": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def listed(self, path: str) -> Reply:
        """The answer to a GET."""
        return self.models if path == "/v1/models" else refusal(404, "Not Found")

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        with self._lock:
            if not body.get("stream"):
                self.tried.append(body)
                return self._refused(body) or self.trial or self._words(body)
            self.requests.append(body)
            if refused := self._refused(body):
                return refused
            if self.script:
                return self.script.popleft()
            if body.get("seed") in self.by_seed:
                return self.by_seed[body["seed"]]()
        chat = path.endswith("/chat/completions")
        if self.has_n and body.get("n", 1) > 1:
            n = body["n"]
            texts = [piece(text_of(body["seed"] + i), index=i, finish="stop", chat=chat) for i in range(n)]
            return Reply(pieces=[*reversed(texts), event([], usage={"prompt_tokens": 7}), DONE])
        return Reply(pieces=response(text_of(body.get("seed", 0)), chat=chat))

    def _refused(self, body: dict[str, Any]) -> Reply | None:
        for name in self.refuses & set(body):
            return refusal(400, f"Unrecognized request argument supplied: {name}")
        return None

    def _words(self, body: dict[str, Any]) -> Reply:
        n = body.get("n", 1) if self.has_n else 1
        return as_json({"choices": [{"index": i, "text": f"word {i}", "finish_reason": "stop"} for i in range(n)]})


class _Handler(BaseHTTPRequestHandler):
    scripted: ScriptedServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.scripted.headers.append(dict(self.headers))
        self._reply(self.scripted.listed(self.path))

    def do_POST(self) -> None:
        self.scripted.headers.append(dict(self.headers))
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._reply(self.scripted.answer(self.path, body))

    def _reply(self, reply: Reply) -> None:
        self.close_connection = True
        try:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")
            for name, value in reply.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            for data in reply.pieces:
                time.sleep(reply.pause)
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                self.wfile.flush()
            if reply.whole:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.scripted.gone.set()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal of the tests."""


@contextmanager
def llama_cpp_server(folder: Path, weights: Path, n_ctx: int = 512) -> Iterator[str]:
    """llama-cpp-python's server with one model under two names; its address.

    `smol` gives no log-probs, `smol-logprobs` does. n_ctx: the window of the latter, each place of which has logits.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"model": str(weights), "n_threads": 2, "verbose": False}
    models = [
        {**common, "model_alias": "smol", "n_ctx": 2048, "logits_all": False},
        {**common, "model_alias": "smol-logprobs", "n_ctx": n_ctx, "logits_all": True},
    ]
    config = folder / "server.json"
    config.write_text(json.dumps({"host": "127.0.0.1", "port": port, "models": models}))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", "--config_file", str(config)], stdout=log, stderr=log
        )
    try:
        _wait(f"http://127.0.0.1:{port}/v1/models", process, folder / "server.log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
