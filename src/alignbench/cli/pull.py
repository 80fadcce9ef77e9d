"""`alignbench models pull`: a model of a hub, fetched before it is used."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench.cli import printing
from alignbench.errors import InputError

if TYPE_CHECKING:
    from alignbench.models.hf_source import HfSource
    from alignbench.models.hub_gguf import HubGguf
    from alignbench.progress import Progress


def pull(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REFERENCE",
            help="hf:org/name[@revision], llama:org/name-GGUF:Q4_K_M or llama:org/name-GGUF:FILE.gguf.",
        ),
    ],
) -> None:
    """Fetch a model of a hub into the local cache.

    Interrupted, it goes on where it was when the command is repeated. On stdout: where it is. HF_HUB_CACHE names the
    cache, HF_TOKEN a key for models that are not open to all.
    """
    from alignbench.cli.progress import ProgressBar
    from alignbench.models.hub_files import bytes_kept
    from alignbench.models.hub_gguf import HubGguf

    wanted, adapter = _parts(reference)
    source = wanted.source if isinstance(wanted, HubGguf) else wanted
    try:
        with ProgressBar(narrated=True, of_bytes=True) as progress:
            place = _fetch(wanted, progress)
            if adapter is not None:
                from alignbench.models.hub import fetched_adapter

                fetched_adapter(adapter, progress)
    except KeyboardInterrupt:
        kept = f"; {bytes_kept(source) / 1e6:,.1f} MB are kept" if bytes_kept(source) else ""
        printing.say(f"interrupted{kept}. To go on: alignbench models pull {shlex.quote(reference)}")
        raise typer.Exit(130) from None
    printing.say(f"{reference} is in the local cache")
    printing.data(str(place))


def _parts(reference: str) -> tuple[HfSource | HubGguf, HfSource | None]:
    """What is to be fetched: the model, and its adapter where a hub has that too."""
    from alignbench.models.hf_source import parse_source
    from alignbench.models.hub_gguf import parse_hub_gguf
    from alignbench.models.peft_adapter import adapter_source
    from alignbench.models.reference import parse_reference

    parsed = parse_reference(reference)
    expected = "expected hf:org/name[@revision], llama:org/name-GGUF:Q4_K_M or llama:org/name-GGUF:FILE.gguf."
    if parsed.scheme == "llama":
        if (gguf := parse_hub_gguf(parsed.target)) is not None:
            return gguf, None
        raise InputError(f"{reference} is a file of this machine, not of a hub; {expected}")
    if parsed.scheme not in ("hf", "vllm"):
        raise InputError(f"{reference} is no model of a hub; {expected}")
    source = parse_source(parsed.target)
    if source.is_local:
        raise InputError(f"{reference} is a folder of this machine, not of a hub; {expected}")
    adapter = None if parsed.adapter is None else adapter_source(parsed.adapter.target)
    return source, None if adapter is None or adapter.is_local else adapter


def _fetch(wanted: HfSource | HubGguf, progress: Progress) -> Path:
    from alignbench.models.hf_source import HfSource
    from alignbench.models.hub import fetched, fetched_gguf

    if not isinstance(wanted, HfSource):
        return fetched_gguf(wanted, progress)
    found = fetched(wanted, code=False, progress=progress)
    folder = found.folder()
    assert folder is not None
    return folder / found.gguf_file if found.gguf_file else folder
