"""A hub model that is not in the cache: what it names is looked at before its weights are fetched."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alignbench.engines.hf.hub import fetched
from alignbench.engines.hf.tokenizer_loading import load_tokenizer
from alignbench.errors import AlignbenchError, EngineError
from alignbench.models.hf_source import HfSource
from alignbench.spec import LoadOptions
from tests.support.hf_folders import byte_tokenizer, tiny_model
from tests.support.later import later

loading = later("alignbench.engines.hf.loading", needs="torch")

COMMIT = "c0ffee" + "0" * 34


class Hub:
    """A hub with one model, org/thing, whose files are those of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []  # names of files that were fetched
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                path = self.path.partition("?")[0]
                name = path.removeprefix(f"/org/thing/resolve/{COMMIT}/")
                data = hub.listing(path) if path.startswith("/api/") else hub.content(name)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha256(data or b"").hexdigest()}"')
                self.end_headers()
                if body and data is not None:
                    hub.asked.append(name)
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

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
        return json.dumps({"id": "org/thing", "sha": COMMIT, "siblings": [{"rfilename": n} for n in names]}).encode()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "there"
    tiny_model("llama").save_pretrained(folder, max_shard_size="20KB")
    byte_tokenizer("{{ messages }}").save_pretrained(folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80")
    (folder / "consolidated.safetensors").write_bytes(b"x")
    (folder / "own.py").write_text("raise SystemExit")
    hub = Hub(folder)
    address = f"http://127.0.0.1:{hub.server.server_port}"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    yield hub
    hub.server.shutdown()
    hub.server.server_close()


def test_what_is_loaded_is_fetched_and_nothing_else(hub: Hub) -> None:
    source = fetched(HfSource("org/thing"), code=False)
    assert source.revision == COMMIT
    loaded = {path.name for path in source.files()}
    assert {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"} <= loaded
    assert len(source.weights()) > 1
    assert loaded <= {*hub.asked}
    assert not {"pytorch_model.bin", "consolidated.safetensors", "own.py"} & {*hub.asked}
    assert loading.load(HfSource("org/thing"), LoadOptions(device="cpu"), lambda _: None).file_hash == COMMIT


def test_a_tokenizer_is_fetched_once_and_without_weights(hub: Hub) -> None:
    tokens = load_tokenizer(HfSource("org/thing"))
    assert (tokens.chat_template, tokens.bos) == ("{{ messages }}", "<s>")
    assert {"tokenizer.json", "tokenizer_config.json"} <= {*hub.asked}
    assert not any(asked.endswith((".safetensors", ".bin", ".py")) for asked in hub.asked)
    hub.asked.clear()
    load_tokenizer(HfSource("org/thing"))
    assert not [name for name in hub.asked if not name.startswith("/api/")]


def test_a_hub_model_without_a_tokenizer(hub: Hub) -> None:
    for file in hub.folder.glob("*tok*"):
        file.unlink()
    (hub.folder / "chat_template.jinja").unlink()
    with pytest.raises(EngineError, match="hf:org/thing has no tokenizer"):
        load_tokenizer(HfSource("org/thing"))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "../other/model.safetensors", "/etc/model.safetensors"])
def test_an_index_is_looked_at_before_weights_are_fetched(hub: Hub, name: str) -> None:
    index = hub.folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    content["weight_map"][min(content["weight_map"])] = name
    index.write_text(json.dumps(content))
    with pytest.raises(AlignbenchError, match="names"):
        loading.load(HfSource("org/thing"), LoadOptions(), lambda _: None)
    assert not any(asked.endswith((".safetensors", ".bin")) for asked in hub.asked)


def test_a_part_that_the_hub_does_not_have(hub: Hub) -> None:
    max(hub.folder.glob("model-*.safetensors")).unlink()
    with pytest.raises(EngineError, match="not all of its files could be fetched"):
        fetched(HfSource("org/thing"), code=False)
