"""A session's report, with the embeddings and the log-probs that it needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

from alignbench.api.embedding import embedding_cache, embedding_pool
from alignbench.api.equivalence import class_scores, known_equivalence
from alignbench.api.options import one_of
from alignbench.engines.embedder import default_embedder
from alignbench.metrics.paper import paper_mode
from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import WORKBENCH, WordMode
from alignbench.progress import Progress, silent
from alignbench.reports.contents import Report
from alignbench.reports.frontier import parse_temperatures
from alignbench.reports.options import INVESTIGATIONS, Investigation, Options, session_mode, session_options
from alignbench.reports.report import build_report
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.equivalence import CLASSES, EMBEDDING
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.responses import SessionResponses
from alignbench.store import Store


def make_report(
    store: Store,
    session: int,
    *,
    investigation: str | None = None,
    temperatures: str | None = None,
    metrics: str = "",
    mode: str | None = None,
    embedder: str | None = None,
    equivalence: str = EMBEDDING,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> Report:
    """A session's report, with what it does not say as the experiment file or the session has it.

    Args:
        store: Has the session; vectors and log-probs of its samples are kept there.
        session: Its number.
        investigation: diversity, recovery, pluralism or all; None for the scores alone.
        temperatures: Of a frontier, with commas between.
        metrics: Names of scores with commas between; live, or the paper's own, by default.
        mode: How texts become words: workbench or paper.
        embedder: A sentence-transformers folder, or none; the embedded model by default.
        equivalence: What says that two responses are one answer: embedding, judge, or nli:FOLDER.
        progress: Told of prompts and of texts.
        say: Called with what a person should know meanwhile.
        options: Further fields of `reports.options.Options`.

    Raises:
        InputError: For a name that means nothing.
    """
    kind: Investigation | None = None
    if investigation is not None or temperatures is not None:
        kind = one_of("--investigation", investigation or "diversity", INVESTIGATIONS)
    asked = session_options(
        store,
        session,
        metrics=[name.strip() for name in metrics.split(",") if name.strip()],
        mode=_mode(store, session, mode, say),
        investigation=kind,
        temperatures=parse_temperatures(temperatures) if temperatures else (),
        **options,
    )
    if known_equivalence(equivalence, of_session=True) != EMBEDDING:
        asked = replace(asked, metrics=tuple(name for name in METRICS if name in {*asked.metrics, *CLASSES}))
    return _with_models(store, session, asked, embedder, equivalence, progress)


def _mode(store: Store, session: int, wanted: str | None, say: Callable[[str], None]) -> WordMode:
    if wanted is not None:
        return paper_mode() if one_of("--mode", wanted, ("workbench", "paper")) == "paper" else WORKBENCH
    mode, why_not = session_mode(store, session)
    if why_not:
        say(f"words are not counted as in the paper: {why_not}")
    return mode


def _with_models(
    store: Store,
    session: int,
    options: Options,
    embedder: str | None,
    equivalence: str,
    progress: Progress,
) -> Report:
    """The report with what models it needs, which are loaded only if the database does not have what they say."""
    needs = options.needs
    with ExitStack() as stack:
        embeddings = of_sentences = None
        used = None
        if needs & {"embeddings", "sentence embeddings"}:
            pool, used, why_not = embedding_pool(stack, embedder)
            name = used or default_embedder()
            if "embeddings" in needs:
                embeddings = Embeddings(store, pool, name, why_not)
            if "sentence embeddings" in needs:
                of_sentences = Embeddings(stack.enter_context(embedding_cache()), pool, name, why_not)
        of_classes = None
        if equivalence != EMBEDDING:
            responses = SessionResponses(store, session, options.conditions)
            known = store, session
            of_classes = class_scores(equivalence, responses, known, responses.prompt_text, embeddings, progress)

        @functools.cache
        def likelihoods() -> LikelihoodCache:
            from alignbench.engines.workers.pool import WorkerPool

            return LikelihoodCache(store, stack.enter_context(closing(WorkerPool())))

        report = build_report(store, session, options, embeddings, of_sentences, progress, of_classes, likelihoods)
        return replace(report, meta=replace(report.meta, embedder=used))
