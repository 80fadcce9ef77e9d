"""What a session ran on and with: kept beside the samples, so that a result can be traced."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from alignbench.engines.memory import gpu_names
from alignbench.engines.protocol import Capabilities
from alignbench.machine import usable_cores
from alignbench.spec import Condition, content_hash

_PACKAGES = ("alignbench", "llama-cpp-python", "numpy", "torch", "transformers", "peft", "sentence-transformers")


def manifest(conditions: Sequence[Condition], n: int) -> dict[str, Any]:
    """The resolved configuration and the versions of what decides a text. Values are ready for JSON."""
    return {
        "n": n,
        "conditions": [_condition(condition) for condition in conditions],
        "versions": {name: version for name in _PACKAGES if (version := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": {"cpus": usable_cores(), "gpus": gpu_names()},
        "git": _git_revision(),
        "strict": {"rows": 8, "prefill_chunk": 512, "cut": "end of the context part"},
    }


def loaded_facts(capabilities: Capabilities) -> dict[str, str]:
    """What a loaded model is: its weights, its adapter if it has one, its own template and where it runs; of a
    server, what it did with a seed."""
    adapter = {"adapter": capabilities.adapter_hash} if capabilities.adapter_hash else {}
    replay = {"replay": capabilities.replay} if capabilities.replay else {}
    return {
        "description": capabilities.description,
        "device": capabilities.device,
        "arithmetic": capabilities.arithmetic,
        "weights": capabilities.file_hash,
        **adapter,
        **replay,
        "chat_template": content_hash(capabilities.chat_template) if capabilities.chat_template else "",
    }


def _git_revision() -> str | None:
    """The commit of the checkout that this program runs from, with -dirty where it was changed; None if installed."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _condition(condition: Condition) -> dict[str, Any]:
    settings = condition.settings
    seed, mode = settings.pop("seed"), settings.pop("mode")
    return {
        "name": condition.name,
        "model": asdict(condition.model),
        "context": condition.context.to_json(),
        "sampling": settings,
        "seed": seed,
        "mode": mode,
        "hash": condition.hash,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
