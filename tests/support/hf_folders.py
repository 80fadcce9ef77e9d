"""Tiny models with random weights, saved the way a hub model lies in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tests.support.later import later

torch, transformers = later("torch"), later("transformers")

SIZES: dict[str, Any] = {
    "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256, "bos_token_id": 256, "eos_token_id": 257,
}  # fmt: skip
CONFIGS: dict[str, Any] = {
    "llama": lambda: transformers.LlamaConfig(**SIZES),
    "gemma3": lambda: transformers.Gemma3TextConfig(**SIZES, sliding_window=6, query_pre_attn_scalar=8),
    "mistral": lambda: transformers.MistralConfig(**SIZES, sliding_window=5),
    "mamba": lambda: transformers.MambaConfig(
        vocab_size=300, hidden_size=32, num_hidden_layers=2, state_size=4, bos_token_id=256, eos_token_id=257
    ),
}


def tiny_model(name: str) -> Any:
    """A model of CONFIGS, the same weights every time."""
    torch.manual_seed(0)
    config = CONFIGS[name]()
    config.initializer_range = 0.5
    model = transformers.AutoModelForCausalLM.from_config(
        config, attn_implementation="sdpa" if name != "mamba" else None
    )
    return model.eval()


def byte_tokenizer(chat_template: str | dict[str, str] | None = None) -> Any:
    """A token a byte, then BOS 256, EOS 257 and an end of turn 258."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_end|>"]})
    tokenizer.chat_template = chat_template
    return tokenizer


def write_folder(folder: Path, name: str = "llama", chat_template: str | None = None) -> Path:
    """The folder of a tiny model: safetensors and a tokenizer."""
    tiny_model(name).save_pretrained(folder)
    byte_tokenizer(chat_template).save_pretrained(folder)
    return folder
