"""Scores that are up to date with a run: joins samples, the embedding worker, kept embeddings, and the scores."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alignbench.config import NOT_IN_USE
from alignbench.contexts.source_samples import SourceSamples
from alignbench.engines.embedder import WINDOW_MODE, default_embedder
from alignbench.engines.protocol import Embedded, EmbedPool, Failed
from alignbench.errors import StoreError
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import Cross
from alignbench.metrics.words import is_empty
from alignbench.scoring.draws import is_draw
from alignbench.scoring.embedding_cache import Vector
from alignbench.scoring.held_out import ANOTHER_PROMPT, WHOLE, HeldOut, ReferencePart
from alignbench.scoring.pending_embeddings import PendingEmbeddings
from alignbench.scoring.prompt_scores import PromptScores, completed
from alignbench.spec import content_hash
from alignbench.store import SampleRow, Store

_BATCH = 32  # texts of one request: few enough for scores to move while many are waiting

_CellKey = tuple[str, str]  # prompt id, condition name


@dataclass(frozen=True, slots=True)
class _WantedText:
    hash: str
    text: str


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


class LiveScores:
    """Scores of a session's cells and pairs of cells, up to date with every sample that was added. Thread-safe.

    Lexical scores are there when `add` returns. Embeddings come later: from the store where they are kept by (model,
    text hash), else from the embedding worker, in batches of what arrived while the last one was on its way. A text is
    embedded once ever. Where embeddings cannot be had, their scores are null with the reason.
    """

    def __init__(
        self,
        store_path: Path | str,
        embed: EmbedPool | None,
        on_change: Callable[[], None],
        *,
        embedder: str | None = None,
    ) -> None:
        """on_change is called after values changed, from the thread of `add` or another one, and must not block.

        embedder: name of the pool's model, under which its vectors are kept; None for the one that is taken by default.
        """
        self._on_change = on_change
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._cells: dict[_CellKey, CellScores] = {}
        self._pairs: dict[
            tuple[_CellKey, ReferencePart, _CellKey], CellPair
        ] = {}  # of a reference, a part of it, and another
        self._texts: dict[_CellKey, dict[int, str]] = {}
        self._parts: dict[_CellKey, dict[ReferencePart, CellScores]] = {}
        self._users: dict[str, list[tuple[CellScores, int]]] = {}  # text hash -> whose embedding is on its way
        self._closed = False
        self._feeder = _Feeder(Path(store_path), embed, embedder or default_embedder(), self._deliver, self._fail)
        self._feeder.start()

    def add(self, row: SampleRow) -> None:
        """Count a finished sample, in about a millisecond.

        Rows that are not done, no draw of their own (see `draws`) or known already change nothing.
        """
        if row.status != "done" or not is_draw(row):
            return
        with self._lock:
            cell = self._cell(row.prompt_id, row.condition)
            if row.sample in cell:
                return
            key = (row.prompt_id, row.condition)
            self._texts.setdefault(key, {})[row.sample] = row.text
            parts = [cell for part, cell in self._parts.get(key, {}).items() if row.sample in part]
            for each in (cell, *parts):
                self._count(each, row.sample, row.text)
        self._on_change()

    def prompt_scores(
        self,
        prompt_id: str,
        conditions: Iterable[str],
        reference: str | None = None,
        *,
        floor: str | None = None,
        null_prompt: str | None = None,
        sources: SourceSamples | None = None,
        contested: bool = False,
    ) -> PromptScores:
        """The scores of a prompt under some conditions, as of now.

        Args:
            prompt_id: The prompt.
            conditions: Their names.
            reference: Name of the one that they are compared with, itself included; None compares nothing.
            floor: Name of the zero-shot condition; None without one.
            null_prompt: Id of another prompt, the reference's answers to which are the null; None without one.
            sources: By condition, the reference's samples that its context is made from.
            contested: Whether answers to the prompt differ in stance.
        """
        with self._lock:
            names = [*conditions]
            scores = PromptScores({name: self._cell(prompt_id, name).within() for name in names})
            if reference is not None:

                def similarities(name: str, part: ReferencePart) -> Mapping[str, Cross]:
                    if name != ANOTHER_PROMPT:
                        return self._pair((prompt_id, reference), part, (prompt_id, name)).cross()
                    if null_prompt is None:
                        return {}
                    return self._pair((prompt_id, reference), part, (null_prompt, reference)).cross()

                own = self._texts.get((prompt_id, reference), {})
                scores |= HeldOut(reference, floor, sources or {}).compared(names, own, similarities)
            return completed(scores, PromptScores(), contested=contested)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until every embedding that was asked for has come or failed; False after `timeout` seconds."""
        with self._arrived:
            return self._arrived.wait_for(lambda: not self._users, timeout)

    def give_up(self, reason: str) -> None:
        """Go without the embeddings that have not come."""
        with self._lock:
            keys = list(self._users)
        self._fail(keys, reason)

    def close(self) -> None:
        """Stop asking for embeddings. What is there stays readable. The pool is the caller's to close, afterwards."""
        with self._arrived:
            self._closed = True
            self._users.clear()
            self._arrived.notify_all()
        self._feeder.stop()

    def _cell(self, prompt_id: str, condition: str) -> CellScores:
        key = (prompt_id, condition)
        if key not in self._cells:
            self._cells[key] = CellScores()
        return self._cells[key]

    def _pair(self, reference: _CellKey, part: ReferencePart, other: _CellKey) -> CellPair:
        key = reference, part, other
        if key not in self._pairs:
            whole = self._cell(*reference)
            own = whole if part == WHOLE else self._part(reference, part)
            self._pairs[key] = CellPair(own, self._cell(*other), whole)
        return self._pairs[key]

    def _part(self, reference: _CellKey, part: ReferencePart) -> CellScores:
        parts = self._parts.setdefault(reference, {})
        if part not in parts:
            texts = self._texts.get(reference, {})
            parts[part] = self._counted({sample: text for sample, text in texts.items() if sample in part})
        return parts[part]

    def _counted(self, texts: Mapping[int, str]) -> CellScores:
        cell = CellScores()
        for sample, text in texts.items():
            self._count(cell, sample, text)
        return cell

    def _count(self, cell: CellScores, sample: int, text: str) -> None:
        cell.add(sample, text)
        if not is_empty(text) and not self._closed:
            self._want(text, cell, sample)

    def _want(self, text: str, cell: CellScores, sample: int) -> None:
        key = content_hash(text)
        users = self._users.setdefault(key, [])
        users.append((cell, sample))
        if len(users) == 1:
            self._feeder.want(key, text)

    def _deliver(self, vectors: Mapping[str, Vector]) -> None:
        """Called by the feeder."""
        with self._arrived:
            for key, vector in vectors.items():
                for cell, sample in self._users.pop(key, ()):
                    cell.add_embedding(sample, vector)
            self._arrived.notify_all()
        self._on_change()

    def _fail(self, keys: Iterable[str], reason: str) -> None:
        """Called by the feeder for texts whose embeddings will not come."""
        with self._arrived:
            for key in keys:
                for cell, _ in self._users.pop(key, ()):
                    cell.without_embeddings(reason)
            self._arrived.notify_all()
        self._on_change()


class _Feeder(threading.Thread):
    """Finds or makes the embeddings of the texts it is given, on a thread that owns a store of its own."""

    def __init__(
        self,
        store_path: Path,
        embed: EmbedPool | None,
        model: str,
        deliver: Callable[[Mapping[str, Vector]], None],
        fail: Callable[[Iterable[str], str], None],
    ) -> None:
        super().__init__(name="embeddings", daemon=True)
        self._store_path = store_path
        self._store: Store | None = None
        self._embed = embed
        self._model = model
        self._model_used = False  # vectors kept under this name have been handed out
        self._deliver = deliver
        self._fail = fail
        self._inbox: queue.SimpleQueue[_WantedText | Embedded | Failed | _Stop] = queue.SimpleQueue()
        self._waiting: dict[str, str] = {}  # text hash -> text that the store does not have
        self._asked: dict[str, str] = {}  # the texts of the one request on its way
        self._pending: PendingEmbeddings[Embedded] | None = None
        self._why_not = "" if embed is not None else NOT_IN_USE
        self._stopping = threading.Event()

    def want(self, key: str, text: str) -> None:
        """Ask for the embedding of a text; `deliver` or `fail` is called with its hash, from this thread."""
        self._inbox.put(_WantedText(key, text))

    def stop(self) -> None:
        """End the thread; an answer that is on its way is not waited for."""
        self._stopping.set()
        self._inbox.put(_Stop())
        self.join(timeout=2.0)

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._handle(self._take_all())
        finally:
            if self._store is not None:
                self._store.close()

    def _take_all(self) -> list[_WantedText | Embedded | Failed | _Stop]:
        """Everything that has arrived; waits for something to arrive."""
        items = [self._inbox.get()]
        while not self._inbox.empty():
            items.append(self._inbox.get())
        return items

    def _handle(self, items: Sequence[_WantedText | Embedded | Failed | _Stop]) -> None:
        for item in items:
            match item:
                case Embedded():
                    self._receive(item)
                case Failed():
                    self._failed(item.message)
                case _WantedText() | _Stop():
                    pass
        wanted = {item.hash: item.text for item in items if isinstance(item, _WantedText)}
        if wanted:
            kept = self._kept(wanted)
            self._waiting.update({key: text for key, text in wanted.items() if key not in kept})
            if kept:
                self._deliver(kept)
        if self._why_not:
            self._refuse()
        elif self._waiting and not self._asked:
            self._ask()

    def _ask(self) -> None:
        for key in list(self._waiting)[:_BATCH]:
            self._asked[key] = self._waiting.pop(key)
        if self._embed is not None and not self._stopping.is_set():
            self._pending = PendingEmbeddings(self._embed.embed, tuple(self._asked.values()), self._inbox.put)

    def _receive(self, answer: Embedded) -> None:
        asked, self._asked = self._asked, {}
        if answer.model != self._model:
            if self._model_used:
                self._waiting.update(asked)
                self._why_not = f"the embedding model is {answer.model}, but this session's scores use {self._model}"
                return
            self._model = answer.model
        self._model_used = True
        vectors = dict(zip(asked, answer.vectors, strict=True))
        self._keep(vectors, dict(zip(asked, answer.windows, strict=True)))
        self._deliver(vectors)

    def _failed(self, message: str) -> None:
        """A worker that fails twice is asked no more."""
        if self._stopping.is_set() or (self._pending is not None and self._pending.try_again()):
            return
        self._waiting.update(self._asked)
        self._asked = {}
        self._why_not = f"embeddings failed: {message}"

    def _refuse(self) -> None:
        refused, self._waiting = self._waiting, {}
        if refused:
            self._fail(refused, self._why_not)

    def _kept(self, keys: Iterable[str]) -> Mapping[str, Vector]:
        """The vectors that the store has."""
        try:
            kept = self._open().embeddings(self._model, keys)
        except StoreError:
            return {}  # a cache: what it cannot give is made again
        self._model_used = self._model_used or bool(kept)
        return kept

    def _keep(self, vectors: Mapping[str, Vector], windows: Mapping[str, int]) -> None:
        # Without room for a cache the scores still stand; the samples' own writes report what is wrong with the file.
        with suppress(StoreError):
            self._open().add_embeddings(self._model, vectors, windows=windows, mode=WINDOW_MODE)

    def _open(self) -> Store:
        if self._store is None:
            self._store = Store.open_or_read(self._store_path)
        return self._store
