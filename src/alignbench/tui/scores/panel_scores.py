"""What the scores screen shows, computed on a thread: the latest that was asked for, so that no key waits for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from alignbench.engines.embedder import default_embedder
from alignbench.errors import InputError, StoreError
from alignbench.progress import Progress
from alignbench.scoring.on_request import OnRequestScores
from alignbench.scoring.own_scores import KeptScores, kept_scores
from alignbench.tui.scores.snapshot import OnDemandResult, PromptPanel, PromptSpread, Snapshot, prompt_panel, spread
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.job_cache import JobCache
from alignbench.tui.workbench.latest_thread import LatestThread
from alignbench.tui.workbench.metric_rows import MetricRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alignbench.engines.protocol import TokenStats
    from alignbench.scoring.condition_matrix import ConditionMatrix
    from alignbench.store import Store

_KEPT = 8  # results
NOT_EMBEDDED = "no sample is embedded yet"


class PanelScores:
    """Panels and spreads of one session, and what runs on demand.

    Attributes:
        on_demand: The costly scores that were asked for.
    """

    def __init__(self, backends: Backends, changed: Callable[[], None]) -> None:
        """changed: called from a thread when there is something new to see; it must not block."""
        self.on_demand = JobCache(changed)
        self._backends = backends
        self._thread = LatestThread(self._close_store)
        self._jobs = JobCache(changed, self._thread.start, _KEPT)
        # These two are used from the thread only.
        self._scores = OnRequestScores(self._vectors)
        self._store: Store | None = None

    def panel(
        self,
        snapshot: Snapshot,
        no_embeddings: Mapping[str, str],
        outcomes: Mapping[str, OnDemandResult],
        *,
        exact: bool,
    ) -> BackgroundJob[PromptPanel]:
        """All scores of the prompt on the screen; see `prompt_panel`.

        Args:
            snapshot: The samples.
            no_embeddings: Why vectors that are missing will not come, by column.
            outcomes: Of the runs on demand, by what was run.
            exact: With intervals.
        """

        def work(_: Progress) -> PromptPanel:
            hints, kept = self._hints(snapshot), self._kept(snapshot)
            return prompt_panel(self._scores, snapshot, no_embeddings, outcomes, hints, self._tokens, exact, kept)

        done = tuple((what, id(outcome)) for what, outcome in outcomes.items())
        return self._jobs.ask(("panel", snapshot.key, done, exact), work)

    def spread(
        self, snapshot: Snapshot, row: MetricRow, no_embeddings: Mapping[str, str]
    ) -> BackgroundJob[PromptSpread]:
        """One score of every prompt that has samples."""

        def work(_: Progress) -> PromptSpread:
            return spread(self._scores, snapshot, row, no_embeddings, self._tokens)

        return self._jobs.ask(("spread", snapshot.key, row), work)

    def matrix(self, snapshot: Snapshot, metric: str) -> BackgroundJob[ConditionMatrix]:
        """How alike the samples of each two columns are, over all prompts that have some."""

        def work(_: Progress) -> ConditionMatrix:
            from alignbench.metrics.statistics import Uncertainty
            from alignbench.scoring.condition_matrix import condition_matrix
            from alignbench.scoring.embedding_cache import Embeddings

            store = self._opened()
            kept = None if store is None else Embeddings(store, None, default_embedder(), NOT_EMBEDDED)
            return condition_matrix(
                metric, snapshot.responses(), kept, Uncertainty(), reference=snapshot.roles.reference,
                sources=lambda _: snapshot.source_samples,
            )  # fmt: skip

        return self._jobs.ask(("matrix", snapshot.key, metric), work)

    def close(self) -> None:
        """Do nothing more."""
        self.on_demand.cancel()
        self._thread.close()

    def _hints(self, snapshot: Snapshot) -> dict[str, str]:
        """The texts of the hints of columns and versions, embedded."""
        cells = {name: rows[0].cell_id for name, rows in snapshot.samples[snapshot.prompt].items() if rows}
        cells |= {one.name: one.samples[0].cell_id for one in snapshot.earlier}
        texts = {name: text for name, text in snapshot.hints.items() if name in cells}
        if (store := self._opened()) is None:
            return texts
        for name in snapshot.source_samples.keys() & cells.keys():
            if (hint := store.cell_hint(cells[name])) is not None:
                texts[name] = hint.text
        if self._backends.embed is not None and texts:
            from alignbench.scoring.embedding_cache import Embeddings

            Embeddings(store, self._backends.embed, default_embedder()).make(texts.values())
        return texts

    def _kept(self, snapshot: Snapshot) -> KeptScores | None:
        """What the session keeps of users' scores, which are rows from now on."""
        try:
            if snapshot.session is None or (store := self._opened()) is None:
                return None
            kept = kept_scores(store, snapshot.session)
        except (StoreError, InputError):
            return None
        kept.register()
        return kept

    def _vectors(self, keys: Collection[str]) -> Mapping[str, NDArray[np.float32]]:
        """Vectors that the live scores' worker has made and kept."""
        try:
            store = self._opened()
            return {} if store is None else store.embeddings(default_embedder(), keys)
        except StoreError:
            return {}

    def _tokens(self, sample_ids: Iterable[int]) -> Mapping[int, TokenStats]:
        """The tokens of samples that the runs have stored."""
        try:
            store = self._opened()
            return {} if store is None else store.token_stats(sample_ids)
        except StoreError:
            return {}

    def _opened(self) -> Store | None:
        if self._store is None and self._backends.db.exists():
            from alignbench.store import Store

            self._store = Store.read(self._backends.db)
        return self._store

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
