"""Options that several commands share, and how an option takes a number."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from alignbench import bounds
from alignbench.bounds import Bound


def number(bound: Bound, name: str, *others: str, **about: Any) -> Any:
    """An option that takes a number in a range; anything else is one line that says what was expected."""
    kind = "<int>" if bound.whole else "<float>"
    return typer.Option(name, *others, parser=_reader(bound, (name, *others)[-1]), **{"metavar": kind, **about})


def session_number(**about: Any) -> Any:
    """An argument that is the number of a session."""
    return typer.Argument(parser=_reader(bounds.SESSION, "the session"), **about)


def _reader(bound: Bound, name: str) -> Callable[[str | float], float]:
    def number(given: str | float) -> float:  # a default is a number already
        return bound.read(name, str(given))

    return number


def _one_database(context: typer.Context, db: Path | None) -> Path | None:
    """Of --db before and after the command, the one that was given; both have to be the same."""
    root = context.find_root()
    before = root.params.get("db")
    if context is root or not _is_given(root.get_parameter_source("db")):
        return db
    if _is_given(context.get_parameter_source("db")) and db != before:
        raise typer.BadParameter(f"it is {before} before the command and {db} after it; expected one file.")
    return before


def _is_given(source: Enum | None) -> bool:
    """Whether an option is on the command line, not in the environment."""
    return source is not None and source.name == "COMMANDLINE"


Db = Annotated[
    Path | None,
    typer.Option(
        "--db",
        envvar="ALIGNBENCH_DB",
        help="The database file.",
        show_default="runs/alignbench.db",
        callback=_one_database,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        help="A named condition, perhaps with a context. Repeat for more.", metavar="NAME=MODEL[,context=FILE]"
    ),
]
Contexts = Annotated[
    list[str] | None,
    typer.Option(help="A context for the base models of --model: a name or a TOML file.", metavar="NAME|FILE"),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Threads = Annotated[
    int | None, number(bounds.THREADS, "--threads", help="CPU threads all models share.", show_default="all cores")
]
PromptField = Annotated[
    str | None,
    typer.Option("--prompt-field", metavar="NAME", help="The field of the file that holds the prompt."),
]
IdField = Annotated[
    str | None, typer.Option("--id-field", metavar="NAME", help="The field of the file that holds its id.")
]
Values = Annotated[
    Path | None,
    typer.Option("--values", metavar="FILE.csv", help="Values for {{ name }} in prompts: one prompt a row."),
]
GpuLayers = Annotated[
    int, number(bounds.GPU_LAYERS, "--gpu-layers", help="Layers llama.cpp puts on a GPU; -1 is all, 0 none.")
]
