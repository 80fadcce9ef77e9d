"""What an adapter is, whatever format it has, once it is known to be one of its base model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alignbench.models.adapter import Adapter
from alignbench.models.gguf_adapter import adapter_file, checked_adapter, layout_beside, rank_of
from alignbench.models.hf_source import HfSource
from alignbench.models.peft_adapter import adapter_source, check_base, read_adapter
from alignbench.textfiles import read_utf8


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What an adapter's files say.

    Attributes:
        path: its GGUF file or its folder
        rank: the largest of its matrices
        made_on: the base that its maker names; empty where none is named
        chat_template: Jinja source, None where it brings none
    """

    path: Path
    rank: int
    made_on: str
    chat_template: str | None


def gguf_facts(adapter: Adapter, base: Path | None) -> AdapterFacts:
    """Of an adapter for llama.cpp; base: the GGUF file of the model, None where it is not here yet.

    Raises InputError where it is none, is broken or is of another base.
    """
    path = adapter_file(adapter)
    header = checked_adapter(path, base)
    made_on = header.metadata.get("general.base_model.0.name", "")
    template = header.chat_template
    if template is None and (beside := layout_beside(path)) is not None:
        template = read_utf8(beside)
    return AdapterFacts(path, rank_of(header), str(made_on), template)


def peft_facts(adapter: Adapter, base: HfSource) -> AdapterFacts | None:
    """Of an adapter for transformers; None for one of a hub that is not in the local cache. Raises InputError."""
    source = adapter_source(adapter.target)
    folder = source.folder()
    if folder is None:
        return None
    read = read_adapter(folder)
    check_base(read, base)
    return AdapterFacts(folder, read.rank, read.base, read.chat_template)
