"""Whether the packages are installed that run a model, and how to install them."""

from __future__ import annotations

import sys

from alignbench.errors import InputError
from alignbench.extras import install_line, is_installed
from alignbench.models.embedded import DEMOS
from alignbench.models.reference import Reference

_RUN_BY = {  # of each scheme whose models are loaded here: what is imported, in which extra
    "demo": ("llama_cpp", "llama"),
    "llama": ("llama_cpp", "llama"),
    "hf": ("transformers", "transformers"),
}


def why_not_installed(reference: Reference) -> str:
    """What a model needs that is not installed, and the line that installs it; empty where nothing is missing."""
    if reference.scheme == "vllm" and sys.platform != "linux":
        return f"{reference}: vLLM servers are started on Linux alone; name one that runs as openai:http://HOST:PORT/v1#NAME."
    missing, extras = [], []
    if (run_by := _RUN_BY.get(reference.scheme)) is not None and not is_installed(run_by[0]):
        missing.append(run_by[0])
        extras.append(run_by[1])
    if reference.scheme == "demo":
        try:
            DEMOS[reference.target].find_parts()
        except InputError:
            missing.append("the package of its weights")
            extras.append("demo")
    if not missing:
        return ""
    return f"What {reference} needs is not installed ({', '.join(missing)}): {install_line(*extras)}"
