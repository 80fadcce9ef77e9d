"""A request to the embedding worker that is made again where it fails."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Generic, TypeVar

from alignbench.engines.protocol import Embedded, Failed, TokensEmbedded

_TRIES = 2

EmbeddedT = TypeVar("EmbeddedT", Embedded, TokensEmbedded)


class PendingEmbeddings(Generic[EmbeddedT]):
    """Texts that the embedding worker has been given. One that died is started again by the next request.

    The second try is made on the thread that takes the answer, so a pool that is closing is asked for nothing.
    """

    def __init__(
        self,
        embed: Callable[[tuple[str, ...], Callable[[EmbeddedT | Failed], None]], None],
        texts: tuple[str, ...],
        sink: Callable[[EmbeddedT | Failed], None] | None = None,
    ) -> None:
        """embed: of a pool. sink: gets every answer, for those who do not `wait` for it."""
        self._answers: queue.SimpleQueue[EmbeddedT | Failed] = queue.SimpleQueue()
        self._embed: Callable[[tuple[str, ...], Callable[[EmbeddedT | Failed], None]], None] = embed
        self._texts = texts
        self._sink: Callable[[EmbeddedT | Failed], None] = sink or self._answers.put
        self._tries = 0
        self.try_again()

    def try_again(self) -> bool:
        """Ask once more, after a failure; False where it was the last try."""
        if self._tries == _TRIES:
            return False
        self._tries += 1
        self._embed(self._texts, self._sink)
        return True

    def wait(self) -> EmbeddedT | Failed:
        """The answer to the last try."""
        while True:
            answer = self._answers.get()
            if not isinstance(answer, Failed) or not self.try_again():
                return answer
