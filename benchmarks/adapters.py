"""A base model and its adapter side by side on one copy of the weights: memory, and tokens a second.

    .venv/bin/python benchmarks/adapters.py [--hf] [--rounds 3]

The adapter is drawn at random, rank 8 on every linear layer of demo-base (1.9 million numbers), as GGUF for llama.cpp
and with --hf as PEFT for transformers. Memory: peak resident size of a worker process that has sampled the base alone,
and of one that has sampled base and adapter. Rates count the prefill, at one width; base and adapter alternate in one
process, medians.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

import argparse
import json
import queue
import statistics
import tempfile
import time
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import save_file

from alignbench.engines.protocol import Done, Event, Failed, Finished, Loaded, SampleRequest
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Model, Sampling

THREADS = len(os.sched_getaffinity(0))
SAMPLES, TOKENS, RANK, LAYERS = 8, 48, 8, 18
MOST_MEMORY = 1.15  # of the base alone
LEAST_RATE = {"llama": 0.85, "hf": 0.8}  # of the base's
MODULES = {  # PEFT's name -> GGUF's, out, in
    "self_attn.q_proj": ("attn_q", 1024, 640),
    "self_attn.k_proj": ("attn_k", 256, 640),
    "self_attn.v_proj": ("attn_v", 256, 640),
    "self_attn.o_proj": ("attn_output", 640, 1024),
    "mlp.gate_proj": ("ffn_gate", 2048, 640),
    "mlp.up_proj": ("ffn_up", 2048, 640),
    "mlp.down_proj": ("ffn_down", 640, 2048),
}


def write_adapter(folder: Path) -> None:
    """The adapter in both formats."""
    writer = gguf.GGUFWriter(folder / "adapter.gguf", "gemma3")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0 * RANK)
    rng, tensors = np.random.default_rng(0), {}
    for layer in range(LAYERS):
        for module, (name, n_out, n_in) in MODULES.items():
            a, b = (rng.normal(size=shape).astype(np.float32) * 0.01 for shape in ((RANK, n_in), (n_out, RANK)))
            writer.add_tensor(f"blk.{layer}.{name}.weight.lora_a", a)
            writer.add_tensor(f"blk.{layer}.{name}.weight.lora_b", b)
            tensors[f"base_model.model.model.layers.{layer}.{module}.lora_A.weight"] = a
            tensors[f"base_model.model.model.layers.{layer}.{module}.lora_B.weight"] = b
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 2 * RANK}
    targets = [module.rpartition(".")[2] for module in MODULES]
    (folder / "adapter_config.json").write_text(json.dumps(config | {"target_modules": targets}))


def load(pool: WorkerPool, model: Model) -> None:
    events: queue.Queue[Event] = queue.Queue()
    pool.load(model, events.put)
    while not isinstance(event := events.get(timeout=600), Loaded):
        assert not isinstance(event, Failed), event


def rate(pool: WorkerPool, model: Model) -> float:
    """Tokens a second of one cell."""
    events: queue.Queue[Event] = queue.Queue()
    sampling = Sampling(max_tokens=TOKENS)
    key, start, tokens = pool.new_key(), time.perf_counter(), 0
    context = "The gardener counts the seeds twice, notes the weather, and plants in rows before noon. " * 4
    request = SampleRequest(key, context, "And then", sampling, (), tuple(range(SAMPLES)), 0, key)
    pool.sample(model, request, events.put)
    while not isinstance(event := events.get(timeout=600), Done):
        assert not isinstance(event, Failed), event
        if isinstance(event, Finished):
            tokens += event.result.n_tokens or 0
    return tokens / (time.perf_counter() - start)


def peak(pool: WorkerPool, model: Model) -> int:
    """Peak resident bytes of a model's process."""
    status = Path(f"/proc/{pool.worker_pid(model)}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def measured(base: Model, adapted: Model, rounds: int) -> tuple[float, float, int, int]:
    """Rates of base and adapter, and peak memory of the base alone and of both."""
    memory = []
    for models in ((base,), (base, adapted)):
        pool = WorkerPool(threads=THREADS)
        for model in models:
            load(pool, model)
        rates = [[rate(pool, model) for model in models] for _ in range(rounds)]
        memory.append(peak(pool, base))
        pool.close()
    of_base, of_adapted = (statistics.median(values) for values in zip(*rates, strict=True))
    return of_base, of_adapted, memory[0], memory[1]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hf", action="store_true", help="transformers too")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    weights = weights_path(resolve("demo-base"))
    missed = False
    print(
        "| engine | base, tokens/s | adapter, tokens/s | ratio | at least | base, MiB | both, MiB | ratio | at most |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_adapter(folder)
        for scheme, adapter in (("llama", folder / "adapter.gguf"), ("hf", folder)):
            if scheme == "hf" and not options.hf:
                continue
            base, adapted = (resolve(f"{scheme}:{weights}{plus}") for plus in ("", f"+{adapter}"))
            of_base, of_adapted, alone, both = measured(base, adapted, options.rounds)
            ratio, memory = of_adapted / of_base, both / alone
            rates = f"{of_base:.0f} | {of_adapted:.0f} | {ratio:.2f} | {LEAST_RATE[scheme]}"
            print(f"| {scheme} | {rates} | {alone / 2**20:.0f} | {both / 2**20:.0f} | {memory:.2f} | {MOST_MEMORY} |")
            missed |= ratio < LEAST_RATE[scheme] or memory > MOST_MEMORY
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
