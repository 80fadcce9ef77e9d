"""Batched sampling with llama.cpp against sequential high-level calls and against a loop that only decodes.

    .venv/bin/python benchmarks/sampling.py

All rates are tokens a second of generation with the prefill counted, in one process and one run, the median of three
interleaved rounds. Baselines: `Llama.create_completion` once a sample (llama-cpp-python's own prefix reuse on), and
`llama_decode` alone at the same width (no sampling, no stops, no events).
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1")

import statistics
import sys
import time
from collections.abc import Callable

import llama_cpp

from alignbench.contexts.rendering import render
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.protocol import Finished, SampleRequest
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Context, Mode, Prompt, Sampling

THREADS = len(os.sched_getaffinity(0))
ROUNDS = 3
TOKENS = 64
SENTENCE = "The gardener counts the seeds twice, notes the weather, and plants in straight rows before noon. "
QUESTION = Prompt.typed("Why do people keep diaries?")


def prompt_of(engine: LlamaCppEngine, n_tokens: int) -> str:
    """The question in the model's own layout, after a context of about n_tokens tokens."""
    capabilities = engine.capabilities()
    template = "chat" if capabilities.kind == "aligned" else "plain"
    question = render(QUESTION, Context(template=template), capabilities).text
    if not n_tokens:
        return question
    repeats = n_tokens // (len(engine.tokenize(SENTENCE)) - 1)
    return SENTENCE * repeats + "\n\n" + question


def batched(engine: LlamaCppEngine, prompt: str, n: int, mode: Mode) -> int:
    """Our engine, with an empty cache to begin with; the number of tokens drawn."""
    engine._cached = []  # every round pays for its prefill
    request = SampleRequest(1, "", prompt, Sampling(max_tokens=TOKENS), (), tuple(range(n)), 0, 7, mode)
    return sum(event.result.n_tokens for event in engine.sample([request]) if isinstance(event, Finished))


def decode_only(engine: LlamaCppEngine, prompt: str, n: int) -> int:
    """Prefill, fork and one decode a step, feeding back a constant token."""
    engine._cached = []
    ids = engine.tokenize(prompt)
    engine.reserve(len(ids), TOKENS, n)
    engine.prompt(ids, 0, False, 0)
    slots = range(n)
    for slot in slots:
        engine.fork(slot)
    for _ in range(TOKENS - 1):
        engine.step(slots, [ids[-1]] * n)
    for slot in slots:
        engine.drop(slot)
    return n * TOKENS


def sequential(llama: llama_cpp.Llama, prompt: str, n: int, reset: bool = True) -> int:
    """One create_completion a sample; the first one pays for the prompt, or for what of it is not cached."""
    if reset:
        llama.reset()
    total = 0
    for seed in range(1, n + 1):
        answer = llama.create_completion(
            prompt, max_tokens=TOKENS, temperature=0.7, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, seed=seed
        )
        total += answer["usage"]["completion_tokens"]
    return total


def rate(work: Callable[[], int]) -> float:
    start = time.perf_counter()
    tokens = work()
    return tokens / (time.perf_counter() - start)


def compare(model_name: str, n: int, n_context: int) -> None:
    path = weights_path(resolve(model_name))
    engine = LlamaCppEngine(path, Cancellation(), threads=THREADS)
    prompt = prompt_of(engine, n_context)
    llama = llama_cpp.Llama(str(path), n_ctx=n_context + 512, n_threads=THREADS, n_threads_batch=THREADS, verbose=False)
    contenders: dict[str, Callable[[], int]] = {
        "strict": lambda: batched(engine, prompt, n, "strict"),
        "fast": lambda: batched(engine, prompt, n, "fast"),
        "decode only": lambda: decode_only(engine, prompt, n),
        "sequential": lambda: sequential(llama, prompt, n),
    }
    engine.strict_widths(n, n_context, TOKENS)  # probed once in the life of a worker
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            rates[name].append(rate(work))
    median = {name: statistics.median(values) for name, values in rates.items()}
    for mode in ("strict", "fast"):
        print(
            f"| {model_name}, {n} x {TOKENS} tokens, prompt of {len(engine.tokenize(prompt))}, {mode} "
            f"| {median[mode]:.0f} | {median['sequential']:.0f} | {median[mode] / median['sequential']:.2f} "
            f"| {median['decode only']:.0f} | {median[mode] / median['decode only']:.0%} |",
            flush=True,
        )
    engine.close()


if __name__ == "__main__":
    print("| what | tokens/s | sequential calls | ratio | decode only | share |")
    print("|---|---|---|---|---|---|")
    compare("demo-base", 10, 1200)
    compare("demo-smollm2", 32, 0)
    sys.stdout.flush()
