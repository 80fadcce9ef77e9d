"""`alignbench score`: the scores of a session, or of responses from anywhere in a JSONL file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alignbench import bounds
from alignbench.cli import completion, printing
from alignbench.cli.choices import WordCounting
from alignbench.cli.options import Db, Json, Verbose, model_option, number, session_number
from alignbench.errors import InputError


def score(
    session: Annotated[int | None, session_number()] = None,
    file: Annotated[
        Path | None, typer.Option(help='Or a JSONL file of {"prompt_id", "condition", "text"}.', metavar="FILE.jsonl")
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            help="Names with commas between (see `alignbench metrics`), live, all, or FILE.py:FUNCTION of your own.",
            autocompletion=completion.metrics,
        ),
    ] = "live",
    reference: Annotated[
        str | None,
        typer.Option(help="The condition the others are compared with.", show_default="the session's own"),
    ] = None,
    floor: Annotated[
        str | None, typer.Option(help="The zero-shot condition.", show_default="a session's only one")
    ] = None,
    base: Annotated[
        str | None,
        model_option(
            "--base",
            help="Reads the responses for scores by log-probs.",
            show_default="a session's only base model",
        ),
    ] = None,
    mode: Annotated[WordCounting, typer.Option(help="How texts become words.")] = "workbench",
    truncate: Annotated[
        int | None,
        number(bounds.LIMIT, "--truncate", metavar="WORDS", help="Score only the first words of every response."),
    ] = None,
    bootstrap: Annotated[
        int,
        number(bounds.RESAMPLES, "--bootstrap", metavar="N", help="Resamples of 20 prompts or more, for intervals."),
    ] = 10_000,
    seed: Annotated[int, number(bounds.SEED, "--seed", help="Of resamples, shuffled null and drawn sentences.")] = 0,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A sentence-transformers folder, or none.", show_default="the embedded MiniLM"
        ),
    ] = None,
    judge: Annotated[
        str | None,
        model_option("--judge", help="Judges the quality of a session's responses, and adds the judged scores."),
    ] = None,
    equivalence: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What says that two responses are one answer: embedding, judge (see `alignbench judge --kind "
            "equivalence`), or nli:FOLDER of a cross-encoder.",
        ),
    ] = "embedding",
    db: Db = None,
    _verbose: Verbose = False,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table for a spreadsheet, on stdout.")] = False,
) -> None:
    """Score the responses of a session or of a file.

    Diversity inside each condition, similarity to a reference, with intervals over prompts.
    """
    from alignbench.api.scoring import run_scoring, scoring_job
    from alignbench.cli.judge_watcher import follow_judge
    from alignbench.cli.progress import ProgressBar
    from alignbench.cli.run_watcher import RunOutcome
    from alignbench.cli.tables import print_sections
    from alignbench.judging.runner import JudgeRun
    from alignbench.reports.score_sections import score_remarks, score_sections
    from alignbench.reports.spreadsheet import score_spreadsheet
    from alignbench.reports.to_json import scored_json

    job = scoring_job(
        session,
        file,
        metrics=metrics,
        reference=reference,
        floor=floor,
        base=base,
        mode=mode,
        truncate=truncate,
        resamples=bootstrap,
        seed=seed,
        embedder=embedder,
        judge=judge,
        equivalence=equivalence,
    )
    if as_json and as_csv:
        raise InputError("Give --json or --csv, not both.")
    with ProgressBar() as bar:

        def follow(run: JudgeRun) -> bool:
            outcome = RunOutcome()
            with bar.paused():
                follow_judge(run, outcome)
            return outcome.interrupted

        scored = run_scoring(job, db, progress=bar, follow=follow)
    if as_json:
        printing.json_data(scored_json(scored))
    elif as_csv:
        printing.data(score_spreadsheet(scored.tables), end="")
    else:
        print_sections(score_sections(scored.tables, scored.reference, scored.floor.name, scored.prompts))
        missing = [f"no similarities: {scored.no_reference}"] if scored.reference is None else []
        for line in (*missing, *scored.notes, *score_remarks(scored.tables, scored.reference, scored.floor)):
            printing.say(line)
    if scored.interrupted:
        raise typer.Exit(130)
