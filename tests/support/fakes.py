"""A deterministic pool without weights, for tests of what is above the engines."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.engines.protocol import (
    Capabilities,
    Delta,
    Done,
    Embedded,
    Failed,
    Finished,
    LikelihoodRequest,
    Loaded,
    Loading,
    SampleRequest,
    SampleResult,
    Scored,
    Sink,
    Started,
    TextDeltas,
    Tokenized,
    TokenStats,
)
from alignbench.spec import Model
from tests.support.waiting import LIMIT

CAPABILITIES = {
    "aligned": Capabilities(
        kind="aligned",
        chat_template="{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>",
        bos="", eos="<|end|>", adds_bos=False, n_ctx_train=2048, n_vocab=1000, device="fake",
        description="fake aligned",
    ),
    "base": Capabilities(
        kind="base", chat_template=None, bos="<s>", eos="</s>", adds_bos=True, n_ctx_train=2048, n_vocab=1000,
        device="fake", description="fake base",
    ),
}  # fmt: skip


def fake_words(request: SampleRequest, sample: int) -> list[str]:
    """The words of a fake response: a function of seed, stream and sample alone."""
    rng = np.random.default_rng([request.seed + sample, request.stream])
    words = [
        "people",
        "often",
        "write",
        "walk",
        "breathe",
        "sleep",
        "talk",
        "friends",
        "music",
        "rest",
        "plan",
        "garden",
    ]
    return [str(w) for w in rng.choice(words, size=min(12, request.sampling.max_tokens))]


@dataclass
class FakePool:
    """Answers on threads of its own. `texts` fixes responses; `delay` seconds pass between words; `fail` names models
    that cannot be loaded."""

    texts: dict[str, list[str]] = field(default_factory=dict)  # model name -> response of sample i (cycled)
    delay: float = 0.0
    fail: dict[str, str] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    requests: list[tuple[str, SampleRequest]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keys = itertools.count(1)
        self._cancelled: dict[int, set[int] | None] = {}

    def load(self, model: Model, sink: Sink) -> None:
        def work() -> None:
            if model.name in self.fail:
                sink(Failed(0, self.fail[model.name]))
                return
            if model.name not in self.loaded:
                sink(Loading(model.name, 0.5))
                time.sleep(self.delay)
                self.loaded.add(model.name)
            sink(Loaded(model.name, CAPABILITIES[model.kind], 0.0))

        threading.Thread(target=work, daemon=True).start()

    def capabilities(self, model: Model) -> Capabilities | None:
        return CAPABILITIES[model.kind] if model.name in self.loaded else None

    def new_key(self) -> int:
        return next(self._keys)

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        self.requests.append((model.name, request))
        threading.Thread(target=self._answer, args=(model, request, sink), daemon=True).start()

    def _is_cancelled(self, key: int, sample: int) -> bool:
        if key not in self._cancelled:
            return False
        samples = self._cancelled[key]
        return samples is None or sample in samples

    def _answer(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        sink(Started(request.key, (1, 2, 3), 0, 0.0))
        fixed = self.texts.get(model.name)
        pieces = {}
        for i in request.samples:
            pieces[i] = [fixed[i % len(fixed)]] if fixed else [w + " " for w in fake_words(request, i)]
        drawn: dict[int, list[str]] = {i: [] for i in request.samples}
        live = list(request.samples)
        step = 0
        while live:
            if self.delay:
                time.sleep(self.delay)
            deltas = []
            for i in list(live):
                if self._is_cancelled(request.key, i):
                    live.remove(i)
                    sink(Finished(request.key, self._result(i, drawn[i], "cancelled")))
                    continue
                piece = pieces[i][step]
                drawn[i].append(piece)
                deltas.append(Delta(i, piece, len(drawn[i])))
            if deltas:
                sink(TextDeltas(request.key, tuple(deltas), len(deltas)))
            step += 1
            for i in list(live):
                if step >= len(pieces[i]):
                    live.remove(i)
                    sink(Finished(request.key, self._result(i, drawn[i], "stop")))
        sink(Done(request.key))

    def _result(self, i: int, pieces: list[str], reason: str) -> SampleResult:
        text, n = "".join(pieces), len(pieces)
        ones = np.ones(n, np.float32)
        tokens = TokenStats(np.arange(n, dtype=np.int32), -ones, ones, -ones, ones)
        return SampleResult(i, text, text, reason, 3, n, 0.01, -float(n), tokens)  # type: ignore[arg-type]

    def tokenize(self, model: Model, texts: Sequence[str], sink: Callable[[Tokenized | Failed], None]) -> None:
        """A token a byte, after a BOS where the model has one."""
        key = self.new_key()
        if model.name not in self.loaded:
            sink(Failed(key, f"{model.name} is not loaded."))
            return
        bos = CAPABILITIES[model.kind].bos.encode()
        pieces = tuple(((bos,) if bos else ()) + tuple(bytes([b]) for b in text.encode()) for text in texts)
        sink(Tokenized(key, tuple(tuple(range(len(each))) for each in pieces), pieces))

    def cancel(self, model: Model, key: int, samples: Sequence[int] | None = None) -> None:  # noqa: ARG002
        if samples is None:
            self._cancelled[key] = None
        elif self._cancelled.get(key, set()) is not None:
            self._cancelled.setdefault(key, set()).update(samples)  # type: ignore[union-attr]

    def unload(self, model: Model) -> None:
        self.loaded.discard(model.name)

    def close(self) -> None:
        self.loaded.clear()


@dataclass
class LetterEmbedder:
    """Vectors that count the letters a to z: texts with the same letters are alike, one without any has no vector.

    `broken`: what embedding fails with.
    """

    model: str = DEFAULT_EMBEDDER
    broken: str = ""

    def embed(self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None]) -> None:
        if self.broken:
            sink(Failed(0, self.broken))
            return
        counts = np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], np.float32)
        vectors = counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)
        sink(Embedded(0, vectors, (1,) * len(texts), self.model))

    def cancel_embedding(self, sink: object) -> None:
        """It has answered already."""


@dataclass
class ScoringPool(FakePool):
    """Scores responses word by word, with ranks 1, 2, 5 in turn. `alternatives`: what it would rather have said."""

    alternatives: tuple[str, ...] = (" one", " two", " three", " four", " five")
    hold: threading.Event = field(default_factory=threading.Event)  # answers wait for it

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hold.set()

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:  # noqa: ARG002
        def work() -> None:
            self.hold.wait(LIMIT)
            pieces = tuple(re.findall(r"\s*\S+", request.continuation))
            n, top = len(pieces), len(self.alternatives)
            best = np.tile(-np.arange(1, top + 1, dtype=np.float32), (n, 1))
            ids = np.arange(n, dtype=np.int32)
            ranks = np.array([(1, 2, 5)[i % 3] for i in range(n)], np.int32)
            top_ids = np.zeros((n, top), np.int32)
            sink(Scored(request.key, ids, pieces, -np.ones(n, np.float32), ranks, top_ids, best,
                        (self.alternatives,) * n, 3))  # fmt: skip

        threading.Thread(target=work, daemon=True).start()
