"""Real servers with an embedded model: llama_cpp.server, and vLLM and llama-server in the environments that
tools/servers.sh makes.

`make test-servers` names their folder in ALIGNBENCH_TEST_SERVERS; without it nothing here is collected.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.protocol import Loaded
from alignbench.engines.vllm.server import VllmServer
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve, weights_path
from alignbench.models.openai_address import parse_address
from alignbench.spec import LoadOptions, Model
from tests.support.driving import load
from tests.support.served import Served
from tests.support.server import llama_cpp_server
from tests.support.waiting import wait_until

SERVERS = Path(os.environ.get("ALIGNBENCH_TEST_SERVERS", ""))
collect_ignore_glob = [] if "ALIGNBENCH_TEST_SERVERS" in os.environ else ["test_*.py"]

# Runs llama-server until it is killed. Arguments: the weights, the port.
_LLAMA_SERVER = """
import os, sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.kv_unified = 8192, 4, True
params.api_keys = [os.environ["SERVER_KEY"]]
server = xllamacpp.Server(params)
while True:
    time.sleep(1000)
"""
# Writes the weights of a GGUF file as safetensors, as a hub model lies in a folder. Arguments: the file, the folder.
_AS_SAFETENSORS = """
import sys
from alignbench.engines.hf.loading import load
from alignbench.models.hf_source import parse_source
from alignbench.spec import LoadOptions
loaded = load(parse_source(sys.argv[1]), LoadOptions(device="cpu"), lambda _: None)
if getattr(loaded.model.config, "quantization_config", None) is not None:
    del loaded.model.config.quantization_config
loaded.model.save_pretrained(sys.argv[2])
loaded.tokenizer.save_pretrained(sys.argv[2])
"""


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The smallest of the embedded models that has a chat template."""
    return weights_path(resolve("demo-smollm2"))


@pytest.fixture(scope="session")
def folder(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its weights as safetensors, float32."""
    folder = tmp_path_factory.mktemp("weights") / "smollm2"
    subprocess.run([sys.executable, "-c", _AS_SAFETENSORS, str(gguf), str(folder)], check=True)
    return folder


@pytest.fixture(scope="session")
def options() -> LoadOptions:
    """How vLLM is started on a machine without a GPU, in the environment of the tests."""
    return LoadOptions(
        dtype="float32",
        command=(str(SERVERS / "vllm/bin/python"), "-m", "vllm.entrypoints.openai.api_server"),
        args=("--enforce-eager", "--max-model-len", "4096"),
        env=(("VLLM_CPU_KVCACHE_SPACE", "1"),),
    )


@pytest.fixture(scope="session")
def vllm(folder: Path, options: LoadOptions) -> Iterator[Served]:
    """vLLM, as a server that somebody else runs."""
    server = VllmServer(Model("smol", f"vllm:{folder}", "aligned", options), "smol", Cancellation(), print)
    local = Model("smol-hf", f"hf:{folder}", "aligned", LoadOptions(device="cpu", dtype="float32"))
    yield Served(Model("smol-vllm", f"openai:{server.address.base_url}#smol", "aligned"), local, server.key)
    server.close()


@pytest.fixture(scope="session")
def llama_server(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key, log = "a-key-of-the-tests", (tmp_path_factory.mktemp("llama-server") / "log").open("wb")
    command = [str(SERVERS / "llama-server/bin/python"), "-c", _LLAMA_SERVER, str(gguf), str(port)]
    process = subprocess.Popen(command, env={**os.environ, "SERVER_KEY": key}, stdout=log, stderr=log)
    url, headers = f"http://127.0.0.1:{port}/v1", {"Authorization": f"Bearer {key}"}

    def names() -> list[str]:
        assert process.poll() is None, Path(log.name).read_text()
        try:
            return [entry["id"] for entry in httpx.get(f"{url}/models", headers=headers).json()["data"]]
        except (httpx.HTTPError, KeyError, json.JSONDecodeError):
            return []

    wait_until(names)
    yield Served(Model("smol-llama-server", f"openai:{url}#{names()[0]}", "aligned"), resolve("demo-smollm2"), key)
    process.kill()
    process.wait()
    log.close()


@pytest.fixture(scope="session")
def llama_cpp(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """llama_cpp.server, of our own environment, which asks for no key."""
    with llama_cpp_server(tmp_path_factory.mktemp("llama-cpp"), gguf, n_ctx=2048) as url:
        yield Served(Model("smol-llama-cpp", f"openai:{url}#smol-logprobs", "aligned"), resolve("demo-smollm2"), "")


@pytest.fixture(scope="session", params=["vllm", "llama_server", "llama_cpp"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Each of the servers, with the key for it in the environment."""
    served: Served = request.getfixturevalue(request.param)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OPENAI_API_KEY", served.key)
        patched.setenv("OPENAI_BASE_URL", parse_address(served.model.reference.removeprefix("openai:")).base_url)
        yield served


@pytest.fixture(scope="session")
def pool(served: Served) -> Iterator[WorkerPool]:
    """A pool that has the served model, and the one of ours."""
    pool = WorkerPool()
    for model in (served.model, served.local):
        event = load(pool, model)
        assert isinstance(event, Loaded), event
    yield pool
    pool.close()
