"""The embedding model of a command, and where the vectors are kept that belong to no session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from alignbench import cache_folder, paths
from alignbench.config import DEFAULT_EMBEDDER, NO_EMBEDDER, NOT_IN_USE
from alignbench.errors import EngineError, InputError, StoreError
from alignbench.machine import usable_cores
from alignbench.textfiles import home_expanded

if TYPE_CHECKING:
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.store import Store


def embedding_pool(stack: ExitStack, wanted: str | None) -> tuple[WorkerPool | None, str | None, str]:
    """The pool that embeds and its model's name; without one, why not."""
    from alignbench.engines.embedder import default_embedder_path, embedded_path, embedder_name, no_prefix
    from alignbench.engines.text_prefixes import text_prefixes
    from alignbench.engines.workers.pool import WorkerPool

    if wanted == NO_EMBEDDER:
        return None, None, NOT_IN_USE
    if wanted in (None, DEFAULT_EMBEDDER):
        try:
            path = default_embedder_path() if wanted is None else embedded_path()
        except EngineError as error:
            return None, None, str(error)
    else:
        path = home_expanded(str(wanted))
        if not path.is_dir():
            raise InputError(
                f"--embedder {wanted!r}: there is no such folder; expected {DEFAULT_EMBEDDER}, a folder of a "
                "sentence-transformers model, or none."
            )
    if why_unknown := text_prefixes(path).why_unknown:
        raise InputError(no_prefix(str(path), why_unknown))
    # The pool leaves half of its threads to models that sample; here nothing else runs.
    pool = WorkerPool(threads=2 * usable_cores(), embedder=path)
    stack.callback(pool.close)
    return pool, embedder_name(path), ""


@contextmanager
def embedding_cache() -> Iterator[Store]:
    """The database of embeddings in the cache. Where it cannot be written one in memory, and a line says so."""
    from alignbench.store import Store

    path = paths.embedding_cache()
    store = None
    if cache_folder.works(path.parent):
        try:
            store = Store.open(path)
        except StoreError as error:
            cache_folder.missed(str(error).removesuffix("."))
    with store or Store.in_memory() as store:
        yield store
