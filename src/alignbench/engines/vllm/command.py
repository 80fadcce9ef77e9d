"""What starts a vLLM server of a model: its command line and its environment."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from alignbench.engines.memory import VLLM_CPU_GIB, VLLM_CPU_SPACE, on_gpu
from alignbench.errors import EngineError
from alignbench.models.hf_source import parse_source
from alignbench.models.reference import parse_reference
from alignbench.spec import Model

HOST = "127.0.0.1"
KEY_VARIABLE = "VLLM_API_KEY"  # in the environment, since all users of a machine see arguments

_MODULE = "vllm.entrypoints.openai.api_server"  # the same as `vllm serve`, but for how it is told the model

_USUAL = {
    "--load-format": "safetensors",  # other formats can run code when they are read
    "--stream-interval": "8",  # tokens in a message: each message costs us more than a token costs a GPU
}

# What a worker has in its environment for libraries of its own; see engines.workers.child.
_OF_WORKERS = ("GOMP_SPINCOUNT", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM")


def find_vllm() -> Path | None:
    """The `vllm` command of this environment, or else of the PATH; None where there is none."""
    beside = Path(sys.executable).with_name("vllm")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("vllm")
    return Path(found) if found else None


def vllm_version(command: Path) -> str:
    """The version of the package that a `vllm` command is of, by its metadata; empty where that is not beside it."""
    return _package(command)[1]


def _package(command: Path) -> tuple[str, str]:
    """Name and version of the package that a `vllm` command is of: vllm, or vllm_cpu."""
    for name in ("vllm", "vllm_cpu"):
        for folder in command.parent.parent.glob(f"lib/python3*/site-packages/{name}-*.dist-info"):
            return name, folder.name.removesuffix(".dist-info").removeprefix(f"{name}-")
    return "", ""


def _serving(command: Path) -> list[str]:
    """What begins a server. The command of vllm-cpu looks for a package that goes by vLLM's own name."""
    if _package(command)[0] == "vllm_cpu":
        return [str(command.with_name("python")), "-m", _MODULE]
    return [str(command), "serve"]


def server_command(model: Model, name: str, port: int) -> list[str]:
    """The command line. Raises EngineError where vLLM is not here.

    name: what the server is to call the model
    """
    options = model.options
    source = parse_source(parse_reference(model.reference).target)
    command = list(options.command)
    if not command:
        vllm = find_vllm()
        if vllm is None:
            raise EngineError(
                f"{model.name} needs vLLM, and there is no command vllm on the PATH: install it (pip install vllm), or "
                'say in models.toml where it is: command = ["/path/to/vllm", "serve"].'
            )
        command = _serving(vllm)
    return [
        *command,
        *(("--model", source.location) if command[-1] == _MODULE else (source.location,)),
        *("--host", HOST, "--port", str(port), "--served-model-name", name),
        *("--enable-tokenizer-info-endpoint", "--disable-uvicorn-access-log"),
        *_unless_given(options.args),
        *(("--revision", source.revision, "--tokenizer-revision", source.revision) if source.revision else ()),
        *(("--dtype", options.dtype) if options.dtype != "auto" else ()),
        *(("--trust-remote-code",) if options.trust_remote_code else ()),
        *options.args,
    ]


def _unless_given(args: tuple[str, ...]) -> list[str]:
    """The usual arguments, but those that somebody has chosen otherwise."""
    given = {arg.partition("=")[0] for arg in args}
    return [word for name, value in _USUAL.items() if name not in given for word in (name, value)]


def server_environment(model: Model, key: str) -> dict[str, str]:
    """The environment: alignbench's own, what models.toml adds, and the key that the server is to ask for."""
    options = model.options
    environment = {name: value for name, value in os.environ.items() if name not in _OF_WORKERS}
    if not on_gpu(model):  # else it would take nearly all the memory for its cache
        environment.setdefault(VLLM_CPU_SPACE, str(VLLM_CPU_GIB))
        if "--enforce-eager" in options.args:  # the log-probs of prompts are compiled all the same, for minutes
            environment.setdefault("TORCHDYNAMO_DISABLE", "1")
    if options.device.startswith("cuda:"):
        environment["CUDA_VISIBLE_DEVICES"] = options.device.removeprefix("cuda:")
    return environment | {"PYTHONUNBUFFERED": "1"} | dict(options.env) | {KEY_VARIABLE: key}
