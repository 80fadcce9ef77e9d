"""The scores that run on demand: what each of them takes, for the prompt on the screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from alignbench.api.embedding import embedding_cache
from alignbench.config import NOT_IN_USE
from alignbench.engines.embedder import default_embedder
from alignbench.errors import EngineError, InputError
from alignbench.metrics.values import Value
from alignbench.progress import Progress
from alignbench.scoring.coverage import COVERAGE, coverages
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.held_out import HeldOut
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.alignment_gap import GAP
from alignbench.scoring.model_based.base_model import LOGPROB, SURPRISE
from alignbench.scoring.model_based.bertscore import BERTSCORE
from alignbench.scoring.model_based.compute import ModelBackends, ModelMetricRequest, compute_model_metrics
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.responses import CellTexts
from alignbench.store import Store
from alignbench.tui.scores.snapshot import OnDemandResult, Snapshot
from alignbench.tui.workbench.backends import Backends

Runner = Callable[[Backends, Snapshot, Progress], OnDemandResult]


class _OnePrompt:
    """The samples of the prompt on the screen, as the batch scores take responses."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._cells = snapshot.cells()
        self.prompts: tuple[str, ...] = (snapshot.prompt_id,)
        self.conditions = snapshot.conditions
        self.n = sum(map(len, self._cells.values()))
        self.left_out = 0
        self.contested = frozenset({self.prompts[0]} if snapshot.prompt in snapshot.contested else ())

    def cells(self, _: str) -> CellTexts:
        return self._cells

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}


def _coverage(backends: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    rule = _held_out(snapshot)
    with embedding_cache() as store:
        embeddings = Embeddings(store, backends.embed, default_embedder(), NOT_IN_USE)
        return OnDemandResult(compared=coverages(snapshot.cells(), rule, embeddings, progress))


def _with_model(metric: str, backends: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    """A metric that a model is asked for."""
    if metric in (LOGPROB, SURPRISE) and snapshot.base is None:
        raise InputError("No column has a base model: a on the Bench adds one.")
    if metric == GAP:
        progress(f"reading {_held_out(snapshot).reference}'s samples", 0, 1)
    elif metric == BERTSCORE:
        progress("embedding tokens", 0, 1)
    elif snapshot.base is not None:
        progress(f"reading under {snapshot.base.name}", 0, 1)
    with Store.read(backends.db) as store:
        request = ModelMetricRequest(
            [metric], _OnePrompt(snapshot), snapshot.roles.reference, snapshot.roles.floor,
            lambda _: snapshot.source_samples, (store, snapshot.session or 0),
            lambda _: snapshot.texts[snapshot.prompt], snapshot.base,
        )  # fmt: skip
        asked = ModelBackends(lambda: LikelihoodCache(store, backends.pool), backends.embed, NOT_IN_USE)
        computed = compute_model_metrics(request, asked, progress)
    if why_not := computed.why_not.get(metric):
        raise EngineError(why_not)
    scores = computed.scores
    within = {name: values[metric] for (_, name), values in scores.within.items() if name in snapshot.conditions}
    compared = scores.compared.get(snapshot.prompt_id, PromptScores())
    return OnDemandResult({metric: within} if within else {}, compared, computed.notes)


RUNNERS: dict[str, Runner] = {
    COVERAGE: _coverage,
    **{metric: partial(_with_model, metric) for metric in (BERTSCORE, LOGPROB, SURPRISE, GAP)},
}


def _held_out(snapshot: Snapshot) -> HeldOut:
    if snapshot.held_out is None:
        raise InputError("No column is the reference: * on the Bench marks one.")
    return snapshot.held_out
