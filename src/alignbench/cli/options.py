"""Options that several commands share, and how an option takes a number."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from alignbench import bounds
from alignbench.bounds import Bound
from alignbench.cli import completion


def number(bound: Bound, name: str, *others: str, **about: Any) -> Any:
    """An option that takes a number in a range; anything else is one line that says what was expected."""
    kind = "<int>" if bound.whole else "<float>"
    return typer.Option(name, *others, parser=_reader(bound, (name, *others)[-1]), **{"metavar": kind, **about})


def session_number(**about: Any) -> Any:
    """The argument SESSION, a number."""
    words = {"metavar": "SESSION", "help": "A session's number, as `alignbench sessions list` shows it."}
    reader = _reader(bounds.SESSION, "the session")
    return typer.Argument(parser=reader, autocompletion=completion.sessions, **{**words, **about})


def model_option(*names: str, **about: Any) -> Any:
    """An option that takes a model by its name or its reference."""
    return typer.Option(*names, **{"metavar": "MODEL", "autocompletion": completion.models, **about})


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


def _show_traffic(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from alignbench.cli.traffic_view import show_traffic

        context.call_on_close(show_traffic())


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
Verbose = Annotated[
    bool,
    typer.Option(
        "-v", "--verbose", callback=_show_traffic, help="Show on stderr what servers are sent, and how they answer."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        help="A named condition, perhaps with a context. Repeat for more.",
        metavar="NAME=MODEL[,context=FILE]",
        autocompletion=completion.conditions,
    ),
]
Contexts = Annotated[
    list[str] | None,
    typer.Option(
        help="A context for the base models of --model: a name or a TOML file.",
        metavar="NAME|FILE",
        autocompletion=completion.contexts,
    ),
]
Models = Annotated[
    list[str] | None,
    model_option("--model", help="A model: a name or a reference (llama:/path.gguf). Repeat for more."),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.", autocompletion=completion.devices)]
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
SessionArgument = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="A session's number, as `alignbench sessions list` shows it, or its name.",
        autocompletion=completion.sessions,
    ),
]
