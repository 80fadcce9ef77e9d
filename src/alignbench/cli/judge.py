"""`alignbench judge`: an LLM judge over the samples of a session."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench.cli import printing
from alignbench.cli.choices import JudgeKind
from alignbench.cli.options import Db, Device, GpuLayers, Json, Threads, Verbose, model_option, session_number
from alignbench.errors import InputError
from alignbench.paths import existing_database, said_in_config, user_config
from alignbench.textfiles import home_expanded

if TYPE_CHECKING:
    from alignbench.spec import Model


def judge(
    session: Annotated[int, session_number()],
    kind: Annotated[JudgeKind | None, typer.Option(help="What is judged.")] = None,
    template: Annotated[
        Path | None,
        typer.Option(help="In place of a kind, a rubric of your own.", metavar="FILE.toml"),
    ] = None,
    model: Annotated[
        str | None,
        model_option("--model", help="The judge: a name or a reference.", show_default="the judge of config.toml"),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="new-information, topics: the condition the others are held against.",
            show_default="the session's own",
        ),
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    db: Db = None,
    _verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Let a model judge the samples of a session.

    Those that it has not judged yet; what its judgments come to is shown.
    """
    from alignbench.cli.judge_view import print_agreement, print_judged
    from alignbench.cli.judge_watcher import follow_judge
    from alignbench.cli.run_watcher import RunOutcome
    from alignbench.cli.terms import print_terms
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.judging.plan import plan_judging
    from alignbench.judging.rubrics import keep_columns, read_rubric, rubric_columns
    from alignbench.judging.runner import JudgeRun
    from alignbench.judging.summary import agreement, judgments_of, pair_sources, summarize
    from alignbench.metrics.statistics import Uncertainty
    from alignbench.reports.to_json import agreement_json, judged_json
    from alignbench.store import Store

    if (kind is None) == (template is None):
        raise InputError("Give either --kind KIND or --template FILE.toml.")
    rubric = None if template is None else read_rubric(home_expanded(template))
    wanted = kind if kind is not None else rubric
    assert wanted is not None
    chosen = _judge(model).with_options(device=device, gpu_layers=gpu_layers)
    with Store.open(existing_database(db)) as store:
        plan = plan_judging(store, session, wanted, chosen, reference=reference)
        if plan.items:
            print_terms([chosen])
        if rubric is not None:
            keep_columns(store, session, rubric)
        outcome = RunOutcome()
        pool = WorkerPool(threads=threads)
        try:
            follow_judge(JudgeRun(plan, pool, store), outcome)
        finally:
            pool.close()
        judged = plan.template.kind
        rows = judgments_of(store, session, judged, chosen.reference, plan.reference)
        agreed = agreement(store, session).get(judged, {})
        sources = pair_sources(store, session, rows)
        columns = None if rubric is None else rubric_columns(rubric)
        table = summarize(judged, rows, Uncertainty(), sources, columns) if rows else {}
    counts = Counter(row.judgment.status for row in rows)
    meta = {
        "session": session,
        "judge": chosen.reference,
        "template": plan.template.hash,
        "reference": plan.reference,
        "items": plan.n,
        "counts": {**{status: counts[status] for status in ("valid", "invalid", "na")}, "failed": outcome.failed},
        "agreement": agreement_json(agreed),
    }
    if as_json:
        printing.json_data({**judged_json({judged: table}), "meta": meta})
    else:
        print_judged(table)
        print_agreement(agreed)
    outcome.failed += counts["invalid"]
    outcome.done = counts["valid"] + counts["na"]  # of earlier runs too, as what is invalid is
    if code := outcome.exit_code:
        raise typer.Exit(code)


def _judge(named: str | None) -> Model:
    """The model that is named, else that of config.toml."""
    from alignbench.models.catalog import resolve

    if named:
        return resolve(named)
    if not user_config().judge:
        raise InputError("No --model given, and config.toml names no judge. Try --model demo-smollm2.")
    with said_in_config("judge"):
        return resolve(user_config().judge)
