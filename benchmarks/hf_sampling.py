"""Sampling with the transformers engine against transformers' own generate().

    .venv/bin/python benchmarks/hf_sampling.py [--model REFERENCE] [--device auto] [--rounds 1]

Both run the same loaded weights in one process; rates are tokens a second of generation with the prefill counted,
medians of interleaved rounds (one takes about 7 minutes on 2 cores, nearly all of it in generate). generate() gets each
prompt by itself, as many sequences as there are samples. Of the 20 prompts it runs one, all being of one length, and
its rate stands for all 20. Nobody stops at an end token: rows that end leave the others with less to share.

On a GPU it also prints absolute rates, generate_batch (continuous batching) and the share of the bandwidth limit: a
step reads the weights, the shared keys and values once and each row's own, so it takes at least their bytes over the
measured copy bandwidth.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import transformers

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.hf.engine import TransformersEngine
from alignbench.engines.protocol import Finished, SampleRequest
from alignbench.models.catalog import resolve, weights_path
from alignbench.models.reference import parse_reference
from alignbench.spec import LoadOptions, Mode, Model, Sampling

THREADS = len(os.sched_getaffinity(0))
TOKENS = 64
SENTENCE = "The gardener counts the seeds twice, notes the weather, and plants in straight rows before noon. "
SUBJECTS = (
    "bread", "rivers", "clocks", "maps", "wool", "chess", "tides", "salt", "paper", "bees", "trams", "ink", "glass",
    "ferns", "coins", "wells", "drums", "kites", "locks", "mills",
)  # fmt: skip
PROMPTS = tuple(f"\n\nQuestion: what is there to know about {subject}?\nAnswer:" for subject in SUBJECTS)


class Bench:
    """An engine, and generate() on the same weights."""

    def __init__(self, model: Model) -> None:
        self.engine = TransformersEngine(model, Cancellation(), threads=THREADS)
        self.engine.is_end = lambda _: False
        self.model = self.engine._model
        self.keys = 0

    def context(self, n_tokens: int) -> str:
        """A text of about so many tokens."""
        each = len(self.engine.tokenize(SENTENCE * 9)) - len(self.engine.tokenize(SENTENCE * 8))
        return SENTENCE * (n_tokens // each)

    def requests(
        self, context: str, queries: tuple[str, ...], n: int, mode: Mode, max_tokens: int
    ) -> list[SampleRequest]:
        sampling = Sampling(max_tokens=max_tokens)
        self.keys += len(queries)
        return [
            SampleRequest(self.keys + i, context, query, sampling, (), tuple(range(n)), 0, 7 + i, mode)
            for i, query in enumerate(queries)
        ]

    def ours(self, context: str, queries: tuple[str, ...], n: int, mode: Mode) -> int:
        """Samples of all the queries, with an empty cache to begin with; the number of tokens drawn."""
        self.engine.forget()
        requests = self.requests(context, queries, n, mode, TOKENS)
        batches = [requests] if mode == "fast" else [[request] for request in requests]
        events = (event for batch in batches for event in self.engine.sample(batch))
        return sum(event.result.n_tokens for event in events if isinstance(event, Finished))

    def generate(self, context: str, queries: tuple[str, ...], n: int, cache: str | None = None) -> int:
        """The same with generate(), a prompt at a time. A static cache has it compiled on a GPU."""
        for query in queries:
            ids = torch.tensor([self.engine.tokenize(context + query)], device=self.model.device)
            with torch.inference_mode():
                self.model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    do_sample=True,
                    temperature=0.7,
                    top_k=0,
                    top_p=1.0,
                    num_return_sequences=n,
                    min_new_tokens=TOKENS,
                    max_new_tokens=TOKENS,
                    pad_token_id=0,
                    cache_implementation=cache,
                )
        return len(queries) * n * TOKENS

    def generate_batch(self, context: str, query: str, n: int) -> int:
        """The same with continuous batching (GPU)."""
        ids = self.engine.tokenize(context + query)
        config = transformers.GenerationConfig(do_sample=True, temperature=0.7, top_k=0, max_new_tokens=TOKENS)
        outputs = self.model.generate_batch(inputs=[ids] * n, generation_config=config, progress_bar=False)
        return sum(len(output.generated_tokens) for output in outputs.values())

    def first_tokens(self, context: str) -> tuple[float, float]:
        """Seconds to the first token of a first prompt under a context, and of a second one."""
        self.engine.forget()
        seconds = []
        for query in PROMPTS[:2]:
            start = time.perf_counter()
            list(self.engine.sample(self.requests(context, (query,), 1, "strict", 1)))
            seconds.append(time.perf_counter() - start)
        return seconds[0], seconds[1]

    def limit(self, n_shared: int, n: int) -> float:
        """Most tokens a second that the memory's bandwidth allows n rows, halfway through their responses."""
        own = n * TOKENS / 2
        weights = sum(p.numel() * p.element_size() for p in self.model.parameters())
        n_bytes = weights + (n_shared + own) * self.engine._bytes_per_token()
        return n * copy_bandwidth(self.model.device) / n_bytes


def copy_bandwidth(device: torch.device) -> float:
    """Bytes a second of a copy in the device's memory, read and written bytes together."""
    source = torch.empty(1 << 28, device=device)
    target = torch.empty_like(source)
    rates = []
    for _ in range(5):
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        target.copy_(source)
        torch.cuda.synchronize(device)
        rates.append(2 * source.numel() * source.element_size() / (time.perf_counter() - start))
    return max(rates)


def rates(contenders: dict[str, Callable[[], int]], rounds: int) -> dict[str, float]:
    """Tokens a second of each, medians of interleaved rounds."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            start = time.perf_counter()
            tokens = work()
            found[name].append(tokens / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in found.items()}


def report(what: str, found: dict[str, float], target: float) -> bool:
    """A row for each of our modes; whether the fast one reaches the target."""
    baseline = found["generate"]
    for mode in ("strict", "fast"):
        if mode in found:
            row = (
                f"| {what}, {mode} | {found[mode]:.1f} | {baseline:.1f} | {found[mode] / baseline:.1f} | {target:.1f} |"
            )
            print(row, flush=True)
    return found["fast"] / baseline >= target


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="demo-smollm2")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    model = resolve(arguments.model)
    if parse_reference(model.reference).scheme != "hf":
        model = resolve(f"hf:{weights_path(model)}")
    bench = Bench(Model(arguments.model, model.reference, model.kind, LoadOptions(device=arguments.device)))
    print(f"{arguments.model} on {bench.model.device}, {bench.model.dtype}, {THREADS} threads\n")
    print("| what | tokens/s | generate(), tokens/s | ratio | at least |\n|---|---:|---:|---:|---:|", flush=True)
    long, shorter = bench.context(1500), bench.context(1200)
    bench.engine.strict_widths(16, 1500, TOKENS)  # probed once in the life of a worker
    samples: dict[str, Callable[[], int]] = {
        "strict": lambda: bench.ours(long, PROMPTS[:1], 16, "strict"),
        "fast": lambda: bench.ours(long, PROMPTS[:1], 16, "fast"),
        "generate": lambda: bench.generate(long, PROMPTS[:1], 16),
    }
    found = rates(samples, arguments.rounds)
    good = report("16 samples of 64 tokens after 1,500", found, 3)
    batch: dict[str, Callable[[], int]] = {
        "fast": lambda: bench.ours(shorter, PROMPTS, 8, "fast"),
        "generate": lambda: bench.generate(shorter, PROMPTS[:1], 8),
    }
    good &= report("20 prompts x 8 samples x 64 tokens under 1,200", rates(batch, arguments.rounds), 3)
    pairs = [bench.first_tokens(shorter) for _ in range(3)]
    first, second = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    print("\n| what | first prompt, ms | second prompt, ms | ratio | at most |\n|---|---:|---:|---:|---:|")
    ratio = second / first
    print(f"| time to first token under 1,200 tokens | {first * 1e3:.0f} | {second * 1e3:.0f} | {ratio:.3f} | 0.15 |")
    if bench.model.device.type == "cuda":
        on_gpu(bench, long, found, arguments.rounds)
    return 0 if good and ratio <= 0.15 else 1


def on_gpu(bench: Bench, context: str, found: dict[str, float], rounds: int) -> None:
    """Absolute rates, beside those of continuous batching and of the memory's bandwidth."""
    limit = bench.limit(len(bench.engine.tokenize(context + PROMPTS[0])), 16)
    batched = rates({"batch": lambda: bench.generate_batch(context, PROMPTS[0], 16)}, rounds)["batch"]
    name = torch.cuda.get_device_name(bench.model.device)
    print(f"\n| {name} | tokens/s | share of the bandwidth limit of {limit:.0f} |\n|---|---:|---:|")
    for what, rate in {**found, "generate_batch": batched}.items():
        print(f"| {what} | {rate:.0f} | {rate / limit:.0%} |")


if __name__ == "__main__":
    raise SystemExit(main())
