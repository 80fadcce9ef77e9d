"""Sampling rates of an engine after a long context, beside its peers and the bandwidth of the memory.

    python benchmarks/gpu/rates.py --engine transformers --model /folder --device cuda --out lines.jsonl

transformers: our engine, strict and fast, against `generate(num_return_sequences=n)` and continuous batching
(`generate_batch`) on the same loaded weights, and at one width against generate() compiled, in CUDA graphs, which tells
what these would gain. llama.cpp: our engine against a loop that only decodes, at the same
width. Tokens a second of generation with the prefill counted; each contender runs once before it is timed. The limit
is that of hf_sampling.py: a step reads the weights, the shared keys and values once and each row's own.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from checks import loaded, model_of
from hf_sampling import SENTENCE, TOKENS, Bench, copy_bandwidth
from results import Results
from sampling import decode_only

from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.protocol import Finished, SampleRequest
from alignbench.spec import Mode, Model, Sampling

GRAPHS = 8  # the width at which generate() is compiled too
QUERY = "\n\nQuestion: what is there to know about salt?\nAnswer:"


def timed(work: Callable[[], int], rounds: int) -> float:
    """Tokens a second, the best of some rounds after one that is not counted."""
    work()
    best = 0.0
    for _ in range(rounds):
        start = time.perf_counter()
        tokens = work()
        best = max(best, tokens / (time.perf_counter() - start))
    return best


def of_transformers(
    results: Results, model: Model, called: str, widths: list[int], n_context: int, rounds: int
) -> None:
    bench = Bench(model)
    on_gpu = bench.model.device.type == "cuda"
    context = bench.context(n_context)
    n_prompt = len(bench.engine.tokenize(context + QUERY))
    for n in widths:
        bench.engine.strict_widths(n, n_prompt, TOKENS)
        contenders: dict[str, Callable[[], int]] = {
            "alignbench, strict": lambda n=n: bench.ours(context, (QUERY,), n, "strict"),
            "alignbench, fast": lambda n=n: bench.ours(context, (QUERY,), n, "fast"),
            "generate": lambda n=n: bench.generate(context, (QUERY,), n),
        }
        if on_gpu:
            contenders["generate_batch"] = lambda n=n: bench.generate_batch(context, QUERY, n)
            if n == GRAPHS:  # compiling takes a minute
                contenders["generate, CUDA graphs"] = lambda n=n: bench.generate(context, (QUERY,), n, "static")
        limit = bench.limit(n_prompt, n) if on_gpu else None
        for contender, work in contenders.items():
            _row(results, called, n, n_prompt, contender, work, rounds, limit)


def of_llama(results: Results, model: Model, called: str, widths: list[int], n_context: int, rounds: int) -> None:
    with loaded("llama.cpp", model) as engine:
        assert isinstance(engine, LlamaCppEngine)
        engine.is_end = lambda _: False  # all draw as many tokens, in as wide batches
        each = len(engine.tokenize(SENTENCE * 9)) - len(engine.tokenize(SENTENCE * 8))
        context = SENTENCE * (n_context // each)
        n_prompt = len(engine.tokenize(context + QUERY))
        for n in widths:
            engine.strict_widths(n, n_prompt, TOKENS)
            contenders: dict[str, Callable[[], int]] = {
                "alignbench, strict": lambda n=n: _ours(engine, context, n, "strict"),
                "alignbench, fast": lambda n=n: _ours(engine, context, n, "fast"),
                "decoding alone": lambda n=n: decode_only(engine, context + QUERY, n),
            }
            limit = _limit(engine, n_prompt, n) if model.options.device != "cpu" else None
            for contender, work in contenders.items():
                _row(results, called, n, n_prompt, contender, work, rounds, limit)


def _ours(engine: LlamaCppEngine, context: str, n: int, mode: Mode) -> int:
    engine.forget()
    request = SampleRequest(1, context, QUERY, Sampling(max_tokens=TOKENS), (), tuple(range(n)), 0, 7, mode)
    return sum(event.result.n_tokens or 0 for event in engine.sample([request]) if isinstance(event, Finished))


def _limit(engine: LlamaCppEngine, n_shared: int, n: int) -> float:
    """Most tokens a second that the memory's bandwidth allows n rows, halfway through their responses."""
    own = n * TOKENS / 2
    n_bytes = engine.path.stat().st_size + engine._cache_bytes(1) * (n_shared + own)
    return n * copy_bandwidth(torch.device("cuda")) / n_bytes


def _row(
    results: Results,
    model: str,
    n: int,
    n_prompt: int,
    contender: str,
    work: Callable[[], int],
    rounds: int,
    limit: float | None,
) -> None:
    try:
        rate = timed(work, rounds)
    except Exception as error:  # of a peer too: the others go on
        results.check(f"{model}, n = {n}: {contender}", False, f"{type(error).__name__}: {error}".splitlines()[0])
        return
    results.rate({"model": model, "n": n, "prompt": n_prompt, "contender": contender, "rate": rate, "limit": limit})


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("transformers", "llama.cpp"), required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--called", required=True, help="what the table calls it")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--widths", default="1,8,64")
    parser.add_argument("--context", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    run = of_transformers if arguments.engine == "transformers" else of_llama
    model = model_of(arguments.engine, arguments.model, arguments.device)
    widths = [int(n) for n in arguments.widths.split(",")]
    run(Results(arguments.out), model, arguments.called, widths, arguments.context, arguments.rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
