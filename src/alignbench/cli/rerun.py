"""`alignbench rerun`: sample again what a session holds, and say which texts are identical."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench.cli import printing
from alignbench.cli.options import Db, Device, GpuLayers, Json, Threads, session_number
from alignbench.errors import InputError

if TYPE_CHECKING:
    from alignbench.experiments.rerun import Redrawn

SHOWN = 20  # samples that differ, in the table


def rerun(
    session: Annotated[int, session_number()],
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where a text is not the same.")] = False,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Sample a session again and compare the texts.

    Seeds and contexts are those of the session; it is said which texts are identical. Nothing is stored. In strict
    mode, the same build on the same device gives the same texts.
    """
    from alignbench.cli.run_watcher import RunOutcome, follow
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.rerun import compared, other_arithmetic, other_weights, plan_rerun, replay_of_servers
    from alignbench.experiments.runner import Run
    from alignbench.paths import existing_database
    from alignbench.store import Store

    outcome = RunOutcome()
    with (
        Store.read(existing_database(db)) as store,
        tempfile.TemporaryDirectory(prefix="alignbench-") as folder,
        Store.open(Path(folder) / "again.db") as scratch,
    ):
        store.session(session)
        again = plan_rerun(store, session, scratch, device=device, gpu_layers=gpu_layers)
        if not again.cells:
            raise InputError(f"Session {session} has no finished sample that could be drawn again.")
        if any(cell.condition.mode == "fast" for cell in again.plan.cells):
            printing.say("drawn in fast mode, which does not promise the same texts")
        pool = WorkerPool(threads=threads)
        try:
            run = Run(again.plan, pool, scratch)
            redrawn = list(compared(store, scratch, again, follow(run, outcome)))
        finally:
            pool.close()
        for line in (
            *other_weights(scratch, again),
            *other_arithmetic(store, scratch, again),
            *replay_of_servers(scratch, again),
        ):
            printing.say(line)
    _show(session, redrawn, as_json)
    if code := outcome.exit_code or int(check and not all(each.identical for each in redrawn)):
        raise typer.Exit(code)


def _show(session: int, redrawn: Sequence[Redrawn], as_json: bool) -> None:
    from alignbench.cli.tables import print_table

    conditions = {name: _counts([each for each in redrawn if each.condition == name]) for name in _names(redrawn)}
    if as_json:
        samples = [asdict(each) for each in redrawn]
        counts = {"session": session, **_counts(redrawn)}
        printing.json_data({**counts, "conditions": conditions, "samples": samples})
        return
    print_table(
        ["condition", "identical", "different", "failed"],
        [[name, *map(str, counts.values())] for name, counts in conditions.items()],
    )
    different = [each for each in redrawn if not (each.identical or each.error)]
    for each in different[:SHOWN]:
        prompt = "" if each.same_prompt else "; the model was shown another text"
        printing.show(
            f"{each.condition}, prompt {each.prompt_id}, sample {each.sample}: "
            f"the same for {each.same} characters{prompt}"
        )
    if len(different) > SHOWN:
        printing.show(f"... and {len(different) - SHOWN} more; --json has them all")


def _names(redrawn: Sequence[Redrawn]) -> list[str]:
    return list(dict.fromkeys(each.condition for each in redrawn))


def _counts(redrawn: Sequence[Redrawn]) -> dict[str, int]:
    identical, failed = sum(each.identical for each in redrawn), sum(bool(each.error) for each in redrawn)
    return {"identical": identical, "different": len(redrawn) - identical - failed, "failed": failed}
