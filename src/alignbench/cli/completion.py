"""What a shell completes: values of options and arguments, on the line where they are typed.

A shell waits for this at every press of Tab: nothing large is imported, no database is brought up to date, nothing is
asked of a server. It never fails: where a file cannot be read, there are no values, and no message.

Values and their descriptions come from files of others too, and typer's script for zsh evaluates what it is given: only
characters that mean nothing to a shell pass.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import typer

PROGRAM = "alignbench"
VARIABLE = "_ALIGNBENCH_COMPLETE"  # in which a shell says what it wants
NOT_UTF8 = "The file that this shell reads at its start is not UTF-8: put there yourself what --show-completion prints."
_NEWEST = 50  # sessions
_VALUE = re.compile(r"[\w.,:=+@%/*-]+", re.ASCII)
_UNSAFE = re.compile(r"[^\w.,;+@%/* ()=-]+")
_OPTION = re.compile(r"\s--[\w-]+=\S*$")  # with its value, which zsh takes for a part of the word
_BREAKS = "=:"  # where bash parts words

Offered = list[tuple[str, str]]
"""Values with what each is, which zsh and fish show beside it."""


def answer(run: Callable[[], object], environment: Mapping[str, str] = os.environ) -> str:
    """What a shell that set `VARIABLE` gets: the completions that `run`, the command, prints; empty where it fails."""
    out = io.StringIO()
    words, at = environment.get("COMP_WORDS"), environment.get("COMP_CWORD", "")
    begun = ""
    if words is not None and at.isdecimal():
        glued, number, begun = joined_words(words.split("\n"), int(at))
        os.environ.update(COMP_WORDS="\n".join(glued), COMP_CWORD=str(number))
    with redirect_stdout(out), redirect_stderr(io.StringIO()), suppress(BaseException):
        run()
    text = "".join(f"{line.removeprefix(begun)}\n" for line in out.getvalue().splitlines() if line)
    in_option = _OPTION.search(environment.get("_TYPER_COMPLETE_ARGS", ""))
    return f"compset -P '*=';{text}" if in_option and text.startswith("_arguments") else text


def joined_words(words: list[str], at: int) -> tuple[list[str], int, str]:
    """The words of a line as they were typed, of those that bash makes of them by parting at `=` and `:`.

    Args:
        words: As in COMP_WORDS.
        at: Which of them is completed.

    Returns:
        The words, which of them is completed, and what stands before the part of it that bash puts a value in place of.
    """
    joined: list[str] = []
    before = word = ""
    for i, word in enumerate(words[: at + 1]):
        continued = i > 1 and (_is_break(word) or (word != "" and _is_break(words[i - 1])))
        before = joined.pop() if continued else ""
        joined.append(before + word)
    begun = before + word if _is_break(word) else before
    return [*joined, *words[at + 1 :]], len(joined) - 1, begun


def _is_break(word: str) -> bool:
    return word != "" and not word.strip(_BREAKS)


def _offering(find: Callable[[str], Iterable[tuple[str, str]]]) -> Callable[[str], Offered]:
    """Those that begin as what was typed, none where they cannot be found."""

    def offered(incomplete: str) -> Offered:
        with suppress(Exception):
            return [
                (value, " ".join(_UNSAFE.sub(" ", about).split()))
                for value, about in find(incomplete)
                if value.startswith(incomplete) and _VALUE.fullmatch(value)
            ]
        return []

    return offered


@_offering
def models(_: str) -> Iterable[tuple[str, str]]:
    """The embedded models, and those of models.toml."""
    from alignbench.models.catalog import model_names

    return [(name, reference if reference != name else "") for name, reference in model_names().items()]


@_offering
def prompt_sets(_: str) -> Iterable[tuple[str, str]]:
    """The prompt sets that ship."""
    from alignbench.prompts import shipped_sets

    return [(name, "") for name in shipped_sets()]


@_offering
def contexts(_: str) -> Iterable[tuple[str, str]]:
    """The contexts that ship."""
    from alignbench.contexts.files import shipped_contexts

    return [(name, "") for name in shipped_contexts()]


@_offering
def context_lists(incomplete: str) -> Iterable[tuple[str, str]]:
    """Contexts with commas between."""
    return _after_comma(incomplete, contexts)


@_offering
def example_sets(_: str) -> Iterable[tuple[str, str]]:
    """The example sets that ship."""
    from alignbench.contexts.example_files import shipped_example_sets

    return [(name, "") for name in shipped_example_sets()]


@_offering
def metrics(incomplete: str) -> Iterable[tuple[str, str]]:
    """Names of metrics with commas between."""
    return _after_comma(incomplete, _metric)


@_offering
def conditions(incomplete: str) -> Iterable[tuple[str, str]]:
    """NAME=MODEL[,context=FILE]: its model, then its context."""
    name, is_named, rest = incomplete.partition("=")
    if not is_named:
        return []
    model, is_surrounded, context = rest.partition(",context=")
    if is_surrounded:
        return [(f"{name}={model},context={each}", about) for each, about in contexts(context)]
    return [(f"{name}={each}", about) for each, about in models(model)]


@_offering
def devices(_: str) -> Iterable[tuple[str, str]]:
    """Where a model may be."""
    return [("auto", "a GPU where there is one"), ("cpu", ""), ("cuda", "the first GPU"), ("cuda:0", "")]


def sessions(ctx: typer.Context, incomplete: str) -> Offered:
    """The newest sessions of --db, ALIGNBENCH_DB or the default database, by number."""
    from alignbench.paths import default_database

    given = [each.params.get("db") for each in (ctx, ctx.find_root())]
    path = next((Path(each) for each in given if each), default_database())
    return _offering(lambda _: _sessions(path))(incomplete)


def _sessions(path: Path) -> list[tuple[str, str]]:
    """Not through the store, which takes time to import, waits for locks and brings an old file up to date."""
    import sqlite3

    # Without a log beside it, immutable: else SQLite would make files there.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as connection:
        rows: list[tuple[Any, Any]] = connection.execute(
            "SELECT id, name FROM sessions ORDER BY id DESC LIMIT ?", (_NEWEST,)
        ).fetchall()
    return [(str(id), str(name)) for id, name in rows]


@_offering
def _metric(_: str) -> Iterable[tuple[str, str]]:
    from alignbench.metrics.registry import METRICS

    groups = [("live", "those that are cheap"), ("all", "every one")]
    return [*groups, *((metric.name, metric.meaning) for metric in METRICS.values())]


def _after_comma(incomplete: str, one: Callable[[str], Offered]) -> Iterable[tuple[str, str]]:
    before, comma, last = incomplete.rpartition(",")
    there = before.split(",")
    return [(f"{before}{comma}{value}", about) for value, about in one(last) if value not in there]
