"""The scores that run on demand: what each of them takes, for the prompt on the screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from alignbench import paths
from alignbench.engines.embedder import DEFAULT_EMBEDDER
from alignbench.errors import EngineError, InputError
from alignbench.metrics.values import Value
from alignbench.progress import Progress
from alignbench.scoring.coverage import coverages
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.alignment_gap import GAP, session_gaps
from alignbench.scoring.model_based.base_model import LOGPROB, SURPRISE, BaseScores
from alignbench.scoring.model_based.bertscore import BERTSCORE, bert_scores
from alignbench.scoring.responses import CellTexts
from alignbench.store import Store
from alignbench.tui.scores.snapshot import OnDemandResult, Snapshot
from alignbench.tui.workbench.backends import NO_EMBEDDER, Backends

COVERAGE = "coverage"


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

    def surprisals(self, _: str) -> dict[str, Value]:
        return {}


def _coverage(means: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    reference = _reference(snapshot)
    with Store.open(paths.embedding_cache()) as store:
        embeddings = Embeddings(store, means.embed, DEFAULT_EMBEDDER, NO_EMBEDDER)
        return OnDemandResult(cross={COVERAGE: coverages(snapshot.cells(), reference, embeddings, progress)})


def _bertscore(means: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    if means.embed is None:
        raise EngineError(NO_EMBEDDER)
    progress("embedding tokens", 0, 1)
    found = bert_scores(_OnePrompt(snapshot), means.embed, snapshot.roles.reference, progress)
    prompt = snapshot.prompt_id
    return OnDemandResult(
        {BERTSCORE: {name: found.within[prompt, name] for name in snapshot.conditions}},
        {BERTSCORE: {name: cross for (_, name), cross in found.cross.items()}},
    )


def _under_base(metric: str, means: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    if (base := snapshot.base) is None:
        raise InputError("No column has a base model: a on the Bench adds one.")
    progress(f"reading under {base.name}", 0, 1)
    with Store.open(means.db) as store:
        scores = BaseScores(LikelihoodCache(store, means.pool), base, lambda _: snapshot.texts[snapshot.prompt])
        found = scores.within(_OnePrompt(snapshot), [metric], progress)
    return OnDemandResult({metric: {name: values[metric] for (_, name), values in found.items()}})


def _gap(means: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    reference = _reference(snapshot)
    progress(f"reading {reference}'s samples", 0, 1)
    with Store.open(means.db) as store:
        gaps = session_gaps(
            store,
            snapshot.session or 0,
            _OnePrompt(snapshot),
            reference,
            LikelihoodCache(store, means.pool),
            progress,
        )
    return OnDemandResult(
        cross={GAP: {name: cross for (_, name), cross in gaps.cross.items() if name in snapshot.conditions}}
    )


RUNNERS: dict[str, Runner] = {
    COVERAGE: _coverage,
    BERTSCORE: _bertscore,
    LOGPROB: partial(_under_base, LOGPROB),
    SURPRISE: partial(_under_base, SURPRISE),
    GAP: _gap,
}


def _reference(snapshot: Snapshot) -> str:
    if snapshot.roles.reference is None:
        raise InputError("No column is the reference: * on the Bench marks one.")
    return snapshot.roles.reference
