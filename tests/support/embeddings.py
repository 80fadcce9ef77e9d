"""A stand-in for an embedder: vectors that depend on the text alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.engines.protocol import Embedded, Failed

DIM = 8
NO_TOKEN = "\ue000"  # a text that the embedder has no token for


def vector(text: str) -> np.ndarray:
    """A unit vector; zero for `NO_TOKEN`."""
    if text == NO_TOKEN:
        return np.zeros(DIM, np.float32)
    v = np.random.default_rng(list(text.encode("utf-8", "surrogatepass"))).normal(size=DIM)
    return (v / np.linalg.norm(v)).astype(np.float32)


@dataclass
class FakeEmbedPool:
    """Embeds on threads of its own, once `open` is set. fail: messages of the next requests, None where one works."""

    fail: list[str | None] = field(default_factory=list)
    model: str = DEFAULT_EMBEDDER
    requests: list[tuple[str, ...]] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.open.set()

    def embed(self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None]) -> None:
        self.requests.append(texts)
        message = self.fail.pop(0) if self.fail else None
        self.asked.release()

        def answer() -> None:
            self.open.wait()
            if message is not None:
                sink(Failed(1, message))
            else:
                vectors = np.stack([vector(text) for text in texts])
                sink(Embedded(1, vectors, tuple(int(v.any()) for v in vectors), self.model))

        threading.Thread(target=answer, daemon=True).start()

    @property
    def embedded(self) -> list[str]:
        return [text for request in self.requests for text in request]
