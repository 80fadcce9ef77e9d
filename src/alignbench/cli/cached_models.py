"""`alignbench models list --cached`: what hubs gave, and what names it."""

from __future__ import annotations

from pathlib import Path

from alignbench.cli import printing
from alignbench.cli.tables import print_table
from alignbench.models.cached import cached_models
from alignbench.models.catalog import inventory
from alignbench.models.hf_source import hub_cache


def print_cached(models_file: Path | None, as_json: bool) -> None:
    """The models of the cache, with the names that models.toml has for them."""
    models, warnings = cached_models()
    names: dict[str, list[str]] = {}
    for status in inventory(models_file=models_file):
        names.setdefault(status.reference.partition("+")[0].replace("vllm:", "hf:"), []).append(status.name)
    for warning in warnings:
        printing.say(f"left out: {warning}")
    if as_json:
        for model in models:
            printing.json_data(
                {
                    "repository": model.repository,
                    "revision": model.revision,
                    "commit": model.commit,
                    "bytes": model.size,
                    "path": str(model.path),
                    "reference": model.reference or None,
                    "names": names.get(model.reference, []),
                }
            )
        return
    if not models:
        printing.say(f"{hub_cache()} has no models; alignbench models pull fetches one")
        return
    print_table(
        ("repository", "revision", "size", "reference", "names"),
        [
            (
                model.repository,
                model.revision[:12],
                f"{model.size / 1e6:,.0f} MB",
                model.reference or "-",
                ", ".join(names.get(model.reference, [])) or "-",
            )
            for model in models
        ],
    )
