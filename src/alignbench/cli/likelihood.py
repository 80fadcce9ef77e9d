"""`alignbench likelihood`: a given response under a model, token by token."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds
from alignbench.cli import completion, printing
from alignbench.cli.options import Db, Device, GpuLayers, Json, Threads, Verbose, model_option, number
from alignbench.errors import InputError

if TYPE_CHECKING:
    from alignbench.engines.protocol import Scored
    from alignbench.metrics.likelihood import Likelihood, Shift


def likelihood(
    model: Annotated[str, model_option("--model", help="A model: a name or a reference.")],
    prompt: Annotated[str, typer.Option(help="The prompt.")],
    response: Annotated[str, typer.Option(help="The response: a text, or a file that holds it.")],
    context: Annotated[
        str | None,
        typer.Option(
            help="What surrounds the prompt: a context's name or a TOML file.",
            metavar="NAME|FILE",
            show_default="zero-shot",
            autocompletion=completion.contexts,
        ),
    ] = None,
    keep_line_end: Annotated[
        bool, typer.Option("--keep-line-end", help="Score the line end at the end of a file too.")
    ] = False,
    top: Annotated[int, number(bounds.TOP_TOKENS, "--top", help="Alternatives a token.")] = 5,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    db: Db = None,
    _verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Read a given response under a model, token by token.

    Log-prob and rank of each token, and what the model preferred.
    """
    from alignbench.cli.typed_prompts import typed_text
    from alignbench.contexts.files import load_context
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.likelihood import content_for, score_response
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.metrics.likelihood import likelihood as totals_of
    from alignbench.metrics.likelihood import token_shift
    from alignbench.models.catalog import resolve
    from alignbench.paths import default_database
    from alignbench.prompts import typed_prompt
    from alignbench.spec import default_context

    question = typed_prompt(typed_text(prompt))
    text = _text(response, keep_line_end=keep_line_end)
    chosen = resolve(model).with_options(device=device, gpu_layers=gpu_layers)
    around = load_context(context, StoredSets(db or default_database())) if context else default_context(chosen)
    pool = WorkerPool(threads=threads)
    try:
        content = None if around.zero_shot else content_for(pool, chosen, around, question)
        scored = score_response(pool, chosen, around, question, text, top, content=content)
    finally:
        pool.close()
    totals = totals_of(scored.logprob, text)
    if totals is None:
        raise InputError(f"--response has no tokens under {chosen.name}.")
    shifts = Counter(map(token_shift, scored.rank.tolist()))
    if as_json:
        _print_json(scored, totals, shifts)
    else:
        _print_table(scored, totals, shifts)


def _text(response: str, *, keep_line_end: bool) -> str:
    """The content of a file where the option names one, else the option itself.

    What an editor ends a file with is no part of a response.
    """
    from alignbench.textfiles import read_utf8

    try:
        is_file = Path(response).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL in it: a text
        is_file = False
    text = read_utf8(Path(response)) if is_file else response
    if is_file and not keep_line_end and text.endswith(("\r", "\n")):
        text = text.rstrip("\r\n")
        printing.say(f"{response}: the line end at its end is left out; --keep-line-end scores it.")
    if not text:
        raise InputError("--response is empty; expected a text or a file that holds one.")
    return text


def _print_json(scored: Scored, totals: Likelihood, shifts: Counter[Shift]) -> None:
    for t, piece in enumerate(scored.pieces):
        top = zip(scored.top_pieces[t], scored.top_ids[t], scored.top_logprob[t], strict=True)
        printing.json_data(
            {
                "token": piece,
                "id": int(scored.ids[t]),
                "logprob": float(scored.logprob[t]),
                "rank": int(scored.rank[t]),
                "top": [
                    {"token": p, "id": int(i), "logprob": float(logprob)} for p, i, logprob in top if isfinite(logprob)
                ],
            }
        )
    printing.json_data(
        {
            "totals": {
                "n_tokens": totals.n_tokens,
                "n_bytes": totals.n_bytes,
                "logprob": totals.logprob,
                "bits_per_byte": totals.bits_per_byte,
                "end_logprob": scored.end,
                "unshifted": shifts["unshifted"],
                "marginal": shifts["marginal"],
                "shifted": shifts["shifted"],
            }
        }
    )


def _print_table(scored: Scored, totals: Likelihood, shifts: Counter[Shift]) -> None:
    from alignbench.cli.tables import print_table

    print_table(
        ["token", "log-prob", "rank", "the model's first choices"],
        [
            [
                repr(piece),
                f"{scored.logprob[t]:.2f}",
                str(scored.rank[t]),
                " ".join(map(repr, scored.top_pieces[t][:3])),
            ]
            for t, piece in enumerate(scored.pieces)
        ],
    )
    n = totals.n_tokens
    printing.show(
        f"\n{n} tokens, log-prob {totals.logprob:.1f} nats, {totals.bits_per_byte:.3f} bits per byte; "
        f"unshifted {shifts['unshifted'] / n:.0%}, marginal {shifts['marginal'] / n:.0%}, "
        f"shifted {shifts['shifted'] / n:.0%}"
    )
    if scored.end is not None:
        printing.show(f"that the response ends there: log-prob {scored.end:.2f} nats")
