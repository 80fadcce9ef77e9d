"""Models of a real architecture with random weights: what they say is noise, what they cost is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
BOS, EOS = 256, 257
SPREAD = 0.02  # of weights


@dataclass(frozen=True, slots=True)
class Size:
    """Of a Llama model."""

    name: str
    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int = 8_192


EIGHT_B = Size("random-llama-8b", 4_096, 14_336, 32, 32, 8, 128_256)  # the shape of Llama 3.1 8B
ONE_B = Size("random-llama-1b", 2_048, 8_192, 16, 32, 8, 32_000)
TINY = Size("random-llama-tiny", 64, 128, 2, 4, 2, 320)


def transformers_folder(folder: Path, size: Size, device: str, dtype: torch.dtype) -> Path:
    """Configuration, safetensors and a tokenizer with a token a byte. device: where the weights are drawn."""
    config = transformers.LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        max_position_embeddings=size.context,
        bos_token_id=BOS,
        eos_token_id=EOS,
        initializer_range=SPREAD,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.save_pretrained(folder, max_shard_size="5GB")
    backend = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(BYTES)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>").save_pretrained(
        folder
    )
    return folder


def gguf_file(path: Path, size: Size) -> Path:
    """The same shape for llama.cpp: float16 matrices and a tokenizer of bytes."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(size.context)
    writer.add_embedding_length(size.hidden)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.intermediate)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(size.hidden // size.heads)
    _add_tokenizer(writer, size)
    rng = np.random.default_rng(0)
    for name, shape in _shapes(size).items():
        writer.add_tensor(name, _weights(shape, rng))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: gguf.GGUFWriter, size: Size) -> None:
    pair = BYTES[0] + BYTES[1]  # llama.cpp wants a merge, and this one is of two bytes that no text has side by side
    tokens = [*BYTES, "<s>", "</s>", pair, *(f"<unused{i}>" for i in range(size.vocabulary - 259))]
    kinds = [gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.NORMAL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds + [gguf.TokenType.UNUSED] * (size.vocabulary - 259))
    writer.add_token_merges([f"{BYTES[0]} {BYTES[1]}"])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)


def _shapes(size: Size) -> dict[str, tuple[int, ...]]:
    kv = size.hidden // size.heads * size.kv_heads
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (size.vocabulary, size.hidden),
        "output_norm.weight": (size.hidden,),
        "output.weight": (size.vocabulary, size.hidden),
    }
    for i in range(size.layers):
        shapes |= {
            f"blk.{i}.attn_norm.weight": (size.hidden,),
            f"blk.{i}.attn_q.weight": (size.hidden, size.hidden),
            f"blk.{i}.attn_k.weight": (kv, size.hidden),
            f"blk.{i}.attn_v.weight": (kv, size.hidden),
            f"blk.{i}.attn_output.weight": (size.hidden, size.hidden),
            f"blk.{i}.ffn_norm.weight": (size.hidden,),
            f"blk.{i}.ffn_gate.weight": (size.intermediate, size.hidden),
            f"blk.{i}.ffn_up.weight": (size.intermediate, size.hidden),
            f"blk.{i}.ffn_down.weight": (size.hidden, size.intermediate),
        }
    return shapes


def _weights(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float16] | NDArray[np.float32]:
    """A matrix, or the ones of a norm."""
    if len(shape) == 1:
        return np.ones(shape, np.float32)
    return (rng.standard_normal(shape, np.float32) * np.float32(SPREAD)).astype(np.float16)
