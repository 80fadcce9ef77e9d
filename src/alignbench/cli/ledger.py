"""`alignbench ledger`: what a teacher's responses cost a base model in context, in bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds, paths
from alignbench.cli import completion, printing
from alignbench.cli.options import (
    Db,
    Device,
    GpuLayers,
    Json,
    Threads,
    Verbose,
    model_option,
    number,
    session_number,
)
from alignbench.errors import InputError
from alignbench.spec import DEFAULT_SAMPLES, Condition, Prompt, Sampling

if TYPE_CHECKING:
    pass

_SAMPLING = Sampling(temperature=1.0)  # the whole distribution, so that the gap can estimate a KL divergence


def ledger(
    teacher: Annotated[
        str, model_option("--teacher", help="The model whose responses are read, or a condition of SESSION.")
    ],
    base: Annotated[str, model_option("--model", "--base", help="The base model that reads them in context.")],
    session: Annotated[
        int | None,
        session_number(help="Take the samples of this session, and draw those it lacks."),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            help="A prompt set: a name that ships, or a file.",
            show_default="those of SESSION",
            autocompletion=completion.prompt_sets,
        ),
    ] = None,
    limit: Annotated[int | None, number(bounds.LIMIT, "--limit", help="Only the first prompts.")] = None,
    contexts: Annotated[
        str,
        typer.Option(
            help="Contexts around the prompts: names or TOML files.",
            metavar="A,B,...",
            autocompletion=completion.context_lists,
        ),
    ] = "instruction,fixed-3",
    n: Annotated[
        int, number(bounds.COMPARED_SAMPLES, "-n", "--n", help="Responses of the teacher to a prompt.")
    ] = DEFAULT_SAMPLES,
    max_tokens: Annotated[
        int, number(bounds.MAX_TOKENS, "--max-tokens", help="Most tokens of a response.")
    ] = _SAMPLING.max_tokens,
    seed: Annotated[int, number(bounds.SEED, "--seed", help="Sample i is drawn with seed + i.")] = 0,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also contexts whose outcome is known beforehand.")
    ] = False,
    budget_tokens: Annotated[
        int | None,
        number(
            bounds.BUDGET,
            "--budget-tokens",
            help="Search for the best context of at most so many tokens, with fewer examples too.",
        ),
    ] = None,
    reach: Annotated[
        float | None,
        number(
            bounds.GAP,
            "--reach",
            help="With --budget-tokens: the cheapest context whose gap is at most this, in bits per byte.",
        ),
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    db: Db = None,
    _verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Count what responses cost a base model, in bits.

    A teacher's responses, read in context, and what each piece of the context saves of them. Give the same command
    again to go on where it was stopped.
    """
    from alignbench.cli.ledger_view import print_ledger
    from alignbench.cli.progress import ProgressBar
    from alignbench.cli.run_watcher import RunOutcome, follow
    from alignbench.cli.terms import print_terms
    from alignbench.contexts.files import load_context
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.staged import StagedRun
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.ledger.ledger import LedgerBuilder, ledger_session, sampling_plan
    from alignbench.ledger.prepare import Failures
    from alignbench.ledger.request import LedgerRequest
    from alignbench.ledger.search import SearchTarget
    from alignbench.models.catalog import resolve
    from alignbench.prompts import load_prompts
    from alignbench.reports.ledger_to_json import ledger_json
    from alignbench.store import Store

    path = db or paths.default_database()
    if session is None and prompts is None:
        raise InputError("Give --prompts NAME|FILE, or the SESSION whose prompts are meant.")
    if reach is not None and budget_tokens is None:
        raise InputError("--reach needs --budget-tokens: the most tokens that the context may have.")
    wanted = None if budget_tokens is None else SearchTarget(budget_tokens, reach)
    there, conditions = _in_session(path, session)
    taught_by = conditions.get(teacher) or Condition.zero_shot(
        resolve(teacher), sampling=replace(_SAMPLING, max_tokens=max_tokens), seed=seed
    )
    asked = LedgerRequest(
        prompts=tuple(load_prompts(prompts, limit=limit) if prompts is not None else there[:limit]),
        prompts_name=prompts or "",
        teacher=taught_by.with_options(device=device, gpu_layers=gpu_layers),
        base=resolve(base).with_options(device=device, gpu_layers=gpu_layers),
        contexts=tuple(load_context(name.strip(), StoredSets(path)) for name in contexts.split(",") if name.strip()),
        n=n,
    )
    with Store.open(path) as store:
        print_terms([asked.teacher.model, asked.base])
        with store.together():  # what is refused leaves no session
            number = ledger_session(store, asked) if session is None else session
            plan = sampling_plan(store, number, asked, controls=controls)
        printing.say(f"session {number} in {path}")
        outcome, failures = RunOutcome(), Failures()
        pool = WorkerPool(threads=threads)
        try:
            for _ in follow(StagedRun(plan, pool, store, pool), outcome):
                pass
            if outcome.interrupted:
                raise typer.Exit(outcome.exit_code)
            with ProgressBar(narrated=True) as progress:
                kept = LedgerBuilder(store, pool, pool, number, failures, progress).ledger(
                    asked, controls=controls, wanted=wanted
                )
        finally:
            pool.close()
            if session is None:
                store.drop_session_if_empty(number)
    for message in failures.messages:
        printing.say(message)
    if as_json:
        printing.json_data(ledger_json(kept, asked, number, tuple(failures.messages), wanted))
    else:
        print_ledger(kept, asked, wanted)
    if outcome.failed or failures.messages:
        raise typer.Exit(3 if kept.n_prompts else 1)


def _in_session(path: Path, session: int | None) -> tuple[list[Prompt], dict[str, Condition]]:
    """The prompts of a session, and its conditions by name; nothing without a session."""
    from alignbench.models.stored_models import as_known
    from alignbench.store import Store

    if session is None:
        return [], {}
    if not path.exists():
        raise InputError(f"There is no session {session}: there is no database at {path}.")
    with Store.open(path) as store:
        number = store.session(session).id
        return store.prompts(number), {
            condition.name: replace(condition, model=as_known(condition.model))
            for condition in store.conditions(number)
        }
