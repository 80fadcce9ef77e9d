"""References: a model's place as people write it, in its parts."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from alignbench.errors import InputError
from alignbench.models.adapter import Adapter, parted, parted_scale, scale_suffix, written_scale
from alignbench.models.embedded import DEMOS, present_name
from alignbench.models.hf_source import HfSource, parse_source
from alignbench.models.hub_gguf import parse_hub_gguf
from alignbench.models.openai_address import parse_address, parted_extra, with_extra
from alignbench.models.peft_adapter import adapter_source
from alignbench.models.stages import BASE, STAGES, stage_of
from alignbench.spec import Model
from alignbench.textfiles import home_expanded

Scheme = Literal["demo", "llama", "hf", "vllm", "openai", "imported"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A model's place."""

    scheme: Scheme  # who reads it
    target: str  # the rest (an absolute path, a name, an address)
    adapter: Adapter | None = None  # that is added to it

    def __str__(self) -> str:
        place = self.target if self.scheme == "demo" else f"{self.scheme}:{self.target}"
        return place if self.adapter is None else f"{place}+{self.adapter}"

    @property
    def base(self) -> Reference:
        """The same without its adapter."""
        return replace(self, adapter=None)

    def at_scale(self, scale: float) -> Reference:
        """The same with its adapter at another scale. Raises InputError where it has none, or its engine cannot."""
        if self.adapter is None:
            raise InputError(f"{self} has no adapter; a scale is an adapter's.")
        return _scaled(replace(self, adapter=replace(self.adapter, scale=scale)))


def parse_reference(text: str, *, relative_to: Path | None = None) -> Reference:
    """A reference in its parts: a demo model's name, or SCHEME:TARGET.

    One that a session has stored means what it meant then. A llama: path is made absolute (`~` is the home folder; a
    relative one starts at `relative_to`, else at the current folder), so that a reference means the same model wherever
    it is read. Raises InputError for an unknown scheme and for a reference without a target.
    """
    demo, plus, rest = present_name(text).partition("+")
    if demo in DEMOS:
        return with_adapter(Reference("demo", demo), rest if plus else None, relative_to)
    scheme, colon, target = text.partition(":")
    adapter: str | None = None
    if scheme in ("llama", "hf", "vllm"):
        hub = scheme != "llama" and not target.startswith(("/", "~", "."))
        target, adapter = parted(target, hub=hub, relative_to=relative_to)
    match scheme, target.strip():
        case (("llama" | "hf" | "vllm" | "openai" | "imported"), "") if colon:
            raise InputError(f"{text!r} names no model; expected something after {scheme}:")
        case "llama", target if colon:
            gguf = parse_hub_gguf(target, relative_to)
            place = str(gguf) if gguf else _absolute(target, relative_to)
            return with_adapter(Reference("llama", place), adapter, relative_to)
        case "hf", target if colon:
            return with_adapter(Reference("hf", str(parse_source(target, relative_to))), adapter, relative_to)
        case "vllm", target if colon:
            return with_adapter(Reference("vllm", str(_served_source(target, relative_to))), adapter, relative_to)
        case "openai", target if colon:
            return Reference("openai", with_extra(*parted_extra(target)))
        case "imported", target if colon:
            return Reference("imported", target)
    raise InputError(f"{text!r} is no model reference; expected llama:/path/file.gguf.")


def written_reference(text: str, *, relative_to: Path | None = None) -> Reference:
    """The same of what a person writes, who may name a stage of the embedded base model, at a scale."""
    place, plus, more = text.partition("+")
    name, star, scale = place.partition("*")
    stage = stage_of(name)
    if stage is None:
        return parse_reference(text, relative_to=relative_to)
    return with_adapter(parse_reference(f"{BASE}+{stage}{star}{scale}"), more if plus else None, relative_to)


def with_adapter(
    base: Reference, adapter: str | None, relative_to: Path | None = None, scale: float | None = None
) -> Reference:
    """A base model with an adapter, which may end in its scale; `scale` stands above that.

    Raises InputError where the base takes none, or has one, or cannot have it at this scale.
    """
    if adapter is None:
        return base
    if base.scheme not in ("demo", "llama", "hf", "vllm"):
        raise InputError(f"{base} takes no adapter; one that a server has is a served name of its own.")
    if base.adapter is not None:
        raise InputError(f"{base} has an adapter already; expected one.")
    place, said = parted_scale(adapter)
    if not place.strip():
        raise InputError(f"{base}+{adapter} names no adapter; expected something after the +.")
    if base.target == BASE and place in STAGES:
        target = place
    else:
        of_peft = base.scheme in ("hf", "vllm")
        target = str(adapter_source(place, relative_to)) if of_peft else _absolute(place, relative_to)
    return _scaled(replace(base, adapter=Adapter(target, said if scale is None else scale)))


def _scaled(reference: Reference) -> Reference:
    """A reference whose adapter is added at a scale that its engine can do. Raises InputError elsewhere."""
    adapter = reference.adapter
    if adapter is not None and adapter.scale != 1 and reference.scheme == "vllm":
        local = replace(reference, scheme="hf")
        raise InputError(
            f"{reference}: vLLM adds an adapter at scale 1 alone. For another one take {local}, or save the adapter "
            "with another lora_alpha."
        )
    return reference


def _served_source(target: str, relative_to: Path | None) -> HfSource:
    """The weights of a vllm: reference, which are a folder or of a hub."""
    try:
        source = parse_source(target, relative_to)
    except InputError as error:
        raise InputError(str(error).replace("hf:", "vllm:")) from None
    if source.gguf_file:
        raise InputError(f"vllm:{target} is a GGUF file; expected a folder of safetensors, or llama: for this file.")
    return source


def _absolute(path: str, relative_to: Path | None) -> str:
    return os.path.abspath(Path(relative_to or "", home_expanded(path)))


def is_served(reference: str) -> bool:
    """Whether a server draws, one that alignbench starts or another: it owns its randomness, and takes stops away."""
    return reference.startswith(("openai:", "vllm:"))


def own_name(reference: Reference) -> str:
    """What a model is called that was given no name: as its file, its hub id or its server says."""
    match reference.scheme:
        case "llama":
            gguf = parse_hub_gguf(reference.target)
            name = gguf.name if gguf else Path(reference.target).stem
        case "hf" | "vllm":
            name = parse_source(reference.target).name
        case "openai":
            name = parse_address(reference.target).name
        case _:
            name = reference.target
    if reference.adapter is None:
        return name
    adapter = f"{adapter_name(reference)}{scale_suffix(reference.adapter.scale)}"
    return adapter if reference.adapter.target in STAGES else f"{name}+{adapter}"


def adapter_name(reference: Reference) -> str:
    """What the adapter of a reference that has one is called: as its file, its folder or its hub id says."""
    assert reference.adapter is not None
    target = reference.adapter.target
    return adapter_source(target).name if reference.scheme in ("hf", "vllm") else Path(target).stem


def adapter_words(model: Model) -> str:
    """A model that has an adapter, for people: `demo-base + sft x 0.5`, of a stage `demo-sft*0.5`.

    Empty for others, and where the model's name says it.
    """
    if parted_model(model)[1] is None:
        return ""
    reference = parse_reference(model.reference)
    assert reference.adapter is not None
    if reference.adapter.target in STAGES:
        return "" if (words := own_name(reference)) == model.name else words
    return f"{own_name(reference.base)} + {adapter_name(reference)} x {written_scale(reference.adapter.scale)}"


def parted_model(model: Model) -> tuple[Model, Adapter | None]:
    """A model without its adapter, and the adapter."""
    if "+" not in model.reference or model.is_imported:
        return model, None
    reference = parse_reference(model.reference)
    return replace(model, reference=str(reference.base)), reference.adapter
