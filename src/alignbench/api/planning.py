"""How many prompts and samples a comparison needs, from a session that serves as a pilot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alignbench import bounds
from alignbench.engines.embedder import default_embedder
from alignbench.errors import InputError, did_you_mean
from alignbench.metrics.power import MIN_PILOT
from alignbench.metrics.registry import metric, runnable, within
from alignbench.own_metrics.registration import registered
from alignbench.paths import existing_database
from alignbench.progress import Progress, silent
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.jackknife import is_mean
from alignbench.scoring.pilot import ComparisonPlan, pilot_comparisons
from alignbench.scoring.responses import SessionResponses
from alignbench.store import Store

_EMBEDDED = "embedding_diversity"
DEFAULT = ("jaccard", _EMBEDDED)


def plan_comparisons(
    session: int,
    effect: float,
    *,
    metrics: str | None = None,
    reference: str | None = None,
    db: Path | None = None,
    progress: Progress = silent,
) -> ComparisonPlan:
    """Read a session as a pilot. No model runs: scores by embeddings need those that the session keeps.

    Args:
        session: Its number.
        effect: The difference that is to be found, over 0.
        metrics: Names with commas between; by default lexical similarity, and embedding diversity where vectors are
            kept.
        reference: Name of a condition; the session's own by default.
        db: The session database, the default one by default.
        progress: Told of prompts.

    Raises:
        InputError: For an effect that is not over 0, a session or a condition that is not there, a session without a
            reference or with too few prompts, and scores that are no means over samples or pairs of them.
    """
    bounds.EFFECT.check("effect", effect)
    names = DEFAULT if metrics is None else _planned(metrics)
    with Store.read(existing_database(db)) as store:
        responses = SessionResponses(store, session)
        against = _reference(store, session, responses, reference)
        embeddings = Embeddings(store, None, default_embedder(), f"not kept yet: alignbench score {session}")
        comparisons = pilot_comparisons(responses, against, names, embeddings, progress)
    if metrics is None and not any(one.spread for one in comparisons if one.metric == _EMBEDDED):
        comparisons = [one for one in comparisons if one.metric != _EMBEDDED]
    if not any(one.spread for one in comparisons):
        why = "; ".join(dict.fromkeys(f"{one.condition}, {one.metric}: {one.reason}" for one in comparisons))
        raise InputError(
            f"Session {session} is no pilot: a comparison with {against} needs {MIN_PILOT} prompts ({why})."
        )
    return ComparisonPlan(session, against, effect, tuple(comparisons))


def _planned(text: str) -> Sequence[str]:
    asked = registered([name.strip() for name in text.split(",") if name.strip()])
    names = tuple(dict.fromkeys(metric(name).name for name in asked))
    if not names:
        raise InputError("--metrics is empty; expected names with commas between.")
    can = [name for name in within(runnable()) if is_mean(name)]
    for name in names:
        if name not in can:
            raise InputError(
                f"--metrics: {name} cannot be planned for, it is no mean over samples of one set or pairs of them. "
                f"Known: {', '.join(can)}."
            )
    return names


def _reference(store: Store, session: int, responses: SessionResponses, named: str | None) -> str:
    name = named or store.session(session).reference
    if name is None:
        raise InputError(f"Session {session} has no reference; name one with --reference.")
    if name not in responses.conditions:
        near = did_you_mean(name, responses.conditions) or f"Known: {', '.join(responses.conditions)}."
        raise InputError(f"--reference: there is no condition named {name!r}. {near}")
    if len(responses.conditions) < 2:
        raise InputError(f"Session {session} has nothing to compare with {name}.")
    return name
