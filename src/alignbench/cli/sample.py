"""`alignbench sample`: prompts x models -> samples and scores, without the app."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import paths
from alignbench.cli.options import Db, Device, GpuLayers, Json, Threads
from alignbench.display import visible
from alignbench.errors import InputError
from alignbench.spec import DEFAULT_SAMPLES, Condition, Context, Model, Prompt, Sampling, default_context

if TYPE_CHECKING:
    from alignbench.contexts.files import Sets
    from alignbench.store import SampleRow

_DEFAULTS = Sampling()


def sample(
    prompt: Annotated[str | None, typer.Option(help="A prompt, typed here.")] = None,
    prompts: Annotated[str | None, typer.Option(help="A prompt set: a name that ships, or a file.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first prompts of the set.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model: a name or a reference (llama:/path.gguf). Repeat for more."),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help="A named condition, perhaps with a context. Repeat for more.", metavar="NAME=MODEL[,context=FILE]"
        ),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(help="A context for the base models of --model: a name or a TOML file.", metavar="NAME|FILE"),
    ] = None,
    n: Annotated[int, typer.Option("-n", "--n", help="Samples a cell.")] = DEFAULT_SAMPLES,
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = _DEFAULTS.temperature,
    top_p: Annotated[float, typer.Option(help="Nucleus; 1 is off.")] = _DEFAULTS.top_p,
    top_k: Annotated[int, typer.Option(help="0 is off.")] = _DEFAULTS.top_k,
    min_p: Annotated[float, typer.Option(help="0 is off.")] = _DEFAULTS.min_p,
    repetition_penalty: Annotated[
        float, typer.Option(help="Over prompt and generation; 1 is off.")
    ] = _DEFAULTS.repetition_penalty,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of a response.")] = _DEFAULTS.max_tokens,
    stop: Annotated[list[str] | None, typer.Option(help="A text that ends a response. Repeat for more.")] = None,
    seed: Annotated[int, typer.Option(help="Sample i is drawn with seed + i.")] = 0,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Batches as wide as pays; the same seed need not give the same text."),
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(help="The condition the others are compared with.", show_default="first aligned"),
    ] = None,
    floor: Annotated[
        str | None, typer.Option(help="The zero-shot condition.", show_default="the only base condition")
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Sample prompts under models, side by side, and score what comes."""
    from alignbench.cli.run_watcher import RunOutcome, follow
    from alignbench.cli.sessions_view import print_session
    from alignbench.cli.tables import print_sections
    from alignbench.engines.embedder import DEFAULT_EMBEDDER
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.manifest import manifest
    from alignbench.experiments.plan import make_plan
    from alignbench.experiments.staged import StagedRun
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.models.catalog import first_use, terms
    from alignbench.reports.score_sections import run_sections
    from alignbench.reports.to_json import scores_json
    from alignbench.scoring.embedding_cache import Embeddings
    from alignbench.scoring.floor import Floor, zero_shot_floor
    from alignbench.scoring.live import LiveScores
    from alignbench.scoring.responses import SessionResponses
    from alignbench.scoring.run_scores import session_scores
    from alignbench.store import Store

    chosen = _prompts(prompt, prompts, limit)
    if n < 1:
        raise InputError(f"-n is {n}; expected 1 or more samples.")
    sampling = Sampling(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        max_tokens=max_tokens,
        stop=tuple(stop or ()),
    )
    path = db or paths.default_database()
    conditions = [
        Condition(
            name,
            used.with_options(device=device, gpu_layers=gpu_layers),
            around,
            sampling,
            seed=seed,
            mode="fast" if fast else "strict",
        )
        for name, used, around in _named(model or [], condition or [], context or [], StoredSets(path))
    ]
    against = _one_of(conditions, "--reference", reference, [c for c in conditions if c.model.kind == "aligned"][:1])
    named_floor = _one_of(conditions, "--floor", floor, ())
    lowest = Floor(named_floor) if named_floor else zero_shot_floor(conditions, against)
    for used in conditions:
        if first_use(used.model):
            print(visible(terms(used.model)), file=sys.stderr)

    _check_teachers(conditions, against)
    with Store.open(path) as store:
        title = prompt or prompts or ""
        session = store.create_session(title, reference=against, manifest=manifest(conditions, n))
        print(f"session {session} in {path}", file=sys.stderr)
        pool = WorkerPool(threads=threads)
        live = LiveScores(path, pool, lambda: None)
        outcome = RunOutcome()
        try:
            run = StagedRun(make_plan(store, session, chosen, conditions, n), pool, store, pool)
            for row in follow(run, outcome):
                live.add(row)
                if as_json:
                    print(json.dumps(_line(row)), flush=True)
            live.wait()
            tables = session_scores(
                live, chosen, conditions, against, lowest,
                responses=SessionResponses(store, session) if outcome.done else None,
                embeddings=Embeddings(store, None, DEFAULT_EMBEDDER),
            )  # fmt: skip
        finally:
            live.close()
            pool.close()
        if as_json:
            print(json.dumps({"scores": scores_json(tables)}), flush=True)
        else:
            print_session(store, session)
            if outcome.done:
                print()
                print_sections(run_sections(tables, against))
    if code := outcome.exit_code:
        raise typer.Exit(code)


def _prompts(text: str | None, prompt_set: str | None, limit: int | None) -> list[Prompt]:
    from alignbench.prompts import load_prompts

    if (text is None) == (prompt_set is None):
        raise InputError("Give either --prompt TEXT or --prompts NAME|FILE.")
    if prompt_set is not None:
        return load_prompts(prompt_set, limit=limit)
    assert text is not None
    if not text.strip():
        raise InputError("--prompt is empty; expected a question or an instruction.")
    return [Prompt.typed(text.strip())]


def _named(
    models: Sequence[str], conditions: Sequence[str], contexts: Sequence[str], sets: Sets
) -> list[tuple[str, Model, Context]]:
    """`--model M` is short for a condition that is called as the model is, or for one under each --context."""
    from alignbench.contexts.files import load_context
    from alignbench.models.catalog import resolve

    around = [load_context(name, sets) for name in contexts]
    named: list[tuple[str, Model, Context]] = []
    for used in map(resolve, models):
        if around and used.kind == "base":
            named += [(f"{used.name} + {context.name}", used, context) for context in around]
        else:
            named.append((used.name, used, default_context(used)))
    if around and not any(used.kind == "base" for _, used, _ in named):
        raise InputError(
            "--context is for base models, and no --model is one; try --condition NAME=MODEL,context=FILE."
        )
    for text in conditions:
        name, equals, rest = text.partition("=")
        reference, comma, file = rest.partition(",context=")
        if not (name and equals and reference) or (comma and not file):
            raise InputError(f"--condition {text!r}: expected NAME=MODEL[,context=FILE], such as warm=demo-base.")
        used = resolve(reference)
        named.append((name, used, load_context(file, sets) if file else default_context(used)))
    if not named:
        raise InputError("No --model given. Try --model demo-base --model demo-aligned.")
    names = [name for name, _, _ in named]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"Two conditions would be called {twice!r}; name one with --condition NAME=MODEL.")
    return named


def _check_teachers(conditions: Sequence[Condition], reference: str | None) -> None:
    """Refuse, before anything is sampled, contexts that are made of samples which nobody draws."""
    from alignbench.contexts.source_samples import unknown_conditions

    known = [condition.name for condition in conditions]
    contexts = [condition.context for condition in conditions]
    if unknown := unknown_conditions(contexts, reference, known):
        raise InputError(
            f"A context is made of samples of {unknown[0]!r}, which is no condition of this run; add --model "
            f"{unknown[0]} or --condition {unknown[0]}=MODEL. The run has: {', '.join(known)}."
        )


def _one_of(conditions: Sequence[Condition], option: str, name: str | None, default: Sequence[Condition]) -> str | None:
    """The name that was asked for, checked; else that of the default where it is exactly one condition."""
    if name is None:
        return default[0].name if len(default) == 1 else None
    known = [condition.name for condition in conditions]
    if name not in known:
        raise InputError(f"{option} {name!r} is no condition of this run; expected one of: {', '.join(known)}.")
    return name


def _line(row: SampleRow) -> dict[str, object]:
    return {
        "session": row.session,
        "prompt_id": row.prompt_id,
        "prompt": row.prompt,
        "condition": row.condition,
        "model": row.model,
        "sample": row.sample,
        "seed": row.seed,
        "status": row.status,
        "text": row.text,
        "finish_reason": row.finish_reason,
        "n_prompt_tokens": row.n_prompt_tokens,
        "n_tokens": row.n_tokens,
        "seconds": row.seconds,
        "logprob": row.logprob,
        **({} if row.probability is None else {"probability": row.probability}),
    }
