"""Sampling against the servers that others use for it: llama-server, vLLM, and generate().

    tools/servers.sh && .venv/bin/python benchmarks/peers.py [--rounds 3] [--only llama-server | vllm]

Tokens a second of generation with the prefill counted, medians of interleaved rounds in one run on the same cores.
Every round has a context of its own, so that nothing is cached from the one before; within a round everybody may reuse
what it can. llama-server runs the same GGUF file with as many slots as there are samples, once with `n` in one request
and once with a request a sample. vLLM runs the same weights in the same type, `n` in one request; the same request goes
through our client too, streamed and with log-probs. Everybody goes on past an end token, so that all draw as many
tokens in as wide batches.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from _servers import Server, as_safetensors, is_there, llama_server, vllm
from hf_sampling import PROMPTS, SENTENCE, Bench

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.protocol import Event, Finished, SampleRequest
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import LoadOptions, Mode, Model, Sampling

THREADS = len(os.sched_getaffinity(0))
TOKENS = 64
_GO_ON = '{"ignore_eos":true}'  # fields of each request
FAST, STRICT = 1.15, 1.0  # of the best that llama-server does

Contender = Callable[[str], int]  # gets a context that nobody has seen, gives the tokens drawn


class Ours:
    """Our llama.cpp engine."""

    def __init__(self, path: Path) -> None:
        self._engine = LlamaCppEngine(path, Cancellation(), threads=THREADS)
        self._engine.is_end = lambda _: False
        self._keys = 0

    def warm(self, n: int, n_context: int) -> None:
        """Widths are probed once in the life of a worker."""
        self._engine.strict_widths(n, n_context, TOKENS)

    def draw(self, context: str, queries: tuple[str, ...], n: int, mode: Mode) -> int:
        sampling = Sampling(max_tokens=TOKENS)
        self._keys += len(queries)
        requests = [
            SampleRequest(self._keys + i, context, query, sampling, (), tuple(range(n)), 0, 7 + i, mode)
            for i, query in enumerate(queries)
        ]
        batches = [requests] if mode == "fast" else [[request] for request in requests]
        return sum(_drawn(self._engine.sample(batch)) for batch in batches)

    def close(self) -> None:
        self._engine.close()


def context_of(n_tokens: int, mark: int) -> str:
    """About so many tokens; another text for every mark."""
    return f"Note {mark}. " + SENTENCE * (n_tokens // 19)


def rates(contenders: Mapping[str, Contender], n_tokens: int, rounds: int) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for place, (name, work) in enumerate(contenders.items()):
            context = context_of(n_tokens, 100 * turn + place)
            start = time.perf_counter()
            tokens = work(context)
            found[name].append(tokens / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in found.items()}


def against_llama_server(rounds: int) -> bool:
    """Whether the targets are met."""
    print("| what | strict | fast | llama-server, n | requests | strict / best | fast / best |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    good = True
    for name, queries, n, n_tokens in (
        ("demo-base", PROMPTS[:1], 10, 1_200),
        ("demo-smollm2", PROMPTS[:1], 32, 0),
        ("demo-base", PROMPTS, 8, 1_200),
    ):
        good &= _one(name, queries, n, n_tokens, rounds)
    return good


def _one(name: str, queries: tuple[str, ...], n: int, n_tokens: int, rounds: int) -> bool:
    path = weights_path(resolve(name))
    slots = min(32, n * len(queries))
    ours = Ours(path)
    ours.warm(n, n_tokens + 40)
    room = (n_tokens + 100 + TOKENS) * slots
    with llama_server(path, slots, room, THREADS) as server:
        contenders: dict[str, Contender] = {
            "strict": lambda context: ours.draw(context, queries, n, "strict"),
            "fast": lambda context: ours.draw(context, queries, n, "fast"),
            "n": lambda context: server.complete_all([context + q for q in queries], n, TOKENS, slots // n),
        }
        if len(queries) == 1:  # of many prompts each request would read the context anew, for minutes
            contenders["requests"] = lambda context: server.complete_all([context + queries[0]] * n, 1, TOKENS, slots)
        found = rates(contenders, n_tokens, rounds)
    ours.close()
    best = max(found[name] for name in ("n", "requests") if name in found)
    requests = f"{found['requests']:.0f}" if "requests" in found else "-"
    prompts = f"{len(queries)} prompts x " if len(queries) > 1 else ""
    shares = [found[mode] / best for mode in ("strict", "fast")]
    print(
        f"| {name}, {prompts}{n} x {TOKENS} after {n_tokens} tokens | {found['strict']:.0f} | {found['fast']:.0f} "
        f"| {found['n']:.0f} | {requests} | {shares[0]:.2f} | {shares[1]:.2f} |",
        flush=True,
    )
    return shares[0] >= STRICT and shares[1] >= FAST


def against_vllm(rounds: int) -> None:
    head = "| what | strict | fast | vLLM, n | the same through alignbench | generate() | fast / best |"
    print(f"\n{head}\n|---|---:|---:|---:|---:|---:|---:|", flush=True)
    source = resolve("demo-smollm2")
    for dtype in ("float32", "bfloat16"):
        model = Model("m", f"hf:{weights_path(source)}", "base", LoadOptions(dtype=dtype, device="cpu"))
        bench = Bench(model)
        with tempfile.TemporaryDirectory() as folder:
            as_safetensors(bench.engine, Path(folder))
            with vllm(Path(folder), dtype, THREADS) as server:
                for n, n_tokens in ((10, 1_200), (32, 0)):
                    bench.engine.strict_widths(n, n_tokens + 40, TOKENS)
                    found = rates(_against(bench, server, n), n_tokens, rounds)
                    best = max(found["vllm"], found["generate"])
                    print(
                        f"| demo-smollm2, {dtype}, {n} x {TOKENS} after {n_tokens} tokens | {found['strict']:.0f} "
                        f"| {found['fast']:.0f} | {found['vllm']:.0f} | {found['client']:.0f} "
                        f"| {found['generate']:.0f} "
                        f"| {found['fast'] / best:.2f} |",
                        flush=True,
                    )


def _against(bench: Bench, server: Server, n: int) -> dict[str, Contender]:
    query = PROMPTS[:1]
    model = Model("m", f"openai:http://127.0.0.1:{server.port}/v1#{server.model}#{_GO_ON}", "base")
    client = OpenAIEngine(model, Cancellation())
    client.endpoint(chat=False)  # what the server can do is asked once in the life of a worker
    return {
        "strict": lambda context: bench.ours(context, query, n, "strict"),
        "fast": lambda context: bench.ours(context, query, n, "fast"),
        "vllm": lambda context: server.complete(context + query[0], n, TOKENS),
        "client": lambda context: _drawn(client.sample(bench.requests(context, query, n, "strict", TOKENS))),
        "generate": lambda context: bench.generate(context, query, n),
    }


def _drawn(events: Iterator[Event]) -> int:
    return sum(event.result.n_tokens or 0 for event in events if isinstance(event, Finished))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("llama-server", "vllm"))
    arguments = parser.parse_args()
    wanted = [arguments.only] if arguments.only else ["llama-server", "vllm"]
    if missing := [name for name in wanted if not is_there(name)]:
        print(f"{' and '.join(missing)}: not on this machine; tools/servers.sh brings both.")
        return 0
    good = against_llama_server(arguments.rounds) if "llama-server" in wanted else True
    if "vllm" in wanted:
        against_vllm(arguments.rounds)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
