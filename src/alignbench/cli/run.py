"""`alignbench run`: an experiment file, from its check to its last sample; again is to resume."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds, paths
from alignbench.cli import printing
from alignbench.cli.options import Db, Device, GpuLayers, Json, Threads, number
from alignbench.cli.pools import Machines, opened

if TYPE_CHECKING:
    from alignbench.cli.run_watcher import RunOutcome
    from alignbench.experiments.estimate import ConditionCost
    from alignbench.experiments.experiment import Experiment
    from alignbench.experiments.plan import Plan
    from alignbench.spec import Condition, Prompt
    from alignbench.store import Store


def run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An experiment file, or the name of one that ships.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be drawn, and about how long.")
    ] = False,
    limit: Annotated[int | None, number(bounds.LIMIT, "--limit", help="Only the first prompts of the file's.")] = None,
    retry_errors: Annotated[bool, typer.Option("--retry-errors", help="Draw samples that failed again.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Go on in the background; `alignbench attach` shows it.")
    ] = False,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    vram: Annotated[
        float | None,
        number(
            bounds.GIGABYTES,
            "--vram",
            metavar="GB",
            help="Most GPU memory for all models together.",
            show_default="what is free",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            metavar="[ADDRESS]",
            help="Draw on a Ray cluster: HOST:PORT, or without one RAY_ADDRESS, else this machine.",
        ),
    ] = None,
    actor_cpus: Annotated[
        int, number(bounds.THREADS, "--actor-cpus", help="With --ray: CPUs of each model in the cluster.")
    ] = 1,
    actor_gpus: Annotated[
        float | None,
        number(
            bounds.GPUS, "--actor-gpus", help="With --ray: GPUs of each.", show_default="1 where the cluster has any"
        ),
    ] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Run an experiment file, or resume it.

    The same command again resumes: only what is missing is drawn.
    """
    from alignbench.api.reporting import make_report
    from alignbench.cli.progress import ProgressBar
    from alignbench.cli.report import write_report
    from alignbench.experiments.background import refuse_beside
    from alignbench.experiments.experiment import experiment_path, read_experiment
    from alignbench.experiments.experiment_session import experiment_session
    from alignbench.experiments.plan import make_plan
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.output_files import check_output
    from alignbench.store import Store

    path = db or paths.default_database()
    experiment = read_experiment(experiment_path(file), StoredSets(path))
    if experiment.report is not None:
        check_output(experiment.report, [experiment.path])
    prompts = experiment.prompts[:limit]
    conditions = [condition.with_options(device=device, gpu_layers=gpu_layers) for condition in experiment.conditions]
    if check:
        n = len(prompts) * len(conditions) * experiment.n
        printing.say(f"{file}: {len(prompts)} prompts, {len(conditions)} conditions, {n} samples")
        return
    if dry_run:
        _show_estimate(experiment, prompts, conditions, path, retry_errors, as_json)
        return
    with Store.open(path) as store:
        with store.together():  # a condition that is refused leaves the session as it was
            session = experiment_session(store, experiment, conditions)
            plan = make_plan(store, session, prompts, conditions, experiment.n, retry_errors=retry_errors)
        refuse_beside(path, session)
        printing.say(f"session {session} in {path}")
        if detach and plan.n_missing:
            _begin_in_background(path, session)
            return
        machines = Machines(threads, vram, ray, actor_cpus, actor_gpus)
        try:
            outcome = _draw(store, plan, machines)
        except BaseException:
            store.drop_session_if_empty(session)
            raise
        left = _show_counts(store, session, as_json)
        if experiment.report is not None and not outcome.interrupted and store.session(session).n_samples:
            with ProgressBar() as bar:
                report = make_report(store, session, investigation="diversity", progress=bar, say=bar.say)
            write_report(store, report, experiment.report)
    if outcome.interrupted:
        printing.say(f"resume with: {_same_command()}")
    elif left and not retry_errors:
        printing.say(f"{left} samples failed; draw them again with: {_same_command()} --retry-errors")
    if code := outcome.exit_code or (3 if left else 0):
        raise typer.Exit(code)


def _draw(store: Store, plan: Plan, machines: Machines) -> RunOutcome:
    from alignbench.cli.run_watcher import RunOutcome, follow
    from alignbench.cli.terms import print_terms
    from alignbench.experiments.staged import StagedRun

    outcome = RunOutcome()
    if not plan.n_missing:
        printing.say("nothing is missing")
        return outcome
    print_terms(cell.condition.model for cell in plan.cells)
    with opened(machines, plan) as (pool, embed):
        for _ in follow(StagedRun(plan, pool, store, embed), outcome, finish_first=True):
            pass
    return outcome


def _show_counts(store: Store, session: int, as_json: bool) -> int:
    """What the session holds now; how many of its samples are errors."""
    from alignbench.cli.tables import print_table
    from alignbench.spec import written_setting

    counts = store.counts(session)
    if as_json:
        printing.json_data({"session": session, "conditions": {each.condition: asdict(each) for each in counts}})
    else:
        refusals = any(each.refused for each in counts)
        rows = [
            [
                each.condition,
                *map(written_setting, (each.samples, each.errors, each.truncated)),
                *([str(each.refused)] if refusals else []),
            ]
            for each in counts
        ]
        print_table(["condition", "samples", "errors", "cut by length", *(["refused"] * refusals)], rows)
    return sum(each.errors for each in counts)


def _show_estimate(
    experiment: Experiment,
    prompts: Sequence[Prompt],
    conditions: Sequence[Condition],
    path: Path,
    retry_errors: bool,
    as_json: bool,
) -> None:
    from alignbench.cli.tables import print_table
    from alignbench.experiments.estimate import estimate
    from alignbench.experiments.plan import preview
    from alignbench.store import Store

    def look(store: Store | None) -> list[ConditionCost]:
        session = store.session_of_experiment(str(experiment.path)) if store else None
        cells = preview(store, session, prompts, conditions, experiment.n, retry_errors=retry_errors)
        return estimate(store, cells)

    if path.exists():
        with Store.read(path) as store:
            costs = look(store)
    else:
        costs = look(None)
    if as_json:
        printing.json_data([asdict(each) for each in costs])
        return
    print_table(
        ["condition", "cells", "samples", "tokens at most", "tokens, about", "time, about", "memory, about"],
        [
            [
                each.condition,
                str(each.cells),
                str(each.samples),
                str(each.most_tokens),
                "-" if each.tokens is None else str(each.tokens),
                "-" if each.seconds is None else f"{each.seconds:.0f} s",
                "-" if each.memory is None else f"{each.memory / 2**20:.0f} MiB",
            ]
            for each in costs
        ],
    )
    if any(each.tokens is None for each in costs):
        printing.say("-: no sample of that model is in the database to judge by")


def _begin_in_background(path: Path, session: int) -> None:
    from alignbench.experiments.background import begin, commands

    command = [word for word in sys.argv[1:] if word != "--detach"]
    begun = begin(path, session, [sys.executable, "-P", "-m", "alignbench", *command])
    printing.say(
        f"it goes on in the background, as process {begun.pid}, and says what it does in {begun.log}\n"
        f"{commands(path, session, begun.pid or 0)}"
    )


def _same_command() -> str:
    """What was typed, to be typed again."""
    return shlex.join(["alignbench", *sys.argv[1:]])
