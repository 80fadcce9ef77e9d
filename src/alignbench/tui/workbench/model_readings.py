"""What models say about samples: asked for by the viewer, computed on threads, kept while the app runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from alignbench import paths
from alignbench.engines.blocking import loaded, scored
from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.engines.protocol import EmbedPool, EnginePool, Scored
from alignbench.errors import EngineError
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.likelihood import score_response
from alignbench.ledger.prompt_ledger import LedgerResponse, PromptLedger, PromptLedgerBuilder, Totals
from alignbench.progress import Progress
from alignbench.scoring.coverage import Match, best_sentences
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from alignbench.tui.background_job import BackgroundJob
from alignbench.tui.ledger.prompt_ledger import page_key

_KEPT = 200  # samples


class Readings:
    """Jobs by what they are about; one that failed or was given up is begun again when it is asked for anew."""

    def __init__(self, db: Path, pool: EnginePool, embed: EmbedPool | None, changed: Callable[[], None]) -> None:
        """db: the session database. changed: called from a thread when there is something new to see; it must not
        block."""
        self._db = db
        self._pool = pool
        self._embed = embed
        self._changed = changed
        self._jobs: dict[Hashable, BackgroundJob[Any]] = {}

    def sentences(self, text: str, others: Mapping[int, str]) -> BackgroundJob[list[Match]]:
        """The best match of each sentence of a text among the responses of the reference."""
        key = ("sentences", text, tuple(others.items()))
        return self._job(key, partial(_match, self._embed, text, others))

    def shift(self, text: str, prompt: Prompt, base: Condition, cell: int | None) -> BackgroundJob[Scored]:
        """A text teacher forced under a model and its context. cell: the base's own cell of this prompt, in the
        database; what it was sampled after, examples that were selected included, is what the text is read after."""
        key = ("shift", text, prompt.hash, base.model, base.context.hash, cell)
        return self._job(key, partial(_score, self._db, self._pool, base, prompt, cell, text))

    def response(self, session: int | None, page: PromptLedger, sample: int) -> BackgroundJob[LedgerResponse]:
        """A response of the ledger, token by token."""
        key = ("response", page_key(page), sample)
        return self._job(key, partial(self._read, session, lambda reader: reader.response(page, sample)))

    def totals(self, session: int | None, page: PromptLedger) -> BackgroundJob[Totals]:
        """The account of a page of the ledger."""
        key = ("totals", page_key(page))
        return self._job(key, partial(self._read, session, lambda reader: reader.totals(page)))

    def again(self, job: BackgroundJob[Any]) -> None:
        """Forget a job that failed or was given up."""
        self._jobs = {key: known for key, known in self._jobs.items() if known is not job}

    def _read(self, session: int | None, ask: Callable[[PromptLedgerBuilder], Any], progress: Progress) -> Any:
        progress("preparing the context", 0, 1)
        with Store.open(self._db) as store:
            preparer = Preparer(store, self._pool, session or 0, self._embed)
            try:
                return ask(PromptLedgerBuilder(store, self._pool, preparer, progress))
            finally:
                preparer.close()

    def _job(self, key: Hashable, work: Callable[[Progress], Any]) -> BackgroundJob[Any]:
        job = self._jobs.get(key)
        if job is None:
            job = self._jobs[key] = BackgroundJob(work, self._changed)
            for old in [known for known, of in self._jobs.items() if not of.running][:-_KEPT]:
                del self._jobs[old]
        return job


def _match(embed: EmbedPool | None, text: str, others: Mapping[int, str], progress: Progress) -> list[Match]:
    progress("starting the embedding model", 0, 1)
    with Store.open(paths.embedding_cache()) as store:
        embeddings = Embeddings(store, embed, DEFAULT_EMBEDDER)
        found = best_sentences(text, others, embeddings, progress)
        if embeddings.why_not and not any(match.similarity is not None for match in found):
            raise EngineError(embeddings.why_not)
        return found


def _score(
    db: Path, pool: EnginePool, base: Condition, prompt: Prompt, cell: int | None, text: str, progress: Progress
) -> Scored:
    progress(f"waiting for {base.model.name}", 0, 1)
    seen = None
    if cell is not None:
        with Store.open(db) as store:
            seen = store.rendered(cell)
    if seen is None:
        return score_response(pool, base.model, base.context, prompt, text, progress=progress)
    loaded(pool, base.model, progress)
    progress(f"{base.model.name} reads the response", 0, 1)
    return scored(pool, base.model, "", seen, text)
