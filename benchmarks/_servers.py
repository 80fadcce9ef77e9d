"""llama-server and vLLM as benchmarks start them, each from its own environment (tools/servers.sh)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignbench.engines.hf.engine import TransformersEngine

ENVIRONMENTS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alignbench" / "servers"
PATIENCE = 600  # seconds, for a start or a request

_LLAMA_SERVER = """
import sys, xllamacpp
path, port, slots, context, threads = sys.argv[1], *map(int, sys.argv[2:])
params = xllamacpp.CommonParams()
params.model.path, params.port, params.n_parallel, params.n_ctx = path, port, slots, context
params.model_alias, params.kv_unified, params.warmup = {"m"}, True, False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
server = xllamacpp.Server(params)
sys.stdin.read()  # until whoever started it has ended
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs on this machine."""

    port: int
    model: str

    def complete(self, prompt: str, n: int, tokens: int) -> int:
        """One request for n completions of so many tokens each; how many were drawn."""
        body = {
            "model": self.model, "prompt": prompt, "n": n, "max_tokens": tokens, "min_tokens": tokens,
            "ignore_eos": True, "temperature": 0.7, "top_p": 1.0, "min_p": 0.0,
        }  # fmt: skip
        choices = self._asked("/v1/completions", body)["choices"]
        assert len(choices) == n, f"{len(choices)} of {n} completions"
        return n * tokens

    def complete_all(self, prompts: Sequence[str], n: int, tokens: int, width: int) -> int:
        """So many requests at a time."""
        with ThreadPoolExecutor(width) as pool:
            return sum(pool.map(lambda prompt: self.complete(prompt, n, tokens), prompts))

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            self._asked("/v1/models", None)
        except OSError:
            return False
        return True

    def _asked(self, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)


@contextmanager
def llama_server(path: Path, slots: int, context: int, threads: int) -> Iterator[Server]:
    """llama.cpp's own server on a GGUF file. context: tokens that all slots share."""
    port = _free_port()
    arguments = [str(path), str(port), str(slots), str(context), str(threads)]
    command = [str(ENVIRONMENTS / "llama-server" / "bin" / "python"), "-c", _LLAMA_SERVER, *arguments]
    with _running(command, {}, Server(port, "m")) as server:
        yield server


@contextmanager
def vllm(folder: Path, dtype: str, threads: int) -> Iterator[Server]:
    """vLLM for CPUs on a folder of safetensors."""
    port = _free_port()
    command = [
        str(ENVIRONMENTS / "vllm" / "bin" / "python"), "-m", "vllm.entrypoints.openai.api_server",
        "--model", str(folder), "--served-model-name", "m", "--host", "127.0.0.1", "--port", str(port),
        "--dtype", dtype, "--enforce-eager", "--max-model-len", "2048", "--max-num-seqs", "64",
    ]  # fmt: skip
    environment = {"VLLM_CPU_KVCACHE_SPACE": "2", "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    with _running(command, environment, Server(port, "m")) as server:
        yield server


def as_safetensors(engine: TransformersEngine, folder: Path) -> None:
    """Write the weights and the tokenizer of an engine as a hub model lies in a folder."""
    model = engine._model
    if getattr(model.config, "quantization_config", None) is not None:  # it says how they lay in a GGUF file
        del model.config.quantization_config
    model.save_pretrained(folder)
    engine._tokens._tokenizer.save_pretrained(folder)


def is_there(name: str) -> bool:
    """Whether the environment of a server was made."""
    return (ENVIRONMENTS / name / "bin" / "python").exists()


@contextmanager
def _running(command: Sequence[str], environment: dict[str, str], server: Server) -> Iterator[Server]:
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + PATIENCE
        while not server.is_up():
            assert process.poll() is None, f"{command[0]} ended with {process.returncode} while it began"
            assert time.monotonic() < end, "the server did not begin"
            time.sleep(0.5)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
