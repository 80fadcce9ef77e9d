"""`alignbench score`: the scores of a session, or of responses from anywhere in a JSONL file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench.cli.options import Db, Json
from alignbench.cli.score_setup import NO_EMBEDDER, embedding_cache, embedding_pool, existing_database
from alignbench.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from alignbench.metrics.metric import Metric
    from alignbench.scoring.batch import ScoreRequest
    from alignbench.scoring.floor import Floor
    from alignbench.scoring.responses import Responses
    from alignbench.scoring.score_tables import ScoreTables
    from alignbench.spec import Model
    from alignbench.store import Store


def score(
    session: Annotated[int | None, typer.Option(help="A session in the database.", metavar="ID")] = None,
    file: Annotated[
        Path | None, typer.Option(help='Or a JSONL file of {"prompt_id", "condition", "text"}.', metavar="FILE.jsonl")
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Names with commas between (see `alignbench metrics`), or live, or all.")
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
        typer.Option(
            metavar="MODEL",
            help="Reads the responses for scores by log-probs.",
            show_default="a session's only base model",
        ),
    ] = None,
    mode: Annotated[str, typer.Option(help="How texts become words: workbench or paper.")] = "workbench",
    truncate: Annotated[
        int | None, typer.Option(min=1, metavar="WORDS", help="Score only the first words of every response.")
    ] = None,
    equal_words: Annotated[
        bool, typer.Option("--equal-words", help="Lexical scores also on random sentences at an equal word budget.")
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=1, metavar="N", help="Resamples of the prompts.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples and of the shuffled null.")] = 0,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A sentence-transformers folder, or none.", show_default="the embedded MiniLM"
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Judges the quality of a session's responses, and adds the judged scores."),
    ] = None,
    db: Db = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table for a spreadsheet, on stdout.")] = False,
) -> None:
    """Score responses: diversity inside each condition, similarity to a reference, with intervals over prompts."""
    from alignbench.cli.progress import ProgressBar
    from alignbench.cli.score_models import ask_encoder, ask_judge, ask_models
    from alignbench.cli.tables import print_sections
    from alignbench.engines.embedder import DEFAULT_EMBEDDER
    from alignbench.reports.score_sections import score_remarks, score_sections
    from alignbench.reports.spreadsheet import score_spreadsheet
    from alignbench.reports.to_json import scores_json
    from alignbench.scoring.batch import PrecomputedScores, score_responses
    from alignbench.scoring.embedding_cache import Embeddings
    from alignbench.scoring.equal_words import with_equal_words
    from alignbench.scoring.floor import NOT_GIVEN, Floor, session_floor
    from alignbench.scoring.held_out import source_conditions
    from alignbench.scoring.model_based.judge import JUDGED
    from alignbench.scoring.responses import FileResponses, SessionResponses, Truncated
    from alignbench.store import Store

    if (session is None) == (file is None):
        raise InputError("Give either --session ID or --file FILE.jsonl.")
    if as_json and as_csv:
        raise InputError("Give --json or --csv, not both.")
    critic = _judge(judge, session, truncate)
    chosen = _metrics(metrics if critic is None else f"{metrics},{','.join(JUDGED)}")
    with ExitStack() as stack:
        store: Store | None = None
        if file is not None:
            source: FileResponses | SessionResponses = stack.enter_context(FileResponses(file))
        else:
            assert session is not None
            store = stack.enter_context(Store.open(existing_database(db)))
            source = SessionResponses(store, session)
            reference = reference or store.session(session).reference
        against, reason = _reference(source, reference, given=store is None)
        lowest = Floor(_known(source, "--floor", floor), "" if floor else NOT_GIVEN)
        if store is not None and session is not None and floor is None:
            lowest = session_floor(store, session, against)
        responses: Responses = source if truncate is None else Truncated(source, truncate)
        needs = {need for metric in chosen for need in metric.needs}
        known = None if store is None or session is None else (store, session)
        with ProgressBar() as progress:
            asked = ask_models(
                stack, [metric.name for metric in chosen], responses, source, base, against, seed, progress,
                keep=lambda: store or stack.enter_context(embedding_cache()),
                session=known,
            )  # fmt: skip
        embeddings, of_sentences, embedder_name = None, None, None
        if needs & {"embeddings", "sentence embeddings", "token vectors"}:
            pool, embedder_name, why_not = embedding_pool(stack, embedder)
            cache = stack.enter_context(embedding_cache())
            name = embedder_name or DEFAULT_EMBEDDER
            if "embeddings" in needs:  # a session keeps its samples' vectors beside them
                embeddings = Embeddings(store or cache, pool, name, why_not)
            if "sentence embeddings" in needs:
                of_sentences = Embeddings(cache, pool, name, why_not)
            if "token vectors" in needs:
                imported = known if embedder in (None, NO_EMBEDDER) else None
                with ProgressBar() as progress:
                    ask_encoder(asked, responses, pool, why_not, against, seed, progress, imported)
        if critic is None:
            asked.why_not |= dict.fromkeys(JUDGED, "needs a judge; name one with --judge")
        elif known is not None:
            ask_judge(asked, critic, known, responses, embeddings)
        processes = len(os.sched_getaffinity(0))
        wanted = _wanted(chosen, mode, against, lowest, bootstrap, seed, asked.why_not)
        with ProgressBar() as progress:
            given = PrecomputedScores(asked.within, asked.cross, asked.null)
            tables = score_responses(
                responses, wanted, embeddings, progress, of_sentences=of_sentences, given=given,
                sources={} if known is None else source_conditions(known[0].conditions(known[1]), against),
                processes=processes,
            )  # fmt: skip
            if equal_words:
                tables = with_equal_words(tables, responses, wanted, progress, processes)
    notes = [*_notes(responses, tables), *asked.notes]
    meta = {
        **({"session": session} if file is None else {"file": str(file)}),
        "mode": mode,
        "truncate": truncate,
        "reference": against,
        "floor": lowest.name,
        "floor_reason": lowest.reason,
        "reason": reason,
        "prompts": len(responses.prompts),
        "samples": responses.n,
        "left_out": responses.left_out,
        "conditions": _sizes(tables),
        "metrics": {metric.name: metric.version_in(wanted.mode) for metric in chosen} | asked.versions,
        "bootstrap": {"resamples": bootstrap, "seed": seed},
        "embedder": embedder_name,
        "base": asked.base,
        "notes": notes,
    }
    if as_json:
        print(json.dumps({**scores_json(tables), "meta": meta}, allow_nan=False))
    elif as_csv:
        sys.stdout.write(score_spreadsheet(tables))
    else:
        print_sections(score_sections(tables, against, lowest.name, len(responses.prompts)))
        missing = [f"no similarities: {reason}"] if against is None else []
        for line in (*missing, *notes, *score_remarks(tables, lowest)):
            print(line, file=sys.stderr)
    if asked.interrupted:
        raise typer.Exit(130)


def _judge(name: str | None, session: int | None, truncate: int | None) -> Model | None:
    from alignbench.models.catalog import resolve

    if name is None:
        return None
    if session is None:
        raise InputError("--judge needs --session: judgments are kept with the samples they are of.")
    if truncate is not None:
        raise InputError("--judge judges whole responses; leave --truncate away.")
    return resolve(name)


def _metrics(wanted: str) -> list[Metric]:
    """The scores that were asked for, in the registry's order; InputError for a name that is none."""
    from alignbench.metrics.registry import METRICS

    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise InputError("--metrics is empty; expected names, or live, or all.")
    chosen = {"words"}  # no score is read without the length of what it scores
    for name in names:
        if name in ("all", "live"):
            chosen.update(metric.name for metric in METRICS.values() if name == "all" or metric.live)
        elif name in METRICS:
            chosen.add(name)
        else:
            near = did_you_mean(name, [*METRICS, "all", "live"])
            raise InputError(f"--metrics: there is no score named {name!r}. {near}".rstrip())
    return [metric for metric in METRICS.values() if metric.name in chosen]


def _wanted(
    metrics: Sequence[Metric],
    mode: str,
    reference: str | None,
    floor: Floor,
    resamples: int,
    seed: int,
    why_not: Mapping[str, str],
) -> ScoreRequest:
    from alignbench.metrics.paper import paper_mode
    from alignbench.metrics.values import WORKBENCH
    from alignbench.scoring.batch import ScoreRequest

    if mode not in ("workbench", "paper"):
        raise InputError(f"--mode is {mode!r}; expected workbench or paper.")
    unavailable = {
        metric.name: f"needs {' and '.join(need for need in metric.needs if need != 'text')}"
        for metric in metrics
        if not metric.live and "sentence embeddings" not in metric.needs
    }
    unavailable |= why_not
    return ScoreRequest(
        within=tuple(metric.name for metric in metrics if "within" in metric.scope),
        cross=tuple(metric.name for metric in metrics if "cross" in metric.scope),
        unavailable=unavailable,
        reference=reference,
        floor=floor.name,
        no_floor=floor.reason,
        mode=paper_mode() if mode == "paper" else WORKBENCH,
        resamples=resamples,
        seed=seed,
    )


def _reference(responses: Responses, name: str | None, *, given: bool) -> tuple[str | None, str]:
    """The reference, or None and why there is none. given: it can only have been named on the command line."""
    if name is None:
        return None, "name the reference with --reference" if given else "the session has no reference"
    return _known(responses, "--reference", name), ""


def _known(responses: Responses, option: str, name: str | None) -> str | None:
    if name is not None and name not in responses.conditions:
        there = ", ".join(responses.conditions)
        near = did_you_mean(name, responses.conditions)
        raise InputError(f"{option}: there is no condition named {name!r}. {near or f'Known: {there}.'}")
    return name


def _sizes(tables: ScoreTables) -> dict[str, dict[str, int]]:
    """How many prompts each condition has answers to, and how many answers."""
    counts = {condition: metrics["empty"] for condition, metrics in tables.within.items()}
    return {condition: {"prompts": empty.n, "samples": empty.samples} for condition, empty in counts.items()}


def _notes(responses: Responses, tables: ScoreTables) -> list[str]:
    """What a reader of the numbers has to know."""
    from alignbench.metrics.registry import METRICS

    notes = []
    if responses.left_out:
        notes.append(f"left out, failed or cancelled: {responses.left_out}")
    if responses.contested:
        notes.append(f"contested prompts, left out of scores that rest on embeddings: {len(responses.contested)}")
    per_prompt = {size["samples"] / size["prompts"] for size in _sizes(tables).values() if size["prompts"]}
    scored = next(iter(tables.within.values()), {})
    moving = [name for name in scored if name in METRICS and METRICS[name].moves_with_n]
    if len(per_prompt) > 1 and moving:
        names = ", ".join(moving)
        notes.append(f"conditions differ in samples a prompt, and these scores move with it: {names}")
    return notes
