"""The file models.toml, in which a user names models.

    [models.NAME]
    reference = "llama:/path/file.gguf"     # a relative path starts at the folder of models.toml
    kind = "base"                           # or aligned; left out: aligned if there is a chat template
    adapter = "/path/adapter.gguf"          # a LoRA adapter of it, hf: a folder or a hub id
    scale = 0.5                             # of the adapter, 1 where it is left out
    device = "auto"                         # auto, cpu, cuda, cuda:1
    gpu_layers = -1                         # llama: layers on the GPU, -1 for all
    dtype = "auto"                          # hf: float32, bfloat16, float16; auto: float32 on a CPU, else bfloat16
    quantize = "4bit"                       # hf, on a GPU: 8bit or 4bit through bitsandbytes
    attention = "sdpa"                      # hf: sdpa, flash_attention_2 or eager
    trust_remote_code = false               # hf, vllm: run code that comes with the weights
    args = ["--max-model-len", "8192"]      # vllm: arguments of `vllm serve`
    env = { CUDA_VISIBLE_DEVICES = "0,1" }  # vllm: variables of its environment
    command = ["/opt/vllm/bin/vllm", "serve"]  # vllm: what starts it, in another environment or a container

and of a server's model what models.server_settings has.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from alignbench import bounds, paths
from alignbench.errors import InputError, did_you_mean
from alignbench.models.openai_address import parted_extra, with_extra
from alignbench.models.reference import Reference, is_served, with_adapter, written_reference
from alignbench.models.server_settings import (
    SERVER_FIELDS,
    ServerSettings,
    read_extra_body,
    read_server_settings,
    unknown_table,
)
from alignbench.models.stages import ALIGNED, BASE, STAGES
from alignbench.parsing import parse_toml
from alignbench.spec import Kind, LoadOptions
from alignbench.textfiles import read_utf8

BUILT_IN = (BASE, ALIGNED, *STAGES, "demo-smollm2")
"""Names that no entry may have."""
ENTRY_FIELDS = (
    *("reference", "kind", "adapter", "scale"),
    *(option.name for option in fields(LoadOptions)),
    *SERVER_FIELDS,
)
"""Keys of an entry of models.toml."""
OF_VLLM = ("command", "args", "env")  # options of a server that is started
OF_OWN_SERVER = ("concurrency", "timeout")  # settings that such a server can have


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What is known of a model before anybody has looked whether it is there."""

    reference: Reference
    kind: Kind | None = None
    options: LoadOptions = field(default_factory=LoadOptions)
    server: ServerSettings = field(default_factory=ServerSettings)


def read_models_file(path: Path | None) -> dict[str, ModelEntry]:
    """Entries of models.toml by name. The default file may be missing; one that was named must be there."""
    file = path or paths.models_file()
    if path is None and not file.exists():
        return {}
    try:
        document = parse_toml(read_utf8(file))
    except ValueError as error:
        raise InputError(f"{file}: not TOML: {error}.") from None
    for key in document:
        if key != "models":
            raise InputError(f"{file}: unknown table {key!r}; expected tables [models.NAME].")
    tables = document.get("models", {})
    if not isinstance(tables, dict):
        raise InputError(f"{file}: models is {tables!r}; expected tables [models.NAME].")
    return {name: _entry(file, name, table) for name, table in tables.items()}


def _entry(file: Path, name: str, table: object) -> ModelEntry:
    where = f"{file}, [models.{name}]"
    if name in BUILT_IN:
        raise InputError(f"{where}: an embedded model has this name; expected another one.")
    if not name.strip() or not name.isprintable() or set(name) & set(":=,"):
        raise InputError(f"{where}: the name is {name!r}; expected one that is not blank, without : = and comma.")
    if not isinstance(table, dict):
        raise InputError(f'{where}: {table!r}; expected a table with reference = "llama:/path/file.gguf".')
    options = [option.name for option in fields(LoadOptions)]
    for key, value in table.items():
        if (
            isinstance(value, dict) and key not in ENTRY_FIELDS and not unknown_table(key)
        ):  # TOML reads [models.gemma.3] so
            raise InputError(f'{where}: a name with a dot needs quotes: [models."{name}.{key}"].')
        if key not in ENTRY_FIELDS:
            raise InputError(f"{where}: unknown field {key!r}. {did_you_mean(key, ENTRY_FIELDS)}")
    reference, kind = table.get("reference"), table.get("kind")
    if not isinstance(reference, str):
        problem = "is missing" if reference is None else f"is {reference!r}"
        raise InputError(f'{where}: reference {problem}; expected a text like "llama:/path/file.gguf".')
    if kind not in ("base", "aligned", None):
        raise InputError(f"{where}: kind is {kind!r}; expected base or aligned.")
    try:
        chosen = LoadOptions(**{option: table[option] for option in options if option in table})
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    try:
        base = written_reference(reference, relative_to=file.parent)
    except InputError as error:
        raise InputError(f"{where}, reference: {error}") from None
    if base.scheme != "vllm" and (given := [name for name in OF_VLLM if name in table]):
        raise InputError(f"{where}: {given[0]} is for vllm: models, which alignbench starts a server for.")
    entry = ModelEntry(_with_adapter(where, base, table, file.parent), kind, chosen)
    return _with_server(where, entry, table, file.parent)


def _with_server(where: str, entry: ModelEntry, table: dict[str, object], folder: Path) -> ModelEntry:
    """An entry with what it says of its server. Its secrets are masked from now on."""
    given = [name for name in SERVER_FIELDS if name in table]
    if not given:
        return entry
    if entry.reference.scheme == "vllm" and (other := [name for name in given if name not in OF_OWN_SERVER]):
        raise InputError(
            f"{where}: {other[0]} is of a server that somebody else runs; of one for {entry.reference} expected "
            f"{' or '.join(OF_OWN_SERVER)} alone."
        )
    if not is_served(str(entry.reference)):
        raise InputError(
            f"{where}: {given[0]} is of a model behind a server, and {entry.reference} is none; expected an openai: "
            "reference."
        )
    settings = read_server_settings(where, table, folder)
    settings.hide()
    extra_body = read_extra_body(where, table)
    if extra_body and parted_extra(entry.reference.target)[1]:
        raise InputError(f"{where}: both extra_body and reference have fields of requests; expected one of them.")
    reference = replace(entry.reference, target=with_extra(entry.reference.target, extra_body))
    return replace(entry, reference=reference, server=settings)


def _with_adapter(where: str, base: Reference, table: dict[str, object], folder: Path) -> Reference:
    """A base model with the adapter and the scale that an entry of models.toml has for it."""
    adapter, given = table.get("adapter"), table.get("scale")
    if given is not None and not (isinstance(given, int | float) and bounds.ADAPTER_SCALE.has(given)):
        raise bounds.ADAPTER_SCALE.error(f"{where}: scale", given)
    scale = None if given is None else float(given)
    if adapter is None:
        if scale is None:
            return base
        if base.adapter is None:
            raise InputError(f"{where}: scale is of an adapter, and there is none; expected adapter = too.")
        return base.at_scale(scale)
    if not isinstance(adapter, str):
        raise InputError(f'{where}: adapter is {adapter!r}; expected a text like "/path/adapter.gguf".')
    try:
        return with_adapter(base, adapter, folder, scale)
    except InputError as error:
        raise InputError(f"{where}, adapter: {error}") from None
