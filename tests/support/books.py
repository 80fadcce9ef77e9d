"""A pool that samples and reads without weights, and a ledger on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from alignbench.engines.protocol import Failed, LikelihoodRequest, SampleRequest, Scored, Sink
from alignbench.experiments.staged import StagedRun
from alignbench.ledger.ledger import Ledger, LedgerBuilder, sampling_plan
from alignbench.ledger.prepare import Failures
from alignbench.ledger.request import LedgerRequest
from alignbench.progress import Progress, silent
from alignbench.spec import Condition, Context, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support.fakes import FakePool

BASE = Model("tiny", "llama:/tiny.gguf", "base")
TEACHER = Condition.zero_shot(Model("chat", "llama:/chat.gguf", "aligned"), sampling=Sampling(temperature=1.0))
WORDS = ("dance", "paint", "swim")
PROMPTS = tuple(Prompt(f"p{i}", f"Why {word}?") for i, word in enumerate(WORDS))

UNKNOWN, OWN, KNOWN = 1.0, 0.5, 0.25  # bits of a byte: under the base, under the teacher, of a text seen before


@dataclass
class Pool(FakePool):
    """Answers a prompt in three colours. Asked for a hint, it says the response that the hint is to be made of.

    A token a byte. A continuation that stands word for word in the text before it is known. refuse: continuations that
    cannot be read, with the message. by_example: what a byte costs after an example, as a part of what it costs before.
    """

    scored: list[tuple[str, LikelihoodRequest]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    by_example: float = 1.0

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        text = request.context + request.query
        word = next(word for word in WORDS if word in text)
        said = [f"{word} in {colour}" for colour in ("red", "blue", "green")]
        self.texts = {**self.texts, model.name: [each for each in said if each in text] or said}
        super().sample(model, request, sink)

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        self.scored.append((model.name, request))
        if (why := self.refuse.get(request.continuation)) is not None:
            sink(Failed(request.key, why))
            return
        n = len(request.continuation.encode())
        seen = request.continuation in request.context + request.query
        bits = KNOWN if seen else OWN if model.kind == "aligned" else UNKNOWN
        bits *= self.by_example ** (request.context + request.query).count("# Answer:\n```\n", 0, -1)
        sink(
            Scored(
                request.key, np.arange(n, dtype=np.int32), tuple(map(chr, request.continuation.encode())),
                np.full(n, -bits * math.log(2), np.float32), np.ones(n, np.int32), np.empty((n, 0), np.int32),
                np.empty((n, 0), np.float32), ((),) * n, 1,
            )
        )  # fmt: skip


def asked(*contexts: Context, n: int = 3, **changes: object) -> LedgerRequest:
    fields: dict[str, object] = {
        "prompts": PROMPTS, "prompts_name": "three", "teacher": TEACHER, "base": BASE, "contexts": contexts, "n": n,
    }  # fmt: skip
    return LedgerRequest(**{**fields, **changes})  # type: ignore[arg-type]


def session_of(store: Store, wanted: LedgerRequest) -> int:
    """The session of a ledger, begun where there is none."""
    manifest = {"ledger": {"key": wanted.key}}
    return store.session_of_ledger(wanted.key) or store.create_session("t", reference="chat", manifest=manifest)


def kept(
    store: Store,
    pool: Pool,
    wanted: LedgerRequest,
    *,
    controls: bool = False,
    failures: Failures | None = None,
    progress: Progress = silent,
) -> Ledger:
    """Sample what is missing, then keep the ledger."""
    session = session_of(store, wanted)
    list(StagedRun(sampling_plan(store, session, wanted, controls=controls), pool, store, None))
    keeper = LedgerBuilder(store, pool, None, session, failures or Failures(), progress)
    return keeper.ledger(wanted, controls=controls)
