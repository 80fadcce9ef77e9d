"""An NLI model in a process of its own."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Sequence
from pathlib import Path

from alignbench.engines.protocol import Entailed, Failed
from alignbench.engines.workers.messages import EntailmentRequest, LoadNli
from alignbench.engines.workers.process import WorkerProcess
from alignbench.errors import EngineError
from alignbench.machine import usable_cores


class NliWorker:
    """Started by the first question; it ends with `close`."""

    def __init__(self, folder: Path) -> None:
        """folder: of a sentence-transformers cross-encoder."""
        self._folder = folder
        self._process: WorkerProcess | None = None
        self._keys = itertools.count(1)

    def entails(self, pairs: Sequence[tuple[str, str]]) -> Entailed:
        """Whether the first text of each pair entails the second. EngineError where the model cannot say."""
        if self._process is None:
            self._process = WorkerProcess("nli", lambda _: None)
            self._process.send(LoadNli(str(self._folder), usable_cores()))
        answers: queue.SimpleQueue[object] = queue.SimpleQueue()
        key = next(self._keys)
        self._process.loading.append(answers.put)
        self._process.open[key] = answers.put
        self._process.send(EntailmentRequest(key, tuple(pairs)))
        answer = answers.get()
        if isinstance(answer, Entailed):
            self._process.loading.clear()
            return answer
        self.close()
        raise EngineError(answer.message if isinstance(answer, Failed) else "The NLI model gave no answer.")

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.stop()
            self._process = None
