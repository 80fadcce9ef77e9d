"""The models that scoring asks: which base model, and what a judge says of a session's responses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from alignbench.errors import InputError
from alignbench.judging.plan import JudgePlan, plan_judging
from alignbench.judging.runner import JudgeRun
from alignbench.models.catalog import resolve
from alignbench.models.stored_models import as_known
from alignbench.spec import Model
from alignbench.store import Store


def base_model(name: str | None, session: tuple[Store, int] | None) -> tuple[Model | None, str]:
    """The base model that is named, else a session's only one; or why there is none. InputError for an aligned one."""
    if name is not None:
        model = resolve(name)
        if model.kind != "base":
            raise InputError(f"--base {name!r} is an aligned model; expected a base model.")
        return model, ""
    if session is None:
        return None, "name the base model with --base"
    store, number = session
    models = {condition.model for condition in store.conditions(number) if condition.model.kind == "base"}
    if len(models) != 1:
        return None, f"the session has {len(models) or 'no'} base models; name one with --base"
    return as_known(models.pop()), ""


def judge_quality(
    judge: Model, store: Store, session: int, follow: Callable[[JudgeRun], bool]
) -> tuple[JudgePlan, bool]:
    """Judge the quality of the samples that this judge has not judged yet; and whether that was interrupted.

    follow: takes the judge to its end, see `run_scoring`.
    """
    from alignbench.engines.workers.pool import WorkerPool

    plan = plan_judging(store, session, "quality", judge)
    with closing(WorkerPool()) as pool:
        return plan, follow(JudgeRun(plan, pool, store))
