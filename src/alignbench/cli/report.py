"""`alignbench report`: the tables of a session, and what an investigation found in it."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignbench.cli.options import Db
from alignbench.cli.scoring import embedding_cache, embedding_pool, existing_database, progress_bar, zero_shot_floor
from alignbench.errors import AlignbenchError, InputError, did_you_mean

if TYPE_CHECKING:
    from alignbench.reports.report import Investigation, Options
    from alignbench.store import Store

FORMATS = ("table", "json", "csv", "md")


def report(
    session: Annotated[int, typer.Argument(metavar="SESSION", help="A session in the database.")],
    investigation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="diversity, recovery or all: what was found, in sentences and tables."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="The condition the others are compared with.", show_default="the session's own"),
    ] = None,
    floor: Annotated[
        str | None, typer.Option(help="The zero-shot condition.", show_default="the session's only one")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="Names of scores with commas between.", show_default="live, or the paper's own")
    ] = None,
    temperatures: Annotated[
        str | None, typer.Option(metavar="T,T,...", help="A frontier over conditions that differ in temperature.")
    ] = None,
    gate: Annotated[float, typer.Option(min=1, max=5, help="Least judged quality that passes the gate.")] = 3.0,
    judge: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose judgments.", show_default="who judged the most")
    ] = None,
    mode: Annotated[str, typer.Option(help="How texts become words: workbench or paper.")] = "workbench",
    bootstrap: Annotated[int, typer.Option(min=1, metavar="N", help="Resamples of the prompts.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples and of the shuffled null.")] = 0,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A sentence-transformers folder, or none.", show_default="the embedded MiniLM"
        ),
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="NAME", help="table, json, csv or md.")] = "table",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it there.")] = None,
    db: Db = None,
) -> None:
    """Report on a session: scores with their intervals, judgments, counts, and an investigation."""
    from alignbench.store import Store

    form = _one_of("--format", form, FORMATS)
    with Store.open(existing_database(db)) as store:
        found = report_of(
            store,
            session,
            investigation=investigation,
            temperatures=temperatures,
            reference=reference,
            floor=floor,
            metrics=metrics,
            gate=gate,
            judge=judge,
            mode=mode,
            resamples=bootstrap,
            seed=seed,
            embedder=embedder,
        )
    if form == "table" and output is None:
        _print(found)
    elif output is None:
        sys.stdout.write(_written(found, form))
    else:
        write_report(found, output, form)


def report_of(
    store: Store,
    session: int,
    *,
    investigation: str | None = None,
    temperatures: str | None = None,
    reference: str | None = None,
    floor: str | None = None,
    metrics: str | None = None,
    mode: str = "workbench",
    embedder: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """A session's report, with what it does not say as the experiment file or the session has it."""
    from alignbench.reports.frontier import parse_temperatures
    from alignbench.reports.report import INVESTIGATIONS, Options, default_metrics
    from alignbench.scores.paper import paper_mode
    from alignbench.scores.values import WORKBENCH

    kind: Investigation | None = None
    if investigation is not None or temperatures is not None:
        kind = _one_of("--investigation", investigation or "diversity", INVESTIGATIONS)
    words = paper_mode() if _one_of("--mode", mode, ("workbench", "paper")) == "paper" else WORKBENCH
    asked = store.manifest(session).get("experiment", {})
    named = metrics if metrics is not None or words is not WORKBENCH else ",".join(asked.get("metrics", ()))
    return _with_embeddings(
        store,
        session,
        Options(
            metrics=_metrics(named) or default_metrics(store, session, words, kind),
            reference=reference or store.session(session).reference,
            floor=floor or asked.get("floor") or zero_shot_floor(store, session),
            investigation=kind,
            temperatures=parse_temperatures(temperatures) if temperatures else (),
            mode=words,
            **options,
        ),
        embedder,
    )


def write_report(found: dict[str, Any], path: Path, form: str | None = None) -> None:
    """Write a report to a file; without a form, in that of its ending."""
    try:
        path.write_text(_written(found, form or path.suffix.removeprefix(".")), encoding="utf-8")
    except OSError as error:
        raise AlignbenchError(f"{path} cannot be written: {error.strerror or error}.") from None
    print(f"wrote {path}", file=sys.stderr)


def _with_embeddings(store: Store, session: int, options: Options, embedder: str | None) -> dict[str, Any]:
    """The report with what embeddings it needs, and progress on stderr."""
    from alignbench.engines.embedder import DEFAULT_EMBEDDER
    from alignbench.reports.report import build_report
    from alignbench.scores.registry import METRICS
    from alignbench.scoring.embeddings import Embeddings

    needs = {need for name in options.metrics for need in METRICS[name].needs}
    with ExitStack() as stack:
        embeddings = of_sentences = None
        used = None
        if needs & {"embeddings", "sentence embeddings"}:
            pool, used, why_not = embedding_pool(stack, embedder)
            name = used or DEFAULT_EMBEDDER
            if "embeddings" in needs:
                embeddings = Embeddings(store, pool, name, why_not)
            if "sentence embeddings" in needs:
                of_sentences = Embeddings(stack.enter_context(embedding_cache()), pool, name, why_not)
        with progress_bar() as progress:
            found = build_report(store, session, options, embeddings, of_sentences, progress)
        found["meta"]["embedder"] = used
        return found


def _written(found: dict[str, Any], form: str) -> str:
    from alignbench.reports.markdown import markdown
    from alignbench.reports.spreadsheet import spreadsheet

    if form == "json":
        return json.dumps(found, allow_nan=False) + "\n"
    return spreadsheet(found) if form == "csv" else markdown(found)


def _print(found: dict[str, Any]) -> None:
    from alignbench.cli.tables import print_table
    from alignbench.display import visible
    from alignbench.reports.sections import listed, sections

    for section in listed(sections(found)):
        print(f"\n{visible(section.title)}")
        if section.columns:
            print_table(section.columns, section.rows)
        for note in section.notes:
            print(f"- {visible(note)}")


def _metrics(wanted: str | None) -> tuple[str, ...]:
    """The scores that were asked for, in the registry's order; InputError for a name that is none."""
    from alignbench.scores.registry import LIVE, METRICS, metric

    names = [name.strip() for name in (wanted or "").split(",") if name.strip()]
    chosen = {metric(name).name for name in names if name not in ("live", "all")}
    chosen |= {*METRICS} if "all" in names else {*LIVE} if "live" in names else set()
    return tuple(name for name in METRICS if name in chosen)


def _one_of(option: str, value: str, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        near = did_you_mean(value, choices)
        raise InputError(f"{option} is {value!r}; expected {' or '.join(choices)}. {near}".rstrip())
    return value
