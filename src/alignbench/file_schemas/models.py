"""The JSON Schema of models.toml: what `models.models_file` reads."""

from __future__ import annotations

from alignbench import bounds
from alignbench.file_schemas.parts import (
    NOT_BLANK,
    Schema,
    choice,
    flag,
    has,
    number,
    table,
    text,
    where,
    whole,
)
from alignbench.models.models_file import BUILT_IN, OF_OWN_SERVER, OF_VLLM
from alignbench.models.server_settings import LIMITS, OWN_FIELDS, SERVER_FIELDS
from alignbench.spec import ATTENTION, DTYPES, QUANTIZED, Kind

_AUTHORIZATION = "^[Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz][Aa][Tt][Ii][Oo][Nn]$"


def models_schema() -> Schema:
    """The schema of models.toml."""
    models = {
        "type": "object",
        "propertyNames": {"allOf": [{"pattern": "^[^:=,]+$"}, {"pattern": NOT_BLANK}], "not": {"enum": [*BUILT_IN]}},
        "additionalProperties": _entry(),
    }
    return whole("alignbench: models.toml", table({"models": models}))


def _entry() -> Schema:
    words = {"type": "array", "items": {"type": "string"}}
    variables = {"type": "object", "propertyNames": {"pattern": r"^[A-Za-z_]\w*$"}, "additionalProperties": text()}
    return table(
        {
            "reference": text("llama:/path/file.gguf, hf:org/name, vllm:NAME, openai:http://host/v1#name."),
            "kind": choice(Kind, "Aligned if there is a chat template, where it is left out."),
            "adapter": text("A LoRA adapter of it: a GGUF file, for hf: and vllm: a folder or a hub id."),
            "scale": number(bounds.ADAPTER_SCALE, "Of the adapter."),
            "device": {
                "type": "string",
                "pattern": r"^(auto|cpu|cuda(:\d+)?)$",
                "description": "auto, cpu, cuda or cuda:N.",
            },
            "dtype": choice(DTYPES, "hf: auto is float32 on a CPU, else bfloat16."),
            "gpu_layers": number(bounds.GPU_LAYERS, "llama: layers on the GPU, -1 for all."),
            "quantize": choice(QUANTIZED, "hf, on a GPU, through bitsandbytes."),
            "attention": choice(ATTENTION, "hf."),
            "trust_remote_code": flag("hf, vllm: run code that comes with the weights."),
            "command": {**words, "description": "vllm: what starts it."},
            "args": {**words, "description": "vllm: arguments of `vllm serve`."},
            "env": {**variables, "description": "vllm: variables of its environment."},
            "key_env": {
                "type": "string",
                "pattern": r"^[A-Z_][A-Z0-9_]*$",
                "description": "The variable with the key.",
            },
            "headers": {
                "description": "Sent along with every request.",
                "type": "object",
                "additionalProperties": text(blank=False),
            },
            "extra_body": {
                "description": "Fields of every request.",
                "type": "object",
                "propertyNames": {"not": {"enum": sorted(OWN_FIELDS)}},
            },
            "concurrency": number(bounds.CONCURRENCY, "Most requests in flight at once."),
            "timeout": number(bounds.TIMEOUT, "Seconds of silence until a request is given up."),
            "max_tokens_field": choice(LIMITS, "What the field for the most tokens is called."),
            "tokenizer": {"type": "string", "pattern": "^hf:", "description": "That given texts are scored with."},
        },
        where(
            _any(tuple(name for name in SERVER_FIELDS if name not in OF_OWN_SERVER)),
            has("reference", {"pattern": "^openai:"}),
        ),
        where(_any(OF_OWN_SERVER), has("reference", {"pattern": "^(openai|vllm):"})),
        where(_any(OF_VLLM), has("reference", {"pattern": "^vllm:"})),
        where(
            has("key_env"), {"not": has("headers", {"not": {"propertyNames": {"not": {"pattern": _AUTHORIZATION}}}})}
        ),
        required=["reference"],
    )


def _any(keys: tuple[str, ...]) -> Schema:
    return {"anyOf": [has(key) for key in keys]}
