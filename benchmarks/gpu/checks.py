"""What has to hold on a GPU, one engine after the other: replay, parity with the CPU, memory, two models.

python benchmarks/gpu/checks.py --engine transformers --model /folder --device cuda --out lines.jsonl
"""

from __future__ import annotations

import argparse
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results import Results

from alignbench.engines import blocking
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.hf.engine import TransformersEngine
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.local.engine import LocalEngine
from alignbench.engines.protocol import (
    Done,
    Event,
    Failed,
    Finished,
    LikelihoodRequest,
    SampleRequest,
)
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError
from alignbench.models.catalog import resolve
from alignbench.spec import LoadOptions, Model, Sampling

THREADS = 4
CONTEXT = "The gardener counts the seeds twice, notes the weather, and plants in straight rows before noon. " * 8
QUERY = "\n\nQuestion: what is there to know about salt?\nAnswer:"
TEXT = " Salt keeps food for the winter, and a town that had a mine of it was seldom poor for long."
MOST_APART = {"transformers": 0.05, "llama.cpp": 0.05}  # nats a token, between bfloat16 or float16 there and the CPU
GIVEN_BACK = 0.95  # of the GPU memory that a model took


def model_of(engine: str, place: Path, device: str) -> Model:
    """The model of a folder or GGUF file on a device."""
    model = resolve(f"{'hf' if engine == 'transformers' else 'llama'}:{place}")
    layers = 0 if device == "cpu" else -1
    return replace(model, kind="base", options=LoadOptions(device=device, gpu_layers=layers))


@contextmanager
def loaded(engine: str, model: Model) -> Iterator[LocalEngine]:
    """An engine in this process."""
    if engine == "transformers":
        made: LocalEngine = TransformersEngine(model, Cancellation(), threads=THREADS)
        yield made
        return
    path = Path(model.reference.removeprefix("llama:"))
    llama = LlamaCppEngine(path, Cancellation(), threads=THREADS, gpu_layers=model.options.gpu_layers)
    try:
        yield llama
    finally:
        llama.close()


def drawn(engine: LocalEngine, samples: tuple[int, ...]) -> dict[int, list[int]]:
    """Token ids by sample, strict mode, with nothing kept from before."""
    engine.forget()
    request = SampleRequest(1, CONTEXT, QUERY, Sampling(max_tokens=32, temperature=1.0), (), samples, 3, 7)
    ended = [event for event in engine.sample([request]) if isinstance(event, Finished)]
    return {event.result.sample: event.result.tokens.ids.tolist() for event in ended}


def replays(engine: LocalEngine) -> tuple[bool, str]:
    """Whether a sample is the same alone, among seven others, and again."""
    crowd, again = drawn(engine, tuple(range(8))), drawn(engine, tuple(range(8)))
    alone = {i: drawn(engine, (i,))[i] for i in (0, 3, 7)}
    same = sum(crowd[i] == ids for i, ids in alone.items())
    return crowd == again and same == len(alone), (
        f"again: {sum(crowd[i] == again[i] for i in crowd)} of 8 the same; alone: {same} of {len(alone)}"
    )


def logprobs(engine: LocalEngine) -> np.ndarray[Any, Any]:
    return engine.score(LikelihoodRequest(1, CONTEXT, QUERY, TEXT)).logprob


def parity(name: str, model: Model) -> tuple[bool, str]:
    """Log-probs of one text on the GPU and on the CPU."""
    with loaded(name, model) as there:
        on_gpu = logprobs(there)
    with loaded(name, replace(model, options=LoadOptions(device="cpu", gpu_layers=0))) as here:
        on_cpu = logprobs(here)
    apart = float(np.abs(on_gpu - on_cpu).mean())
    return apart <= MOST_APART[name], f"{apart:.4f} nats a token apart, {on_gpu.size} tokens"


def out_of_memory(name: str, model: Model) -> tuple[bool, str]:
    """What is said where memory does not suffice: for weights (transformers), for a cache (llama.cpp)."""
    try:
        if name == "transformers":
            torch.cuda.set_per_process_memory_fraction(1e-4)
            with loaded(name, model):
                pass
        else:
            with loaded(name, model) as engine:
                engine.reserve(2_000, 1_000_000, 200)
    except EngineError as error:
        return "memory" in str(error) or "MiB" in str(error), str(error).splitlines()[0]
    finally:
        if torch.cuda.is_available():
            torch.cuda.set_per_process_memory_fraction(1.0)
    return False, "it went through"


def used() -> int:
    """Bytes of GPU memory that anybody uses."""
    free, total = torch.cuda.mem_get_info()
    return total - free


def wait_for_end(events: queue.Queue[Event]) -> None:
    """Of a request. Raises EngineError where it failed."""
    while not isinstance(event := events.get(timeout=240), Done):
        if isinstance(event, Failed):
            raise EngineError(event.message)


def unloading(model: Model) -> tuple[bool, str]:
    """Whether a worker gives its memory back."""
    before = used()
    pool = WorkerPool(threads=THREADS)
    try:
        blocking.loaded(pool, model)
        taken = used() - before
        pool.unload(model)
        left = used() - before
    finally:
        pool.close()
    return taken > 0 and left <= (1 - GIVEN_BACK) * taken, f"{taken >> 20} MiB taken, {left >> 20} MiB left"


def two_models(models: tuple[Model, Model]) -> tuple[bool, str]:
    """Two models in workers of their own that draw at one time."""
    pool = WorkerPool(threads=THREADS)
    try:
        for model in models:
            blocking.loaded(pool, model)
        waits: list[queue.Queue[Event]] = []
        for model in models:
            waits.append(queue.Queue())
            sampling = Sampling(max_tokens=16)
            request = SampleRequest(pool.new_key(), CONTEXT, QUERY, sampling, (), (0, 1, 2, 3), 0, 7)
            pool.sample(model, request, waits[-1].put)
        for wait in waits:
            wait_for_end(wait)
    finally:
        pool.close()
    return True, " and ".join(model.reference.partition(":")[0] for model in models)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("transformers", "llama.cpp"), required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--other", type=Path, help="a model of the other engine, to run beside it")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    name, results = arguments.engine, Results(arguments.out)
    model = model_of(name, arguments.model, arguments.device)

    def replay() -> tuple[bool, str]:
        with loaded(name, model) as engine:
            return replays(engine)

    results.tried(f"{name}: strict replay", replay)
    if arguments.device == "cpu":
        for what in ("parity with the CPU", "message when memory runs out", "unloading gives memory back"):
            results.check(f"{name}: {what}", None, "needs a GPU")
    else:
        results.tried(f"{name}: parity with the CPU", lambda: parity(name, model))
        results.tried(f"{name}: message when memory runs out", lambda: out_of_memory(name, model))
        results.tried(f"{name}: unloading gives memory back", lambda: unloading(model))
    if arguments.other is not None:
        other = model_of("llama.cpp" if name == "transformers" else "transformers", arguments.other, arguments.device)
        results.tried("two models at one time", lambda: two_models((model, other)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
