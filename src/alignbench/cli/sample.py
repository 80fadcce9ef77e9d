"""`alignbench sample`: prompts x models -> samples and scores, without the app."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds, paths
from alignbench.cli import completion, printing
from alignbench.cli.options import (
    Conditions,
    Contexts,
    Db,
    Device,
    GpuLayers,
    IdField,
    Json,
    Models,
    PromptField,
    Threads,
    Values,
    Verbose,
    number,
)
from alignbench.errors import InputError
from alignbench.spec import DEFAULT_SAMPLES, Sampling

if TYPE_CHECKING:
    from alignbench.store import SampleRow

_DEFAULTS = Sampling()


def sample(
    prompt: Annotated[
        list[str] | None, typer.Option(help="A prompt, typed here; - reads one. Repeat for more.")
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            help="A set that ships, a file, or dataset:org/name?split=test&field=question.",
            autocompletion=completion.prompt_sets,
        ),
    ] = None,
    prompt_field: PromptField = None,
    id_field: IdField = None,
    values: Values = None,
    limit: Annotated[int | None, number(bounds.LIMIT, "--limit", help="Only the first prompts of the set.")] = None,
    model: Models = None,
    condition: Conditions = None,
    context: Contexts = None,
    n: Annotated[int, number(bounds.SAMPLES, "-n", "--n", help="Samples a cell.")] = DEFAULT_SAMPLES,
    temperature: Annotated[
        float, number(bounds.TEMPERATURE, "--temperature", help="0 is greedy.")
    ] = _DEFAULTS.temperature,
    top_p: Annotated[float, number(bounds.TOP_P, "--top-p", help="Nucleus; 1 is off.")] = _DEFAULTS.top_p,
    top_k: Annotated[int, number(bounds.TOP_K, "--top-k", help="0 is off.")] = _DEFAULTS.top_k,
    min_p: Annotated[float, number(bounds.MIN_P, "--min-p", help="0 is off.")] = _DEFAULTS.min_p,
    repetition_penalty: Annotated[
        float, number(bounds.REPETITION_PENALTY, "--repetition-penalty", help="Over prompt and generation; 1 is off.")
    ] = _DEFAULTS.repetition_penalty,
    max_tokens: Annotated[
        int, number(bounds.MAX_TOKENS, "--max-tokens", help="Most tokens of a response.")
    ] = _DEFAULTS.max_tokens,
    stop: Annotated[list[str] | None, typer.Option(help="A text that ends a response. Repeat for more.")] = None,
    seed: Annotated[int, number(bounds.SEED, "--seed", help="Sample i is drawn with seed + i.")] = 0,
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
    _verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Sample prompts under models, and score what comes."""
    from alignbench.api.sampling import make_conditions, open_sampling, sampling_job
    from alignbench.cli.run_watcher import RunOutcome, follow
    from alignbench.cli.sessions_view import print_session
    from alignbench.cli.tables import print_sections
    from alignbench.cli.terms import print_terms
    from alignbench.cli.typed_prompts import typed_prompts
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.prompt_fields import prompt_json
    from alignbench.prompts import load_prompts, prompt_source
    from alignbench.reports.score_sections import run_sections
    from alignbench.reports.to_json import scores_json
    from alignbench.scoring.notes import prompt_notes

    path = db or paths.default_database()
    said: AbstractContextManager[object] = nullcontext()
    if not prompt and prompts is None and (prompts := paths.user_config().prompts or None):
        said = paths.said_in_config("prompts")
    if bool(prompt) == (prompts is not None):
        raise InputError("Give either --prompt TEXT or --prompts NAME|FILE.")
    if prompts is not None:
        with said:
            source = prompt_source(prompts, field=prompt_field, id_field=id_field, values=values)
            chosen = load_prompts(source, limit=limit)
    else:
        chosen = typed_prompts(prompt or (), prompt_field, id_field, values)
    sampling = Sampling(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        max_tokens=max_tokens,
        stop=tuple(stop or ()),
    )
    conditions = make_conditions(
        model or (),
        condition or (),
        context or (),
        sets=StoredSets(path),
        sampling=sampling,
        seed=seed,
        mode="fast" if fast else "strict",
    )
    job = sampling_job(
        chosen,
        [each.with_options(device=device, gpu_layers=gpu_layers) for each in conditions],
        n,
        reference=reference,
        floor=floor,
    )
    parts = {each.id: prompt_json(each) for each in job.prompts}
    print_terms(each.model for each in job.conditions)
    for note in prompt_notes({each.id: each.shown for each in job.prompts}):
        printing.say(note)
    outcome = RunOutcome()
    with open_sampling(job, path, threads=threads) as run:
        printing.say(f"session {run.session} in {path}")
        for row in follow(run, outcome):
            if as_json:
                printing.json_data({**_line(row), **parts.get(row.prompt_id, {})})
        scores = run.scores()
        if as_json:
            printing.json_data({"scores": scores_json(scores)})
        else:
            print_session(run.store, run.session)
            if outcome.done:
                printing.show()
                print_sections(run_sections(scores, job.reference))
    if code := outcome.exit_code:
        raise typer.Exit(code)


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
        "thinking": row.thinking,
        "n_thinking_tokens": row.n_thinking_tokens,
        "refused": row.refused,
        "note": row.note,
        **({} if row.probability is None else {"probability": row.probability}),
    }
