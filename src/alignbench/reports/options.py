"""What a report is of: what was asked for, and what the session says where nothing was."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from alignbench.errors import AlignbenchError, InputError
from alignbench.judging.qualities import THRESHOLD
from alignbench.metrics.metric import Need
from alignbench.metrics.paper import paper_mode
from alignbench.metrics.registry import METRICS, live, metric, shipped
from alignbench.metrics.statistics import RESAMPLES
from alignbench.metrics.values import WORKBENCH, WordMode
from alignbench.own_metrics.declaration import Declaration
from alignbench.own_metrics.named_files import is_named
from alignbench.own_metrics.registration import add_stand_in, is_own, registered
from alignbench.scoring.floor import NOT_GIVEN, Floor, session_floor
from alignbench.scoring.model_based.bertscore import BERTSCORE
from alignbench.scoring.model_based.stances import STANCE_SCORES
from alignbench.scoring.own_scores import KeptScores, kept_scores
from alignbench.store import Store

Investigation = Literal["diversity", "recovery", "pluralism", "all"]
INVESTIGATIONS: tuple[Investigation, ...] = get_args(Investigation)

PAPER = ("words", "jaccard", "jaccard_2", "jaccard_stem", BERTSCORE)
"""What a report in paper mode has where nothing else is asked for, not even an investigation."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a report is of.

    Attributes:
        metrics: Names of scores.
        reference: Name of a condition, None without one.
        floor: The same.
        no_floor: Why there is no floor, where there is none.
        conditions: Which it is of, None for all of the session.
        investigation: Which one, None for none.
        temperatures: Of a frontier, none for no frontier.
        gate: Least quality that passes, 1 to 5.
        judge: Whose judgments, None for whoever judged the most.
        mode: How texts become words.
        resamples: Of the prompts, for intervals.
        seed: The same.
    """

    metrics: tuple[str, ...]
    reference: str | None
    floor: str | None
    no_floor: str = NOT_GIVEN
    conditions: tuple[str, ...] | None = None
    investigation: Investigation | None = None
    temperatures: tuple[float, ...] = ()
    gate: float = THRESHOLD
    judge: str | None = None
    mode: WordMode = WORKBENCH
    resamples: int = RESAMPLES
    seed: int = 0

    @property
    def needs(self) -> frozenset[str]:
        """What the scores, and the matrix of conditions, need beside texts; see `metrics.metric`."""
        of_matrix: frozenset[Need] = frozenset({"embeddings"}) if self.investigates("pluralism") else frozenset()
        return of_matrix.union(need for name in self.metrics for need in METRICS[name].needs)

    def investigates(self, what: Investigation) -> bool:
        """Whether it is part of what is investigated."""
        return self.investigation in (what, "all")


def session_options(
    store: Store,
    session: int,
    *,
    metrics: Collection[str] = (),
    reference: str | None = None,
    floor: str | None = None,
    mode: WordMode = WORKBENCH,
    investigation: Investigation | None = None,
    **options: Any,
) -> Options:
    """Options with what was not said as the experiment file or the session has it.

    metrics: names of scores, live or all; none for the usual ones. InputError for a name that is no score's.
    """
    asked = store.manifest(session).get("experiment", {})
    kept = kept_scores(store, session)
    kept.register()
    if not metrics and mode is WORKBENCH:
        metrics = [_of_experiment(name, kept) for name in asked.get("metrics", ())]
    named = _chosen(metrics)
    reference = reference or store.session(session).reference
    lowest = Floor(floor) if floor else session_floor(store, session, reference)
    return Options(
        metrics=named or (*default_metrics(store, session, mode, investigation), *kept.metrics),
        reference=reference,
        floor=lowest.name,
        no_floor=lowest.reason,
        investigation=investigation,
        mode=mode,
        **options,
    )


def _of_experiment(name: str, kept: KeptScores) -> str:
    """The name of a score that an experiment has asked for: of a function that cannot be had any more too, or whose
    file this user never named."""
    if not is_own(name):
        return name
    file = Path(name.rpartition(":")[0] if not name.endswith(".py") else name)
    try:
        if not is_named(file):  # as it is written: what a ~ stands for was not named by that
            if not os.path.exists(file):
                raise InputError(f"there is no file {file}")
            raise InputError(f"{name} was never named by you on this machine, and is not run before it is: --metrics")
        return registered([name])[0]
    except InputError as error:
        known = next((one.name for one in kept.metrics.values() if one.origin == name), "")
        if known:
            return known
        function = name.rpartition(":")[2]
        add_stand_in(function, name, "gone", Declaration(function, function.replace("_", " "), str(error)))
        return function


def session_mode(store: Store, session: int) -> tuple[WordMode, str]:
    """How words are counted where nobody says how: the paper's data as the paper did, all else as the workbench does.

    With the paper's data, the second is why its way is not to be had, where it is not.
    """
    if store.manifest(session).get("imported", {}).get("format") != "overton":
        return WORKBENCH, ""
    try:
        return paper_mode(), ""
    except AlignbenchError as error:
        return WORKBENCH, str(error)


def default_metrics(store: Store, session: int, mode: WordMode, investigation: Investigation | None) -> tuple[str, ...]:
    """The scores of a report where none were named: those that cost no more than embeddings."""
    computed = {*live(), *(name for name, metric in METRICS.items() if metric.stored)}
    names = {*PAPER} if mode is not WORKBENCH else {*computed, BERTSCORE}
    if investigation is not None:
        names |= computed
    if investigation in ("diversity", "all"):
        names.add("coverage")
    if investigation in ("pluralism", "all") and store.judges(session, "stance"):
        names |= {*STANCE_SCORES}
    has_pairs = bool(store.pair_scores(session, BERTSCORE))
    return tuple(name for name in METRICS if name in names and (name != BERTSCORE or has_pairs))


def _chosen(names: Collection[str]) -> tuple[str, ...]:
    """In the registry's order."""
    chosen = {metric(name).name for name in registered(names) if name not in ("live", "all")}
    chosen |= {*shipped()} if "all" in names else {*live()} if "live" in names else set()
    return tuple(name for name in [*METRICS] if name in chosen)
