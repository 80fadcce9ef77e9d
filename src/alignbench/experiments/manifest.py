"""What a session ran on and with: kept beside the samples, so that a result can be traced."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from typing import Any

from alignbench.spec import Condition

_PACKAGES = ("alignbench", "llama-cpp-python", "numpy", "torch", "transformers", "sentence-transformers")


def manifest(conditions: Sequence[Condition], n: int) -> dict[str, Any]:
    """The resolved configuration and the versions of what decides a text. Values are ready for JSON."""
    return {
        "n": n,
        "conditions": [_condition(condition) for condition in conditions],
        "versions": {name: version for name in _PACKAGES if (version := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "strict": {"rows": 8, "prefill_chunk": 512, "cut": "end of the context part"},
    }


def _condition(condition: Condition) -> dict[str, Any]:
    return {
        "name": condition.name,
        "model": asdict(condition.model),
        "context": condition.context.to_json(),
        "sampling": asdict(condition.sampling),
        "seed": condition.seed,
        "mode": condition.mode,
        "hash": condition.hash,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
