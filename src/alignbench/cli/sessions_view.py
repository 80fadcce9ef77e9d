"""How a session looks on stdout: a table, a page, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from alignbench.cli import printing
from alignbench.display import visible
from alignbench.engines.openai.replay import replay_words
from alignbench.json_text import json_text
from alignbench.models.embedded import present_name
from alignbench.prompt_fields import prompt_json
from alignbench.session_diff import SessionDiff
from alignbench.spec import NOT_RECORDED, SETTINGS, Condition, Prompt, Sampling, written_setting
from alignbench.store import Note, SampleRow, SessionInfo, Store


def to_json(value: SessionInfo) -> str:
    """One line of JSON for a session."""
    return json_text(asdict(value))


def _prompt_json(prompt: Prompt) -> dict[str, Any]:
    return {"id": prompt.id, "text": prompt.text, "set": prompt.set, **prompt_json(prompt)}


def session_json(store: Store, session_id: int) -> str:
    """A session and everything in it as one JSON object, texts exact."""
    session = store.session(session_id)
    masses = [asdict(one) for one in store.option_masses(session_id)]
    return json_text(
        {
            "session": asdict(session) | {"manifest": store.manifest(session_id)},
            "prompts": [_prompt_json(prompt) for prompt in store.prompts(session_id)],
            "conditions": [_condition_json(c) for c in store.conditions(session_id)],
            "cells": [asdict(cell) | {"rendered": store.rendered(cell.id)} for cell in store.cells(session_id)],
            **({"option_masses": masses} if masses else {}),
            "notes": [asdict(note) for note in store.notes(session_id)],
            "samples": [asdict(row) for row in store.samples(session_id)],
        }
    )


def print_table(sessions: Sequence[SessionInfo]) -> None:
    """The sessions as a table; with their tags where one has any."""
    tagged = any(session.tags for session in sessions)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    headings = ("id", "created", "name", "models", *(("tags",) if tagged else ()), "prompts", "samples", "errors")
    for heading in headings:
        number = heading in ("id", "prompts", "samples", "errors")
        table.add_column(heading, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for session in sessions:
        cells = (
            session.id,
            _minute(session.created),
            _line(session.name),
            ", ".join(map(_line, session.models)),
            *((", ".join(map(_line, session.tags)),) if tagged else ()),
            session.n_prompts,
            session.n_samples,
            session.n_errors,
        )
        table.add_row(*(Text(str(cell)) for cell in cells))
    printing.console(wide=True).print(table)


def print_diff(diff: SessionDiff) -> None:
    """What differs between two sessions, line by line."""
    from alignbench.cli import tables

    tables.print_table(diff.columns, diff.rows)


def print_session(store: Store, session_id: int) -> None:
    """A session as a page to read."""
    console = printing.console()
    session, conditions = store.session(session_id), store.conditions(session_id)
    _print_header(console, session, conditions, store.manifest(session_id).get("loaded", {}))
    _print_notes(console, store.notes(session_id))
    by_cell: dict[tuple[str, str], list[SampleRow]] = {}
    for row in store.samples(session_id):
        by_cell.setdefault((row.prompt_id, row.condition), []).append(row)
    for prompt in store.prompts(session_id):
        console.print()
        console.rule(Text(_line(prompt.id), "bold"), align="left")
        console.print(Text(visible(prompt.shown)))
        for condition in conditions:
            rows = by_cell.get((prompt.id, condition.name))
            if rows:
                console.print()
                console.print(Text(_line(condition.name), "bold"))
                _print_samples(console, rows)


def _print_header(
    console: printing.Console, session: SessionInfo, conditions: Sequence[Condition], loaded: Mapping[str, Any]
) -> None:
    console.print(Text(f"Session {session.id}: {_line(session.name)}", "bold"))
    facts = {
        "created": _minute(session.created),
        "models": ", ".join(map(_line, session.models)) or "none yet",
        "reference": "none" if session.reference is None else _line(session.reference),
        **({"tags": ", ".join(map(_line, session.tags))} if session.tags else {}),
        "samples": f"{session.n_samples} done" + (f", {session.n_errors} failed" if session.n_errors else ""),
    }
    for name, fact in facts.items():
        _print_indented(console, Text(f"{name:<10} {fact}"), 2)
    for condition in conditions:
        console.print()
        _print_indented(console, Text(_line(condition.name), "bold"), 2)
        reference = condition.model.reference
        now = "" if present_name(reference) == reference else f", now {present_name(reference)}"
        model = f"{_line(reference)}{_line(now)} ({condition.model.kind})"
        _print_indented(console, Text(f"{model}, {_line(condition.context.template)} template"), 4)
        _print_indented(console, Text(_sampling(condition)), 4)
        if words := replay_words(reference, loaded.get(reference, {})):
            _print_indented(console, Text(f"seeds of this server: {words}"), 4)


def _print_notes(console: printing.Console, notes: Iterable[Note]) -> None:
    for note in notes:
        console.print()
        _print_indented(console, Text(f"Note, {_minute(note.created)}"), 2)
        _print_indented(console, Text(visible(note.text)), 4)


def _print_samples(console: printing.Console, rows: Iterable[SampleRow]) -> None:
    for row in rows:
        mark = _mark(row)
        _print_indented(console, Text(f"[{row.sample}]" + (f" {mark}" if mark else "")), 2)
        if row.text:
            _print_indented(console, Text(visible(row.text)), 4)
        if row.note:
            _print_indented(console, Text(f"({visible(row.note)})"), 4)


def _mark(row: SampleRow) -> str:
    """What a reader should know about a sample that did not end by itself."""
    if row.status == "error":
        return f"error: {visible(row.error or 'unknown')}"
    if row.status == "cancelled":
        return "cancelled" if row.text else "cancelled before its first token"
    if row.finish_reason == "length":
        spent = None if row.n_tokens is None else row.n_tokens + (row.n_thinking_tokens or 0)
        mark = "cut" if spent is None else f"cut at {spent} tok"
        return mark if row.text or not row.thinking else f"{mark}, in its thoughts"
    return "refused" if row.refused else "" if row.text else "empty"


def _sampling(condition: Condition) -> str:
    """Temperature and max_tokens, what differs from the default, seed and mode."""
    if condition.unrecorded.issuperset(SETTINGS):
        return f"sampling parameters {NOT_RECORDED}"
    shown = {name: visible(written_setting(value)) for name, value in condition.settings.items()}
    always = ("temperature", "max_tokens")
    defaults = asdict(Sampling())
    parts = [
        f"{name} {shown[name]}"
        for name, default in defaults.items()
        if name in always or condition.settings[name] != default
    ]
    mode = "mode not recorded" if "mode" in condition.unrecorded else shown["mode"]
    return ", ".join([*parts, f"seed {shown['seed']}", mode])


def _condition_json(condition: Condition) -> dict[str, Any]:
    """A setting that nobody recorded is null."""
    settings = condition.settings
    own = {"seed": settings.pop("seed"), "mode": settings.pop("mode")}
    values = {**asdict(condition), **own, "sampling": settings, "hash": condition.hash}
    values.pop("unrecorded")
    return values


def _print_indented(console: printing.Console, text: Text, columns: int) -> None:
    """Wrapped and indented, without the trailing spaces that Padding would leave in what people copy."""
    for line in text.wrap(console, max(console.width - columns, 1), overflow="fold"):
        line.rstrip()
        console.print(Text(" " * columns if line.plain else "").append_text(line))


def _line(text: str) -> str:
    """A name on one line."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def _minute(created: str) -> str:
    """A stored time, to the minute, as it is stored: in UTC."""
    return f"{created[:16].replace('T', ' ')} UTC"
