"""What starts a vLLM server of a model: its command line and its environment."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignbench.engines.memory import VLLM_CPU_GIB, VLLM_CPU_SPACE, argument, on_gpu
from alignbench.errors import EngineError
from alignbench.models.hf_source import parse_source
from alignbench.models.reference import parse_reference
from alignbench.spec import Model

HOST = "127.0.0.1"
KEY_VARIABLE = "VLLM_API_KEY"  # in the environment, since all users of a machine see arguments

_MODULE = "vllm.entrypoints.openai.api_server"  # the same as `vllm serve`, but for how it is told the model

_USUAL: dict[str, str | None] = {
    "--load-format": "safetensors",  # other formats can run code when they are read
    "--stream-interval": "8",  # tokens in a message: each message costs us more than a token costs a GPU
}

_RANKS = (16, 32, 64, 128, 256, 320, 512)  # of those that vLLM can be told as the largest
_KEPT_ADAPTERS = 8  # in memory, so that none is read again whenever the requests of another one have been answered
_ADDING = "VLLM_ALLOW_RUNTIME_LORA_UPDATING"  # of adapters to a server that runs
_FRONT_ENDS = ("--api-server-count", "-asc", "--data-parallel-size", "-dp")  # with several of them none can be added

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


@dataclass(frozen=True, slots=True)
class ServedAdapter:
    """An adapter that a server has.

    Attributes:
        name: what the server calls the model with it
        folder: where the server reads it
        rank: the largest of its matrices
    """

    name: str
    folder: Path
    rank: int


def largest_rank(model: Model, adapters: Sequence[ServedAdapter]) -> int:
    """Of the adapters that a server with these may be given; 0 where it takes none. EngineError where one has more
    than vLLM does."""
    if not adapters and "--enable-lora" not in model.options.args:
        return 0
    rank = max((each.rank for each in adapters), default=0)
    said = argument(model, "--max-lora-rank")
    if said.isdecimal() and int(said) < rank:
        raise EngineError(
            f"An adapter has rank {rank}, and args have --max-lora-rank {said}: raise it, or leave it out."
        )
    if rank > _RANKS[-1]:
        raise EngineError(f"vLLM takes adapters of rank {_RANKS[-1]} or less, and one has {rank}. Take hf: instead.")
    return int(said) if said.isdecimal() else next(each for each in _RANKS if each >= rank)


def adds_adapters(model: Model) -> bool:
    """Whether an adapter can be added to a server that runs."""
    return not any(argument(model, name) for name in _FRONT_ENDS)


def server_command(model: Model, name: str, port: int, adapters: Sequence[ServedAdapter] = ()) -> list[str]:
    """The command line. Raises EngineError where vLLM is not here.

    Args:
        model: that is served
        name: what the server is to call it
        port: of the server
        adapters: that it has from the beginning
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
        *_unless_given(options.args, _USUAL),
        *(_unless_given(options.args, _with_adapters(rank)) if (rank := largest_rank(model, adapters)) else ()),
        *(("--lora-modules", *map(_as_module, adapters)) if adapters else ()),
        *(("--revision", source.revision, "--tokenizer-revision", source.revision) if source.revision else ()),
        *(("--dtype", options.dtype) if options.dtype != "auto" else ()),
        *(("--trust-remote-code",) if options.trust_remote_code else ()),
        *options.args,
    ]


def _with_adapters(rank: int) -> dict[str, str | None]:
    return {"--enable-lora": None, "--max-lora-rank": str(rank), "--max-cpu-loras": str(_KEPT_ADAPTERS)}


def _as_module(adapter: ServedAdapter) -> str:
    return json.dumps({"name": adapter.name, "path": str(adapter.folder)})


def _unless_given(args: tuple[str, ...], usual: Mapping[str, str | None]) -> list[str]:
    """Usual arguments, but those that somebody has chosen otherwise. None: an argument without a value."""
    given = {arg.partition("=")[0] for arg in args}
    wanted = {name: value for name, value in usual.items() if name not in given}
    return [word for pair in wanted.items() for word in pair if word is not None]


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
    own = {"PYTHONUNBUFFERED": "1", **({_ADDING: "True"} if adds_adapters(model) else {})}
    return environment | own | dict(options.env) | {KEY_VARIABLE: key}
