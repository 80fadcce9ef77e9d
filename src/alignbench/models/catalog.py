"""Models by name: the embedded demo models, the user's models.toml, and references to files.

- `demo-base`, and `demo-smollm2`, an aligned model of another family: come with the extra `demo`
- `demo-sft`, and `demo-dpo` where it stands: stages of demo-base, adapters that come with the package (models.stages);
  `demo-aligned` stands for the last one
- `NAME*0.5`: a model with an adapter by its name, at another scale
- `llama:/path/file.gguf`, `llama:org/name:FILE` of a hub's that is cached (models.hub_gguf): weights for llama.cpp
- `openai:http://host:8000/v1#served-name`: a model of an OpenAI-compatible server; aligned where nobody says otherwise
- `BASE+/path/adapter`, `BASE+/path/adapter*0.5`: a base model with a LoRA adapter, at a scale (models.adapter): a GGUF
  file for `llama:` and the embedded models, a folder of PEFT or a hub id for `hf:`
- `imported:NAME`: responses that were read from files; such a model cannot be loaded
- an entry of models.toml (models.models_file)
- `hf:org/name[@revision]`, `hf:/path/folder[:file.gguf]`: weights for transformers (engines.hf_source). The kind of a
  hub model that is not in the local cache is guessed from its name (aligned: instruct, chat, -it); say it in
  models.toml where that is wrong.
- `vllm:org/name[@revision]`, `vllm:/path/folder`: the same weights for vLLM, which alignbench starts (engines.vllm)
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from alignbench import paths
from alignbench.errors import InputError, did_you_mean
from alignbench.masking import masked
from alignbench.models.adapter import parted_scale, scale_suffix, written_scale
from alignbench.models.adapter_check import AdapterFacts, gguf_facts, peft_facts
from alignbench.models.embedded import DEMOS, Demo, present_name
from alignbench.models.gguf import header
from alignbench.models.hf_source import parse_source
from alignbench.models.hub_gguf import gguf_path
from alignbench.models.installed import why_not_installed
from alignbench.models.models_file import BUILT_IN, ModelEntry, read_models_file
from alignbench.models.openai_address import parse_address
from alignbench.models.reference import (
    Reference,
    adapter_name,
    is_served,
    own_name,
    parse_reference,
    written_reference,
)
from alignbench.models.regular_files import open_regular
from alignbench.models.server_settings import (
    ServerSettings,
)
from alignbench.models.stages import STAGES, known_stages
from alignbench.progress import Progress, silent
from alignbench.spec import IMPORTED, Kind, LoadOptions, Model

_BLOCK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model that has a name, and whether it can be used."""

    name: str
    reference: str
    kind: Kind | None  # None where it is not known
    origin: str  # "built-in", or the file that names it
    path: Path | None = None  # its weights, None where they are not there (yet)
    size: int | None = None  # bytes of the weights
    context_length: int | None = None  # tokens
    description: str = ""
    terms: str = ""  # of use, that come with an embedded model
    problem: str = ""  # why it cannot be used, empty where it can
    options: LoadOptions = field(default_factory=LoadOptions)


def resolve(name_or_reference: str, *, models_file: Path | None = None) -> Model:
    """The model of a name (demo-base, demo-aligned, an entry of models.toml) or of a reference.

    A name may be followed by the scale of the model's adapter: demo-sft*0.5. A model given by a bare reference is named
    after its file, one of a server as the server calls it. Raises InputError where there is no such model, its weights
    are missing or broken, its package is not installed, or this build has no engine for it.
    """
    entries = _entries(models_file)
    if entry := entries.get(name_or_reference):
        return _model(name_or_reference, entry)
    name, star, _ = name_or_reference.rpartition("*")
    if star and (entry := entries.get(name)):
        scaled = entry.reference.at_scale(parted_scale(name_or_reference)[1])
        return _model(_scaled_name(name, entry, scaled), replace(entry, reference=scaled))
    if name_or_reference.partition("+")[0].partition("*")[0] in BUILT_IN or ":" in name_or_reference:
        return _model("", ModelEntry(written_reference(name_or_reference)))
    if name_or_reference.endswith(".gguf") or "/" in name_or_reference:
        raise InputError(f"There is no model {name_or_reference!r}. A file is written llama:{name_or_reference}")
    near = did_you_mean(name_or_reference, [*entries])
    raise InputError(f"There is no model {name_or_reference!r}. {near}".rstrip())


def named_options(name: str, *, models_file: Path | None = None) -> tuple[Reference, LoadOptions] | None:
    """The reference of a name, and how it is loaded; None of no name. Raises InputError where models.toml is broken."""
    entry = _entries(models_file).get(name)
    return None if entry is None else (entry.reference, entry.options)


def at_scale(model: Model, scale: float, *, models_file: Path | None = None) -> Model:
    """A model with its adapter at another scale, under the name by which `resolve` finds it.

    Raises InputError where it has no adapter, or models.toml is broken.
    """
    reference = parse_reference(model.reference)
    scaled, entries = reference.at_scale(scale), _entries(models_file)
    name, star, _ = model.name.rpartition("*")
    stem = name if star and model.name not in entries else model.name
    entry = entries.get(stem)
    if entry is None or entry.reference.adapter is None:
        name = f"{stem}{scale_suffix(scale)}"
    else:
        name = _scaled_name(stem, entry, scaled)
    return replace(model, name=name, reference=str(scaled))


def known_models(*, models_file: Path | None = None) -> list[Model]:
    """The models with names that can be used now: the demo models, then those of models.toml in their order.

    Raises InputError only where models.toml itself is broken; `inventory` tells why a model is left out.
    """
    return [
        Model(status.name, status.reference, status.kind, status.options)
        for status in inventory(models_file=models_file)
        if status.kind is not None and not status.problem
    ]


def model_names(*, models_file: Path | None = None) -> dict[str, str]:
    """The names of models, each with its reference; nobody looks whether the weights are there.

    Raises InputError only where models.toml itself is broken.
    """
    return {name: str(entry.reference) for name, entry in _known_entries(models_file).items()}


def inventory(*, models_file: Path | None = None) -> list[ModelStatus]:
    """Every model with a name, usable or not. Raises InputError only where models.toml itself is broken."""
    origin = str(models_file or paths.models_file())
    return [
        _status(name, entry, "built-in" if name in BUILT_IN else origin)
        for name, entry in _known_entries(models_file).items()
    ]


def server_settings(model: Model, *, models_file: Path | None = None) -> ServerSettings:
    """How models.toml has the server of a model reached: of the entry with its name and its reference, else of one with
    its reference (an experiment may call it otherwise), else of one with its name at the same address (what a session
    was drawn with may have had other fields in its requests).

    An entry for another server says nothing of this one. Raises InputError where models.toml is broken.
    """
    entries = {name: each for name, each in _entries(models_file).items() if is_served(str(each.reference))}
    own = entries.get(model.name)
    if own is not None and str(own.reference) == model.reference:
        return own.server
    for each in entries.values():
        if str(each.reference) == model.reference:
            return each.server
    url = parse_reference(model.reference).target.partition("#")[0]
    if own is not None and own.reference.target.partition("#")[0] == url:
        return own.server
    return ServerSettings()


def weights_path(model: Model) -> Path:
    """The GGUF file of a demo model, of a llama: reference or of a hf: reference that names one.

    The demo base model comes in parts, which the first call puts together (`first_use`; see
    `Demo.weights`). Raises InputError where the weights are not there or are no GGUF file, AlignbenchError where
    they cannot be put together.
    """
    reference = parse_reference(model.reference)
    match reference.scheme:
        case "demo":
            return DEMOS[reference.target].weights()
        case "llama":
            path = gguf_path(reference.target)
        case "hf" if (source := parse_source(reference.target)).gguf_file:
            folder = source.folder()
            if folder is None:
                raise InputError(f"{reference} is not in the local cache.")
            path = folder / source.gguf_file
        case _:
            raise InputError(f"{reference} is no GGUF file.")
    open_regular(path, "a GGUF file").close()
    return path


def no_weights(reference: str) -> str:
    """Why an imported model cannot be sampled."""
    name = reference.removeprefix(IMPORTED)
    return f"{name} was imported as texts: its weights are not here, so it cannot be sampled or loaded."


def first_use(model: Model) -> bool:
    """Whether `weights_path` would put the weights together now: the moment to show `terms`."""
    demo = _demo(model)
    return demo is not None and not demo.is_assembled()


def terms(model: Model) -> str:
    """Terms of use that come with an embedded model, to be shown at its first use; empty for other models."""
    demo = _demo(model)
    return demo.terms if demo else ""


def _demo(model: Model) -> Demo | None:
    return DEMOS.get(present_name(model.reference).partition("+")[0])


def verify(model: Model, sha256: str) -> bool:
    """Whether the hash (hex) of the weights is known to be right; False where nobody has said what it must be.

    Raises AlignbenchError where it is wrong.
    """
    demo = _demo(model)
    if demo:
        demo.verify(sha256)
    return demo is not None


def file_hash(path: Path, progress: Progress = silent) -> str:
    """SHA-256 (hex) of a file. progress: told of bytes."""
    digest = hashlib.sha256()
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            while block := file.read(_BLOCK):
                digest.update(block)
                progress("SHA-256", file.tell(), size)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    return digest.hexdigest()


def _entries(models_file: Path | None) -> dict[str, ModelEntry]:
    """Every name: the built-in ones, then those of models.toml."""
    built_in = {name: ModelEntry(written_reference(name)) for name in BUILT_IN}
    return built_in | read_models_file(models_file)


def _known_entries(models_file: Path | None) -> dict[str, ModelEntry]:
    """Every name but those of stages that this release does not have."""
    here = {*known_stages()}
    return {name: entry for name, entry in _entries(models_file).items() if name not in STAGES or name in here}


def _scaled_name(name: str, entry: ModelEntry, scaled: Reference) -> str:
    """What a model of this name is called at another scale of its adapter than it has."""
    assert scaled.adapter is not None
    return name if scaled == entry.reference else f"{name}*{written_scale(scaled.adapter.scale)}"


def _model(name: str, entry: ModelEntry) -> Model:
    """The model of a reference whose weights are there. Without a name it gets its own."""
    reference, text = entry.reference, str(entry.reference)
    if problem := why_not_installed(reference):
        raise InputError(problem)
    kind: Kind
    match reference.scheme:
        case "demo":
            kind = DEMOS[reference.target].kind
        case "llama":
            kind = "aligned" if header(gguf_path(reference.target)).chat_template else "base"
        case "hf" | "vllm":
            source = parse_source(reference.target)
            source.check()
            kind = source.kind()
        case "openai":
            parse_address(reference.target)
            _check_tokenizer(name, entry.server)
            kind = "aligned"
        case "imported":
            raise InputError(no_weights(text))
    if (adapter := adapter_facts(reference)) is not None and adapter.chat_template:
        kind = "aligned"
    return Model(name or own_name(reference), text, entry.kind or kind, entry.options)


def _check_tokenizer(name: str, settings: ServerSettings) -> None:
    """InputError where the folder of the tokenizer that models.toml names is not there, or has none."""
    try:
        if settings.tokenizer is not None:
            settings.tokenizer.tokenizer_files()
    except InputError as error:
        raise InputError(f"models.toml, [models.{name}], tokenizer: {error}") from None


def adapter_facts(reference: Reference) -> AdapterFacts | None:
    """What the adapter of a reference is; None where it has none, or a hub's is not in the local cache.

    Raises InputError where it is none, is broken, or is of another base, as far as that can be told before the base is
    loaded.
    """
    if reference.adapter is None:
        return None
    match reference.scheme:
        case "hf" | "vllm":
            return peft_facts(reference.adapter, parse_source(reference.target))
        case "demo" if not DEMOS[reference.target].is_assembled():
            return gguf_facts(reference.adapter, None)
        case "demo":
            return gguf_facts(reference.adapter, DEMOS[reference.target].weights())
        case _:
            return gguf_facts(reference.adapter, gguf_path(reference.target))


def _status(name: str, entry: ModelEntry, origin: str) -> ModelStatus:
    reference = entry.reference
    try:
        model = _model(name, entry)
    except InputError as error:
        shown = masked(str(reference))
        return ModelStatus(name, shown, entry.kind, origin, problem=str(error), options=entry.options)
    status = partial(ModelStatus, name, str(reference), model.kind, origin, terms=terms(model), options=entry.options)
    if reference.scheme == "openai":
        return status(description="of a server")
    if first_use(model):
        return status(size=DEMOS[reference.target].size, description=f"put together at first use{_added(reference)}")
    if reference.scheme in ("hf", "vllm"):
        files = parse_source(reference.target).weights()
        if not files:
            return status(description="not in the local cache; fetched at first use")
        if not parse_source(reference.target).gguf_file:
            return status(path=files[0].parent, size=sum(file.stat().st_size for file in files))
    path = weights_path(model)
    gguf = header(path)
    words = " ".join(filter(None, (gguf.architecture, gguf.size, gguf.quantization))) + _added(reference)
    return status(path=path, size=gguf.file_size, context_length=gguf.context_length, description=words)


def _added(reference: Reference) -> str:
    """What is added to a base model, in words; empty where nothing is."""
    if reference.adapter is None:
        return ""
    return f" + LoRA {adapter_name(reference)} x {written_scale(reference.adapter.scale)}"
