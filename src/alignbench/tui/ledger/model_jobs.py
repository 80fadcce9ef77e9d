"""What models make of the reference's responses, read on threads and kept while the app runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from alignbench.experiments.context_preparer import Preparer
from alignbench.ledger.prompt_ledger import LedgerResponse, PromptLedger, PromptLedgerBuilder, Totals
from alignbench.progress import Progress
from alignbench.store import Store
from alignbench.tui.ledger.prompt_ledger import ledger_key
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.controller import Workbench


def response(workbench: Workbench, ledger: PromptLedger, sample: int) -> BackgroundJob[LedgerResponse]:
    """A response of the ledger, token by token."""
    work = partial(_read, workbench.backends, workbench.bench.session, lambda reader: reader.response(ledger, sample))
    return workbench.model_jobs.ask(("response", ledger_key(ledger), sample), work)


def totals(workbench: Workbench, ledger: PromptLedger) -> BackgroundJob[Totals]:
    """What all responses of the ledger add up to."""
    work = partial(_read, workbench.backends, workbench.bench.session, lambda reader: reader.totals(ledger))
    return workbench.model_jobs.ask(("totals", ledger_key(ledger)), work)


def _read(
    backends: Backends, session: int | None, ask: Callable[[PromptLedgerBuilder], Any], progress: Progress
) -> Any:
    progress("preparing the context", 0, 1)
    with Store.open(backends.db) as store:
        preparer = Preparer(store, backends.pool, session or 0, backends.embed)
        try:
            return ask(PromptLedgerBuilder(store, backends.pool, preparer, progress))
        finally:
            preparer.close()
