"""The life of a server process: how it begins, hangs, breaks and ends. Scripts stand for vLLM here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.protocol import LOAD
from alignbench.engines.vllm.log import Stage
from alignbench.engines.vllm.server import VllmServer
from alignbench.errors import EngineError
from alignbench.spec import LoadOptions, Model
from tests.support.waiting import wait_until

pytestmark = pytest.mark.linux

# Answers /v1/models to who knows the key, and has a child in a session of its own, which ignores SIGTERM.
_SERVES = """\
    import http.server, json, os, signal, subprocess, sys
    args = dict(zip(sys.argv[2::2], sys.argv[3::2]))
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(999)"
    child = subprocess.Popen([sys.executable, "-c", deaf], start_new_session=True, stdout=subprocess.PIPE)
    child.stdout.readline()
    open(os.environ["NOTES"], "w").write(json.dumps([os.getpid(), child.pid, sys.argv]))
    class Handler(http.server.BaseHTTPRequestHandler):
        log_message = lambda *args: None
        def do_GET(self):
            known = self.headers["Authorization"] == "Bearer " + os.environ["VLLM_API_KEY"]
            self.send_response(200 if known else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"data": [{"id": args["--served-model-name"]}]}).encode())
    print("Starting to load model", flush=True)
    http.server.HTTPServer((args["--host"], int(args["--port"])), Handler).serve_forever()
"""


class _Notes:
    """What a script that serves has written down."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def pids(self) -> list[int]:
        return list(json.loads(self.file.read_text())[:2])

    @property
    def args(self) -> list[str]:
        return list(json.loads(self.file.read_text())[2])


Start = Callable[..., VllmServer]


@pytest.fixture
def notes(tmp_path: Path) -> _Notes:
    return _Notes(tmp_path / "notes")


@pytest.fixture
def start(tmp_path: Path, notes: _Notes) -> Start:
    def start(
        script: str, *, cancel: Cancellation | None = None, silent: float = 300.0, **options: object
    ) -> VllmServer:
        file = tmp_path / "vllm.py"
        file.write_text(textwrap.dedent(script))
        loading = LoadOptions(
            command=(sys.executable, str(file)),
            env=(("NOTES", str(notes.file)),),
            **options,  # type: ignore[arg-type]
        )
        model = Model("big", f"vllm:{tmp_path}", "base", loading)
        return VllmServer(model, "served", cancel or Cancellation(), told.append, silent_seconds=silent)

    told: list[Stage] = []
    return start


def _is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_server_is_started_with_its_settings_and_ended_with_all_it_started(start: Start, notes: _Notes) -> None:
    server = start(_SERVES, dtype="float32", args=("--seed", "7"))
    assert server.why_gone() == ""
    assert server.address.base_url.startswith("http://127.0.0.1:")
    assert server.key not in " ".join(notes.args)
    assert notes.args[-4:] == ["--dtype", "float32", "--seed", "7"]
    assert notes.args[notes.args.index("--load-format") + 1] == "safetensors"
    server.close()
    assert not any(map(_is_there, notes.pids))
    start(_SERVES, args=("--load-format=gguf",)).close()
    assert "safetensors" not in notes.args


def test_a_server_that_is_killed_says_so_and_leaves_no_process(start: Start, notes: _Notes) -> None:
    server = start(_SERVES)
    os.kill(notes.pids[0], signal.SIGKILL)
    assert server.why_gone(wait=60) == "The vLLM server of big ended (killed by signal 9)."
    assert not any(map(_is_there, notes.pids))


def test_no_process_outlives_the_one_that_began_the_server(tmp_path: Path, notes: _Notes) -> None:
    (tmp_path / "vllm.py").write_text(textwrap.dedent(_SERVES))
    script = f"""\
        import os, signal, sys
        from alignbench.engines.cancellation import Cancellation
        from alignbench.engines.vllm.server import VllmServer
        from alignbench.spec import LoadOptions, Model
        command = (sys.executable, {str(tmp_path / "vllm.py")!r})
        options = LoadOptions(command=command, env=(("NOTES", {str(notes.file)!r}),))
        VllmServer(Model("big", {f"vllm:{tmp_path}"!r}, "base", options), "served", Cancellation(), print)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, capture_output=True)
    wait_until(lambda: not any(map(_is_there, notes.pids)))


def test_a_server_that_breaks_while_it_starts_is_an_error_with_the_cause(start: Start) -> None:
    with pytest.raises(EngineError) as failure:
        start("raise ValueError('no room')")
    assert str(failure.value) == "The vLLM server of big ended (exit code 1): ValueError: no room"


def test_a_server_that_says_nothing_hangs(start: Start) -> None:
    with pytest.raises(EngineError, match=r"hangs: it has said nothing for \d+ s .*Its last words: loading"):
        start("import time\nprint('loading', flush=True)\ntime.sleep(999)", silent=1.0)


def test_a_load_that_is_cancelled_ends_the_server(start: Start) -> None:
    cancel = Cancellation()
    cancel.cancel(LOAD, None)
    with pytest.raises(EngineError, match="The loading of big was cancelled"):
        start("import time\ntime.sleep(999)", cancel=cancel)


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    model = Model("big", f"vllm:{tmp_path}", "base", LoadOptions(command=("/nowhere/vllm", "serve")))
    with pytest.raises(EngineError, match="/nowhere/vllm cannot be run: No such file"):
        VllmServer(model, "served", Cancellation(), print)


def test_without_vllm_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(EngineError, match=r"needs vLLM.*pip install vllm.*command = "):
        VllmServer(Model("big", f"vllm:{tmp_path}", "base"), "served", Cancellation(), print)
