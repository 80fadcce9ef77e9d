"""The same weights and the same texts under four engines: do they see the same tokens, and find them as likely?

    tools/servers.sh && .venv/bin/python benchmarks/agreement.py

SmolLM2-135M: its GGUF file under llama.cpp and llama-server; its weights as float32 safetensors under transformers and
vLLM. Each reads the same chats, token for token, and the table compares it to transformers: token ids, log-probs of the
response, first choices, the distribution of the first token over the 20 likeliest of both. A seed is sent twice to an
engine that is alone, and once while five others are drawn.
"""

from __future__ import annotations

import os

os.environ.update(GOMP_SPINCOUNT="1000", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

import queue
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _servers import ENVIRONMENTS, as_safetensors, is_there, llama_server

from alignbench.engines import blocking
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.hf.engine import TransformersEngine
from alignbench.engines.protocol import Done, Event, Failed, Finished, SampleRequest, Scored
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import EngineError
from alignbench.experiments.likelihood import score_response
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Context, LoadOptions, Model, Prompt, Sampling

THREADS = len(os.sched_getaffinity(0))
CHATS = (
    ("Why do people keep diaries?", "People keep diaries to remember their days, and to put a worry into a sentence."),
    ("Name three uses of salt.", "Salt keeps food, melts ice on the road, and makes bread taste of something."),
    ("What is a well?", "A well is a deep hole with water at the bottom. Some are lined with stone."),
    ("Is the sea blue?", "It looks blue because water takes the red out of the light, but a glass of it is clear."),
    ("How does a lock work?", "Pins of several lengths keep the cylinder still; the key lifts each to its line."),
    ("Schreibe einen Satz über Tee.", "Der Tee wird kalt, während draußen der Regen an die Fenster schlägt."),
    ("Write a line of Python.", "```python\nprint(sum(n * n for n in range(10)))\n```"),
    ("What is 12 times 12?", "12 × 12 = 144."),
)  # fmt: skip
FIRST = 20


@dataclass(frozen=True, slots=True)
class Read:
    """What an engine says of the chats, and whether it replays a seed: alone, and in a crowd."""

    scored: tuple[Scored, ...]
    alone: bool
    crowd: bool


def read(model: Model) -> Read:
    """One engine at a time is loaded."""
    pool = WorkerPool(threads=THREADS)
    try:
        blocking.loaded(pool, model)
        scored = tuple(
            score_response(pool, model, Context("chat"), Prompt.typed(question), answer, top=FIRST)
            for question, answer in CHATS
        )
        first, again = drawn(pool, model, [0])[0], drawn(pool, model, [0])[0]
        crowd = drawn(pool, model, range(6))[0]
    finally:
        pool.close()
    return Read(scored, first == again, first == crowd)


def drawn(pool: WorkerPool, model: Model, prompts: Sequence[int]) -> list[str]:
    """A sample to each prompt, all asked at once, each with a seed of its own."""
    sampling = Sampling(max_tokens=24, temperature=1.0)
    requests = [
        SampleRequest(pool.new_key(), "", f"Note {i}. The gardener", sampling, (), (0,), 11 + i, 7) for i in prompts
    ]
    inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
    for request in requests:
        pool.sample(model, request, inbox.put)
    texts: dict[int, str] = {}
    left = {request.key for request in requests}
    while left:
        match inbox.get():
            case Finished(key=key, result=result):
                texts[key] = result.raw_text
            case Done(key=key):
                left.discard(key)
            case Failed(message=message):
                raise EngineError(message)
    return [texts[request.key] for request in requests]


def first_tokens(scored: Scored) -> dict[str, float]:
    """Probabilities of the likeliest first tokens of a response."""
    return dict(zip(scored.top_pieces[0], np.exp(scored.top_logprob[0]).tolist(), strict=True))


def row(name: str, mine: Read, reference: Read) -> str:
    pairs = list(zip(mine.scored, reference.scored, strict=True))
    same = [a.ids.tolist() == b.ids.tolist() and a.n_context_tokens == b.n_context_tokens for a, b in pairs]
    both = [pair for pair, alike in zip(pairs, same, strict=True) if alike]
    apart = np.concatenate([np.abs(a.logprob - b.logprob) for a, b in both])
    firsts = np.concatenate([(a.rank == 1) == (b.rank == 1) for a, b in both])
    distances = []
    for a, b in both:
        p, q = first_tokens(a), first_tokens(b)
        distances.append(sum(abs(p.get(token, 0.0) - q.get(token, 0.0)) for token in {*p, *q}) / 2)
    yes = {True: "yes", False: "no"}
    return (
        f"| {name} | {sum(same)} of {len(same)} | {apart.mean():.4f} | {apart.max():.3f} | {firsts.mean():.1%} "
        f"| {np.mean(distances):.4f} | {yes[mine.alone]} | {yes[mine.crowd]} |"
    )


def main() -> int:
    if not (is_there("vllm") and is_there("llama-server")):
        print("The servers are not on this machine; tools/servers.sh brings both.")
        return 0
    gguf = resolve("demo-smollm2")
    path = weights_path(gguf)
    with tempfile.TemporaryDirectory() as made:
        hf = Model("m", f"hf:{path}", "aligned", LoadOptions(dtype="float32", device="cpu"))
        engine = TransformersEngine(hf, Cancellation(), threads=THREADS)
        as_safetensors(engine, Path(made))
        del engine
        options = LoadOptions(
            dtype="float32",
            device="cpu",
            command=(str(ENVIRONMENTS / "vllm/bin/python"), "-m", "vllm.entrypoints.openai.api_server"),
            args=("--enforce-eager", "--max-model-len", "4096"),
            env=(("VLLM_CPU_KVCACHE_SPACE", "1"),),
        )
        reference = read(Model("transformers", f"hf:{made}", "aligned", LoadOptions(dtype="float32", device="cpu")))
        others = {"vLLM": read(Model("vllm", f"vllm:{made}", "aligned", options)), "llama.cpp": read(gguf)}
        with llama_server(path, 8, 8_192, THREADS) as server:
            served = Model("served", f"openai:http://127.0.0.1:{server.port}/v1#{server.model}", "aligned")
            others["llama-server"] = read(served)
    print(
        "| engine | same ids | log-prob apart, mean, nats | largest | same first choice | first token, TV "
        "| replays alone | in a crowd |\n|---|---:|---:|---:|---:|---:|---|---|"
    )
    print(row("transformers", reference, reference))
    for name, found in others.items():
        print(row(name, found, reference))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
