"""What models say about a sample: where the reference says its sentences too, and the rank of its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from alignbench.api.embedding import embedding_cache
from alignbench.engines.blocking import loaded, scored
from alignbench.engines.embedder import default_embedder
from alignbench.engines.protocol import EmbedPool, Scored
from alignbench.errors import EngineError
from alignbench.experiments.likelihood import score_response
from alignbench.experiments.plan import PlannedCell
from alignbench.experiments.served_chats import is_rendered_by_server, text_of_server
from alignbench.progress import Progress
from alignbench.scoring.coverage import Match, best_sentences
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.controller import Workbench


def sentence_matches(workbench: Workbench, text: str, others: Mapping[int, str]) -> BackgroundJob[list[Match]]:
    """The best match of each sentence of a text among the responses of the reference."""
    key = ("sentences", text, tuple(others.items()))
    return workbench.model_jobs.ask(key, partial(_match, workbench.backends.embed, text, others))


def shifted_tokens(
    workbench: Workbench, text: str, prompt: Prompt, base: Condition, cell: int | None
) -> BackgroundJob[Scored]:
    """A text teacher forced under a model and its context.

    Args:
        workbench: Whose pool and database are used.
        text: The response.
        prompt: What it answers.
        base: Model and context.
        cell: The base's own cell of this prompt, in the database; what it was sampled after, examples that were
            selected included, is what the text is read after.
    """
    key = ("shift", text, prompt.hash, base.model, base.context.hash, cell)
    return workbench.model_jobs.ask(key, partial(_score, workbench.backends, base, prompt, cell, text))


def _match(embed: EmbedPool | None, text: str, others: Mapping[int, str], progress: Progress) -> list[Match]:
    progress("starting the embedding model", 0, 1)
    with embedding_cache() as store:
        embeddings = Embeddings(store, embed, default_embedder())
        matches = best_sentences(text, others, embeddings, progress)
        if embeddings.why_not and not any(match.similarity is not None for match in matches):
            raise EngineError(embeddings.why_not)
        return matches


def _score(
    backends: Backends, base: Condition, prompt: Prompt, cell: int | None, text: str, progress: Progress
) -> Scored:
    progress(f"waiting for {base.model.name}", 0, 1)
    pool, sampled_after = backends.pool, None
    if cell is not None:
        with Store.read(backends.db) as store:
            sampled_after = store.rendered(cell)
            if sampled_after is not None and is_rendered_by_server(base):
                capabilities = loaded(pool, base.model, progress)
                sampled_after = text_of_server(store, PlannedCell(cell, prompt, base, 0, ()), capabilities)
    if sampled_after is None:
        return score_response(pool, base.model, base.context, prompt, text, progress=progress)
    loaded(pool, base.model, progress)
    progress(f"{base.model.name} reads the response", 0, 1)
    return scored(pool, base.model, "", sampled_after, text)
