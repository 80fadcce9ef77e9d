"""An experiment file and its session."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.experiments.experiment import Experiment
from alignbench.experiments.manifest import manifest
from alignbench.spec import Condition
from alignbench.store import Store


def experiment_session(store: Store, experiment: Experiment, conditions: Sequence[Condition]) -> int:
    """The session of this file, resumed or begun."""
    asked: dict[str, object] = {"file": str(experiment.path), "floor": experiment.floor}
    asked |= {"metrics": list(experiment.metrics), "ladders": [list(ladder) for ladder in experiment.ladders]}
    described = {**manifest(conditions, experiment.n), "experiment": asked}
    session = store.session_of_experiment(str(experiment.path))
    if session is None:
        return store.create_session(experiment.name, reference=experiment.reference, manifest=described)
    store.set_manifest(session, {**described, "loaded": store.manifest(session).get("loaded", {})})
    store.set_reference(session, experiment.reference)
    return session
