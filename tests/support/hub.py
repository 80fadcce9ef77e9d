"""A hub with one model, on loopback: the few endpoints that huggingface_hub asks to list and to fetch it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "c0ffee" + "0" * 34
REPOSITORY = "org/thing"


class Hub:
    """Its model has the files of a folder.

    Attributes:
        asked: names of files that were fetched
        ranges: where fetches began that went on with a file
        cut_after: bytes of a file after which the connection is lost; None: never
        commit: of its files
        gated: whether the model's page asks who one is, or only for its files
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.ranges: list[int] = []
        self.cut_after: int | None = None
        self.gated: bool | str = False
        self.commit = COMMIT
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                path = self.path.partition("?")[0]
                if f"/{REPOSITORY}" not in path:
                    self.refuse(401, "RepoNotFound")
                elif hub.gated is True or (hub.gated == "files" and not path.startswith("/api/")):
                    self.refuse(403, "GatedRepo")
                elif path.startswith("/api/") and "/revision/" in path and not path.endswith(("/main", COMMIT)):
                    self.refuse(404, "RevisionNotFound")
                elif path.startswith("/api/"):
                    self.send(hub.listing(path), path, body)
                else:
                    name = path.removeprefix(f"/{REPOSITORY}/resolve/{COMMIT}/")
                    self.send(hub.content(name), name, body)

            def refuse(self, status: int, code: str) -> None:
                self.send_response(status)
                self.send_header("X-Error-Code", code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def send(self, data: bytes | None, name: str, body: bool) -> None:
                start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
                left = (data or b"")[start:]
                self.send_response(404 if data is None else 206 if start else 200)
                self.send_header("Content-Length", str(len(left)))
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data or b'') - 1}/{len(data or b'')}")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha256(data or b"").hexdigest()}"')
                self.end_headers()
                if body and data is not None:
                    hub.asked.append(name)
                    if start:
                        hub.ranges.append(start)
                    if not name.startswith("/api/") and hub.cut_after is not None and len(left) > hub.cut_after:
                        self.wfile.write(left[: hub.cut_after])
                        self.close_connection = True
                        return
                    self.wfile.write(left)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def content(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def listing(self, path: str) -> bytes:
        files = [file for file in sorted(self.folder.rglob("*")) if file.is_file()]
        names = [str(file.relative_to(self.folder)) for file in files]
        if "/tree/" in path:
            sizes = [
                {"type": "file", "path": n, "size": f.stat().st_size, "oid": n}
                for n, f in zip(names, files, strict=True)
            ]
            return json.dumps(sizes).encode()
        siblings: list[dict[str, object]] = [
            {"rfilename": n, "size": f.stat().st_size} for n, f in zip(names, files, strict=True)
        ]
        return json.dumps({"id": REPOSITORY, "sha": self.commit, "siblings": siblings}).encode()


@contextmanager
def serving(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub of a folder's files, which huggingface_hub takes for the one there is. cache: its folder."""
    hub = Hub(folder)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        hub.address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    try:
        yield hub
    finally:
        hub.server.shutdown()
        hub.server.server_close()
