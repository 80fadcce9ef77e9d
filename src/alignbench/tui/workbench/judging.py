"""Have a judge judge, and say how far it is."""

from __future__ import annotations

from alignbench.errors import EngineError
from alignbench.judging.plan import JudgePlan
from alignbench.judging.runner import Judged, JudgeFailed, JudgeLoading, JudgeRun
from alignbench.progress import PERCENT, Progress
from alignbench.store import Store
from alignbench.tui.workbench.backends import Backends


def run_judge(plan: JudgePlan, backends: Backends, store: Store, progress: Progress) -> None:
    """Have the judge judge the items of a plan; EngineError where it fails on all of them.

    Args:
        plan: What is judged, and by whom.
        backends: Whose pool is used.
        store: Where judgments go.
        progress: Is called with what is being done.
    """
    run = JudgeRun(plan, backends.pool, store)
    done = invalid = 0
    failures = []
    try:
        for event in run:
            match event:
                case JudgeLoading(fraction=fraction):
                    progress(f"loading {plan.judge.name}", round(fraction * PERCENT), PERCENT)
                    continue
                case Judged(judgment=judgment):
                    done += 1
                    invalid += judgment.status == "invalid"
                case JudgeFailed(message=message):
                    done += 1
                    failures.append(message)
            broken = f" ({invalid} could not be read)" if invalid else ""
            progress(f"{plan.judge.name} judges{broken}", done, run.total)
    finally:
        run.cancel()  # of one that was given up, what the judge still does
    if failures and len(failures) == run.total:
        raise EngineError(failures[0])
