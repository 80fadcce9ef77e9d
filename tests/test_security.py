"""What SECURITY.md promises, end to end."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from alignbench import masking
from alignbench.contexts.templates import _Sandbox
from alignbench.engines.protocol import Loaded
from alignbench.engines.workers.pool import WorkerPool
from alignbench.spec import Model
from tests.support.commands import alignbench
from tests.support.driving import load
from tests.support.server import DONE, MODEL, Reply, ScriptedServer, as_json, piece, refusal

KEY = 'sk-Open"Sesame/0123456789+abcdef='


class EchoServer(ScriptedServer):
    """Sends the key back: in the names of models, in completions cut anywhere, in errors."""

    def listed(self, path: str) -> Reply:  # noqa: ARG002
        return as_json({"data": [{"id": "echo", "owned_by": KEY}, {"id": "refusing"}, {"id": f"model {KEY}"}]})

    def answer(self, path: str, body: dict[str, Any]) -> Reply:  # noqa: ARG002
        if body["model"] == "refusing":
            return refusal(400, f"You sent {self.headers[-1]}")
        if not body.get("stream"):
            return as_json({"choices": [{"index": 0, "message": {"content": KEY}, "finish_reason": "stop"}]})
        text = f"Your key is {KEY}, in short {base64.b64encode(KEY.encode()).decode()}."
        pieces = [piece(text[i : i + 5], chat=True) for i in range(0, len(text), 5)]
        return Reply(pieces=[*pieces, piece("", finish="stop", chat=True), DONE])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EchoServer]:
    server = EchoServer()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    yield server
    server.close()


@pytest.mark.models  # embeds what came
def test_a_key_that_a_server_sends_back_is_nowhere(server: EchoServer, tmp_path: Path) -> None:
    models = [word for name in ("echo", "refusing") for word in ("--model", f"openai:{server.url}#{name}")]
    commands = [
        ["sample", "--prompt", "Why?", "-n", "1", "--max-tokens", "99", "--json", *models],
        ["sample", "--prompt", "Why?", "-n", "1", "--model", f"openai:{server.url}#model sk-Open"],
        ["judge", "1", "--kind", "quality", "--model", f"openai:{server.url}#echo", "--json"],
        ["report", "1", "-o", str(tmp_path / "report.html")],
        ["export", "jsonl", "1", "-o", str(tmp_path / "samples.jsonl")],
        ["sessions", "show", "1", "--json"],
        ["doctor", "--json"],
    ]
    said = []
    for command in commands:
        done = alignbench(*command)
        said.append(done.stdout + done.stderr)
    assert server.headers[-1]["Authorization"] == f"Bearer {KEY}"
    assert "Your key is ***, in short ***." in said[0]
    assert "status 400: You sent" in said[0]
    assert "'model ***'" in said[1] or "serves no 'model sk-Open'" in said[1]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {"alignbench.db", "report.html", "samples.jsonl"} <= {file.name for file in files}
    assert any(file.suffix == ".log" for file in files)
    written = [file.read_bytes() for file in files] + [text.encode() for text in said]
    for spelling in (
        KEY,
        KEY[:12],
        json.dumps(KEY)[1:-1],
        quote(KEY, safe=""),
        base64.b64encode(KEY.encode()).decode(),
    ):
        assert not any(spelling.encode() in data for data in written), spelling


HEADER = "hdr-Open/Sesame+987654321"


class EchoingHeaders(EchoServer):
    """Sends back all headers that it was sent, in completions."""

    def answer(self, path: str, body: dict[str, Any]) -> Reply:  # noqa: ARG002
        text = f"You sent {sorted(self.headers[-1].items())}."
        if not body.get("stream"):
            return as_json({"choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]})
        return Reply(pieces=[piece(text, chat=True), piece("", finish="stop", chat=True), DONE])


def test_keys_and_headers_of_models_toml_are_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_hidden", "_hidden_variables"):
        monkeypatch.setattr(masking, name, dict(getattr(masking, name)))
    monkeypatch.setenv("HOST_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "of-another-server-123")
    server = EchoingHeaders()
    Path(tmp_path, "config").mkdir()
    Path(tmp_path, "config", "models.toml").write_text(
        f'[models.keyed]\nreference = "openai:{server.url}#echo"\nkey_env = "HOST_KEY"\n'
        f'[models.headed]\nreference = "openai:{server.url}#echo"\n'
        f'headers = {{ Authorization = "Bearer {HEADER}", X-Team = "plain-9-value" }}\n'
        "extra_body = { top_a = 0.25 }\n"
    )
    try:
        models = ["--model", "keyed", "--model", "headed"]
        said = [
            alignbench(*command)
            for command in (
                ["sample", "--prompt", "Why?", "-n", "1", "--json", *models],
                ["report", "1", "-o", str(tmp_path / "report.json")],
                ["export", "jsonl", "1", "-o", str(tmp_path / "samples.jsonl")],
                ["sessions", "show", "1", "--json"],
                ["sessions", "show", "1"],
                ["report", "1"],
                ["models", "check", "headed", "--json"],
                ["models", "list", "--json"],
                ["doctor", "--json"],
            )
        ]
    finally:
        server.close()
    assert [done.returncode for done in said[:-1]] == [0] * (len(said) - 1), said
    sent = {headers.get("Authorization") for headers in server.headers}
    assert sent == {f"Bearer {KEY}", f"Bearer {HEADER}"}
    assert "('Authorization', 'Bearer ***')" in said[0].stdout
    assert "top_a" in said[3].stdout, "what changes a text is kept"
    unclear = "every seed gave the same text, so nothing can be told"
    assert f"seeds of this server: {unclear}" in said[4].stdout
    assert f"Measured when it was loaded: {unclear}." in " ".join(said[5].stdout.split())
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != "models.toml"]
    assert {"alignbench.db", "report.json", "samples.jsonl"} <= {file.name for file in files}
    written = [file.read_bytes() for file in files] + [(done.stdout + done.stderr).encode() for done in said]
    for secret in (KEY, KEY[:12], json.dumps(KEY)[1:-1], HEADER, HEADER[:12], "of-another"):
        assert not any(secret.encode() in data for data in written), secret
    in_settings = [data for data in written if b"plain-9-value" in data]
    assert all(b"You sent" in data for data in in_settings), "no setting is written: it came back as a text"


REFERENCE = "openai:http://me:sesame@127.0.0.1:9/v1#m"


@pytest.mark.parametrize(
    "command",
    [
        ["sample", "--prompt", "Why?", "--model", REFERENCE],
        ["sample", "--prompt", "Why?", "--model", REFERENCE.removeprefix("openai:")],
        ["sample", "--prompt", "Why?", "--condition", f"a={REFERENCE}"],
        ["likelihood", "--prompt", "Why?", "--response", "So.", "--model", REFERENCE],
        ["run", "experiment.toml"],
        ["run", "experiment.toml", "--detach"],
        ["models", "list", "--json"],
        ["doctor", "--json"],
    ],
)
def test_a_password_in_an_address_is_nowhere(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    experiment = f'prompts = {{ files = ["q.jsonl"] }}\n[[conditions]]\nname = "a"\nmodel = "{REFERENCE}"\n'
    Path("experiment.toml").write_text(experiment)
    Path("q.jsonl").write_text('{"id": "q", "prompt": "Why?"}\n')
    Path(tmp_path, "config").mkdir()
    Path(tmp_path, "config", "models.toml").write_text(f'[models.big]\nreference = "{REFERENCE}"\n')
    done = alignbench(*command)
    assert "sesame" not in done.stdout + done.stderr
    assert "password" in done.stdout + done.stderr or "***@" in done.stdout + done.stderr
    database = tmp_path / "alignbench.db"
    assert not database.exists() or b"sesame" not in database.read_bytes()


PLANTED = "import pathlib\npathlib.Path('ran').touch()\nraise SystemExit('this came from the current folder')\n"


@pytest.fixture
def hostile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with modules in it that are called as others that are imported."""
    folder = tmp_path / "downloaded"
    folder.mkdir()
    for name in ("jinja2", "httpx", "numpy", "json", "queue"):
        (folder / f"{name}.py").write_text(PLANTED)
    monkeypatch.chdir(folder)
    return folder


def test_templates_are_rendered_without_keys_and_without_code_of_the_current_folder(
    hostile_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_open_sesame")
    sandbox = _Sandbox()
    try:
        answer = sandbox.ask({"source": "{{ 1 + 1 }}", "layout": True, "variables": [{}]})
        assert answer == {"texts": ["2"]}
        if sys.platform == "linux":
            process = sandbox._process
            assert process is not None
            assert b"sesame" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        sandbox.close()
    assert not (hostile_folder / "ran").exists()


def test_models_are_loaded_without_code_of_the_current_folder(hostile_folder: Path) -> None:
    server = ScriptedServer()
    pool = WorkerPool(threads=1)
    try:
        assert isinstance(load(pool, Model("m", f"openai:{server.url}#{MODEL}", "aligned")), Loaded)
    finally:
        pool.close()
        server.close()
    assert not (hostile_folder / "ran").exists()
