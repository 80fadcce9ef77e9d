"""`alignbench report`: the tables of a session, and what an investigation found in it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignbench.cli.options import Db
from alignbench.cli.score_setup import embedding_cache, embedding_pool, existing_database
from alignbench.errors import AlignbenchError, InputError, did_you_mean

if TYPE_CHECKING:
    from alignbench.metrics.values import WordMode
    from alignbench.reports.contents import Report
    from alignbench.reports.options import Investigation, Options
    from alignbench.store import Store

FORMATS = ("table", "json", "csv", "md", "latex", "html")


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
        str, typer.Option(help="Names of scores with commas between.", show_default="live, or the paper's own")
    ] = "",
    temperatures: Annotated[
        str | None, typer.Option(metavar="T,T,...", help="A frontier over conditions that differ in temperature.")
    ] = None,
    gate: Annotated[float, typer.Option(min=1, max=5, help="Least judged quality that passes the gate.")] = 3.0,
    judge: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose judgments.", show_default="who judged the most")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            help="How texts become words: workbench or paper.", show_default="workbench; paper for the paper's data"
        ),
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=1, metavar="N", help="Resamples of the prompts.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples and of the shuffled null.")] = 0,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A sentence-transformers folder, or none.", show_default="the embedded MiniLM"
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help="table, json, csv, md, latex or html.")
    ] = "table",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write it there, as its ending says where --format does not."
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write every figure there, as PNG and as SVG.")
    ] = None,
    db: Db = None,
) -> None:
    """Report on a session: scores with their intervals, judgments, counts, and an investigation."""
    from alignbench.reports.writing import written
    from alignbench.store import Store

    form = _one_of("--format", form, FORMATS)
    with Store.open(existing_database(db)) as store:
        made = report_of(
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
        if output is not None:
            write_report(store, made, output, None if form == "table" else form)
        elif form != "table":
            sys.stdout.write(written(store, made, form))
    if form == "table" and output is None:
        _print(made)
    if figures is not None:
        _write_figures(made, figures)


def report_of(
    store: Store,
    session: int,
    *,
    investigation: str | None = None,
    temperatures: str | None = None,
    metrics: str = "",
    mode: str | None = None,
    embedder: str | None = None,
    **options: Any,
) -> Report:
    """A session's report, with what it does not say as the experiment file or the session has it."""
    from alignbench.reports.frontier import parse_temperatures
    from alignbench.reports.options import INVESTIGATIONS, session_options

    kind: Investigation | None = None
    if investigation is not None or temperatures is not None:
        kind = _one_of("--investigation", investigation or "diversity", INVESTIGATIONS)
    asked = session_options(
        store,
        session,
        metrics=[name.strip() for name in metrics.split(",") if name.strip()],
        mode=_mode(store, session, mode),
        investigation=kind,
        temperatures=parse_temperatures(temperatures) if temperatures else (),
        **options,
    )
    return _with_embeddings(store, session, asked, embedder)


def _mode(store: Store, session: int, wanted: str | None) -> WordMode:
    from alignbench.metrics.paper import paper_mode
    from alignbench.metrics.values import WORKBENCH
    from alignbench.reports.options import session_mode

    if wanted is not None:
        return paper_mode() if _one_of("--mode", wanted, ("workbench", "paper")) == "paper" else WORKBENCH
    mode, why_not = session_mode(store, session)
    if why_not:
        print(f"words are not counted as in the paper: {why_not}", file=sys.stderr)
    return mode


def write_report(store: Store, report: Report, path: Path, form: str | None = None) -> None:
    """Write a report to a file; without a form, in that of its ending."""
    from alignbench.reports.writing import form_of, written

    text = written(store, report, form or form_of(path))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AlignbenchError(f"{path} cannot be written: {error.strerror or error}.") from None
    print(f"wrote {path}", file=sys.stderr)


def _write_figures(report: Report, folder: Path) -> None:
    from alignbench.reports.figures import write_figures  # not before it is used: it loads matplotlib

    for path in write_figures(report, folder):
        print(f"wrote {path}", file=sys.stderr)


def _with_embeddings(store: Store, session: int, options: Options, embedder: str | None) -> Report:
    """The report with what embeddings it needs, and progress on stderr."""
    from alignbench.cli.progress import ProgressBar
    from alignbench.engines.embedder import DEFAULT_EMBEDDER
    from alignbench.reports.report import build_report
    from alignbench.scoring.embedding_cache import Embeddings

    needs = options.needs
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
        with ProgressBar() as progress:
            report = build_report(store, session, options, embeddings, of_sentences, progress)
        return replace(report, meta=replace(report.meta, embedder=used))


def _print(report: Report) -> None:
    from alignbench.cli.tables import print_table
    from alignbench.display import visible
    from alignbench.reports.sections import listed, sections

    for section in listed(sections(report)):
        print(f"\n{visible(section.title)}")
        if section.columns:
            print_table(section.columns, section.lines)
        for note in section.notes:
            print(f"- {visible(note)}")


def _one_of(option: str, value: str, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        near = did_you_mean(value, choices)
        raise InputError(f"{option} is {value!r}; expected {' or '.join(choices)}. {near}".rstrip())
    return value
