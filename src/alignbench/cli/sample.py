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
from alignbench.spec import DEFAULT_SAMPLES, Condition, Model, Prompt, Sampling

if TYPE_CHECKING:
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
        list[str] | None, typer.Option(help="A named condition, NAME=MODEL. Repeat for more.", metavar="NAME=MODEL")
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
    from alignbench.cli.following import Outcome, follow
    from alignbench.cli.score_tables import print_scores
    from alignbench.cli.session_views import print_session
    from alignbench.engines.pool import WorkerPool
    from alignbench.experiments.manifest import manifest
    from alignbench.experiments.plan import make_plan
    from alignbench.experiments.runner import Run
    from alignbench.models import first_use, terms
    from alignbench.scoring.live import LiveScores
    from alignbench.scoring.sessions import session_scores
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
    conditions = [
        Condition.zero_shot(
            used.with_options(device=device, gpu_layers=gpu_layers),
            name=name,
            sampling=sampling,
            seed=seed,
            mode="fast" if fast else "strict",
        )
        for name, used in _named_models(model or [], condition or [])
    ]
    against = _one_of(conditions, "--reference", reference, [c for c in conditions if c.model.kind == "aligned"][:1])
    lowest = _one_of(conditions, "--floor", floor, [c for c in conditions if c.model.kind == "base"])
    for used in conditions:
        if first_use(used.model):
            print(visible(terms(used.model)), file=sys.stderr)

    path = db or paths.default_database()
    with Store.open(path) as store:
        title = prompt or prompts or ""
        session = store.create_session(title, reference=against, manifest=manifest(conditions, n))
        print(f"session {session} in {path}", file=sys.stderr)
        pool = WorkerPool(threads=threads)
        live = LiveScores(path, pool, lambda: None)
        outcome = Outcome()
        try:
            run = Run(make_plan(store, session, chosen, conditions, n), pool, store)
            for row in follow(run, outcome):
                live.add(row)
                if as_json:
                    print(json.dumps(_line(row)), flush=True)
            live.wait()
            scores = session_scores(live, chosen, conditions, against, lowest)
        finally:
            live.close()
            pool.close()
        if as_json:
            print(json.dumps({"scores": scores}), flush=True)
        else:
            print_session(store, session)
            if outcome.done:
                print_scores(scores, against)
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


def _named_models(models: Sequence[str], conditions: Sequence[str]) -> list[tuple[str, Model]]:
    """`--model M` is short for a condition that is called as the model is."""
    from alignbench.models import resolve

    named = [(model.name, model) for model in map(resolve, models)]
    for text in conditions:
        name, equals, reference = text.partition("=")
        if not (name and equals and reference):
            raise InputError(f"--condition {text!r}: expected NAME=MODEL, such as warm=demo-base.")
        named.append((name, resolve(reference)))
    if not named:
        raise InputError("No --model given. Try --model demo-base --model demo-aligned.")
    names = [name for name, _ in named]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"Two conditions would be called {twice!r}; name one with --condition NAME=MODEL.")
    return named


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
    }
