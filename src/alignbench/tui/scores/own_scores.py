"""A user's score of the prompt on the screen: its function works in a process of its own, and is waited for here."""

from __future__ import annotations

from dataclasses import replace

from alignbench.engines.embedder import default_embedder
from alignbench.errors import StoreError
from alignbench.metrics.registry import METRICS
from alignbench.own_metrics.registration import failures, load
from alignbench.progress import Progress
from alignbench.scoring.on_request import OnRequestScores
from alignbench.scoring.own_scores import keep_scores
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.store import Store
from alignbench.tui.scores.snapshot import NULLS, OnDemandResult, Snapshot
from alignbench.tui.workbench.backends import Backends


def own_score(metric: str, backends: Backends, snapshot: Snapshot, progress: Progress) -> OnDemandResult:
    """The score of every column and version, and of each with the reference; kept with the session.

    InputError where the function cannot be had, such as when its file is gone.
    """
    progress(f"running {METRICS[metric].origin}", 0, 1)
    metric = load(metric)
    names = (*snapshot.conditions, *(one.name for one in snapshot.earlier))
    of, prompt = snapshot.roles, snapshot.prompt
    answered = [one for one, cells in snapshot.samples.items() if of.reference and cells[of.reference]]
    prompts = {one: snapshot.answers(one, {}) for one in {*answered, prompt}}
    with Store.read(backends.db) as store:
        scorer = OnRequestScores(lambda keys: store.embeddings(default_embedder(), keys))
        scores = scorer.scores(
            prompts, [prompt], names, [metric], of.reference,
            floor=of.floor, sources=snapshot.source_samples, contested=snapshot.contested, nulls=NULLS, matched=False,
        )[prompt]  # fmt: skip
    notes = failures([metric])
    if snapshot.session is not None and snapshot.prompt_id:
        cells, scored = {snapshot.prompt_id: snapshot.cells()}, {snapshot.prompt_id: scores}
        try:
            with Store.open(backends.db) as store:
                keep_scores(store, snapshot.session, cells, scored, of.reference, [metric])
        except StoreError as error:
            notes.append(f"not kept with the session: {error}")
    within = {name: values[metric] for name, values in scores.within.items()}
    compared = PromptScores(held_out=scores.held_out, with_source=scores.with_source, source=scores.source)
    return OnDemandResult({metric: within}, replace(compared, within={}), tuple(notes))
