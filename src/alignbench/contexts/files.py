"""Contexts in TOML: the ones that ship, the user's own files, and tables of experiment files.

`prompts/README.md` describes every key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from alignbench import bounds, paths
from alignbench.contexts.example_files import (
    example_of,
    read_examples,
    shipped_example_set,
    shipped_example_sets,
)
from alignbench.contexts.hints import hint_template
from alignbench.errors import InputError, did_you_mean
from alignbench.parsing import parse_toml
from alignbench.spec import (
    Context,
    Draw,
    EmbedderPrompt,
    Examples,
    ExampleSet,
    Hint,
    Level,
    Order,
    Overflow,
    Prefill,
    Select,
)
from alignbench.textfiles import home_expanded, read_utf8
from alignbench.toml_table import TomlTable

_SUFFIXES = (".jsonl", ".csv", ".txt")


class Sets(Protocol):
    """A source of the example sets of a database."""

    def named(self, name: str) -> ExampleSet | None:
        """A set that is kept under a name or a hash; None where there is none."""

    def of_session(self, session: str | int, condition: str, sample: int) -> ExampleSet:
        """A sample of a condition of a session, as the example of each of its prompts. Raises InputError."""


class NoSets:
    """The source without a database."""

    def named(self, _: str) -> ExampleSet | None:
        return None

    def of_session(self, session: str | int, _condition: str, _sample: int) -> ExampleSet:
        raise InputError(f"There is no session {session!r}: no database is in use. Name one with --db.")


def shipped_contexts() -> list[str]:
    """Names of the contexts that ship, in alphabetical order."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def load_context(name_or_path: str, sets: Sets | None = None) -> Context:
    """A context that ships (by name) or of a TOML file (by path). A shipped name wins over a file of that name.

    sets: of the database, for contexts that name a set or a session in it. Raises InputError, naming file, field and
    what was expected.
    """
    path = context_path(name_or_path)
    text = read_utf8(path)
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise InputError(f"{path}: not TOML: {error}.") from None
    return read_context(values, str(path), path.parent, sets, name=path.stem)


def context_path(name_or_path: str) -> Path:
    """The file of a shipped context, or of a path. InputError, with the nearest names, where there is neither."""
    if name_or_path in shipped_contexts():
        return _folder() / f"{name_or_path}.toml"
    path = home_expanded(name_or_path)
    if name_or_path.strip() and path.is_file():
        return path
    near = did_you_mean(path.stem, shipped_contexts())
    raise InputError(f"There is no context or file {name_or_path!r}. {near}".rstrip())


def read_context(
    values: Mapping[str, Any], where: str, folder: Path, sets: Sets | None = None, *, name: str = ""
) -> Context:
    """The context of a TOML table.

    Args:
        where: what messages call the file
        folder: where its relative paths begin
        name: used where the table has none
    """
    table = TomlTable(values, where)
    template, source = _template(table, folder)
    context = Context(
        template=template,
        name=table.text("name", name),
        instruction=_text_or_file(table, "instruction", folder).strip(),
        examples=_examples(table.table("examples"), folder, sets or NoSets()),
        hint=_hint(table.table("hint"), folder),
        prefill=_prefill(table.table("prefill")),
        source=source,
        stops=table.texts("stop"),
        arguments=_arguments(table),
        overflow=table.choice("overflow", Overflow, "drop"),
        thinking_end=table.text("thinking_end"),
        verbalized=table.integer("verbalized", 0, bounds.VERBALIZED),
    )
    _check_example_hints(table, context)
    if context.verbalized and (context.prefill or context.writes_first):
        raise table.error(
            "verbalized", context.verbalized, "no prefill, no thinking_end and no hint that is written first"
        )
    table.finish()
    return context


def _check_example_hints(table: TomlTable, context: Context) -> None:
    """Hints of examples need a hint of the query, whose level they have, and somebody who makes them."""
    examples, hint = context.examples, context.hint
    written = hint is not None and not hint.condition
    if examples is None or not examples.hints:
        if hint is not None and written and hint.maker:
            raise table.error("hint.maker", hint.maker, "none: the hint is not made, and no hints of examples are")
        return
    if hint is None or (written and hint.level == "free"):
        raise table.error("examples.hints", True, "false, or a hint beside it whose level has a template")
    if not (hint.maker or examples.condition):
        raise InputError(f"{table.where}, field {table.name('hint.maker')}: missing; expected who makes the hints.")


def read_hint(values: Mapping[str, Any], where: str) -> Hint:
    """A hint as the [hint] table of a context describes it; relative paths begin at the current folder."""
    hint = _hint(TomlTable(values, where), Path())
    assert hint is not None
    return hint


def _template(table: TomlTable, folder: Path) -> tuple[str, str]:
    template = table.text("template")
    if template in ("plain", "chat"):
        return template, ""
    if not template.endswith(".jinja"):
        near = did_you_mean(template, ("plain", "chat")) if template else ""
        more = f" {near}" if near.startswith("Did") else ""
        raise table.error("template", template, "plain, chat or a .jinja file", more)
    return template, read_utf8(folder / home_expanded(template))


def _text_or_file(table: TomlTable, key: str, folder: Path) -> str:
    value = table.raw(key)
    if value is None or isinstance(value, str):
        return value or ""
    file = value.get("file") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(file, str):
        raise table.error(key, value, 'a text or { file = "..." }')
    return read_utf8(folder / home_expanded(file))


def _arguments(table: TomlTable) -> str:
    value = table.raw("arguments")
    if value is None:
        return ""
    if isinstance(value, dict) and "messages" in value:
        raise table.error("arguments.messages", value["messages"], "another name: the messages are those of the prompt")
    try:
        if isinstance(value, dict):  # the order of variables is nothing; that in a variable a template may write
            return json.dumps({name: value[name] for name in sorted(value)})
        return _refuse(table, value)
    except TypeError:  # TOML has dates, JSON has none
        return _refuse(table, value)


def _refuse(table: TomlTable, value: object) -> str:
    raise table.error("arguments", value, "a table of texts, numbers, true and false")


# Examples


def _examples(table: TomlTable | None, folder: Path, sets: Sets) -> Examples | None:
    if table is None:
        return None
    sample = table.integer("sample", 0, bounds.SAMPLE)
    pool, condition = _pool(table, folder, sets, sample)
    select: Select = table.choice("select", Select, "fixed")
    k = table.integer("k", 0, bounds.EXAMPLES) or None
    order: Order = table.choice("order", Order, "given")
    nearest = select.startswith("nearest")
    embedded = Examples(select=select).embedded
    mmr = table.fraction("mmr", None)
    draw: Draw = table.choice("draw", Draw, "prompt")
    teacher = table.text("teacher")
    if k is None and select != "fixed":
        raise InputError(f"{table.where}, field {table.name('k')}: missing; expected a number with {select}.")
    for key, given, allowed, whom in (
        ("order", order.startswith("similar"), nearest, "nearest-prompt, nearest-response or nearest-format"),
        ("mmr", mmr is not None, nearest, "nearest-prompt, nearest-response or nearest-format"),
        ("embedder", "embedder" in table, embedded, "nearest-prompt or nearest-response"),
        ("embedder_prompt", "embedder_prompt" in table, embedded, "nearest-prompt or nearest-response"),
        ("draw", "draw" in table, select == "random", "random"),
        ("teacher", bool(teacher), Examples(select=select).by_response, "nearest-response or nearest-format"),
    ):
        if given and not allowed:
            raise InputError(f"{table.where}, field {table.name(key)}: expected only with select = {whom}.")
    if pool.items and k is not None and len(pool.items) < k:
        raise InputError(
            f"{table.where}, field {table.name('k')}: {k}, but {pool.name or 'the set'} has {len(pool.items)} examples."
        )
    examples = Examples(
        pool=pool,
        condition=condition,
        select=select,
        k=k,
        seed=table.integer("seed", 0, bounds.SEED),
        order=order,
        draw=draw,
        mmr=mmr,
        near_duplicate=table.fraction("near_duplicate", None) or Examples().near_duplicate,
        teacher=teacher,
        sample=sample,
        embedder=_embedder(table, folder),
        embedder_prompt=_embedder_prompt(table),
        hints=table.flag("hints"),
    )
    table.finish()
    return examples


def _pool(table: TomlTable, folder: Path, sets: Sets, sample: int) -> tuple[ExampleSet, str]:
    """The set that examples are taken from, or the condition of the same session whose samples they are."""
    items = table.tables("items")
    value = table.raw("set")
    if (items is None) == (value is None):
        raise InputError(f"{table.where}, field {table.name('set')}: expected either set or [[{table.name('items')}]].")
    if items is not None:
        where = f"{table.where}, {table.name('items')}"
        return ExampleSet(tuple(example_of(item, f"{where} {i}") for i, item in enumerate(items, start=1))), ""
    if isinstance(value, str):
        return _named_set(table, value, folder, sets), ""
    if not isinstance(value, dict):
        raise table.error("set", value, 'a name, a file or { session = 1, condition = "..." }')
    source = TomlTable(value, table.where, table.name("set"))
    condition = source.text("condition")
    session = source.raw("session")
    if not condition:
        raise InputError(f"{table.where}, field {source.name('condition')}: missing; expected a condition's name.")
    if session is not None and (isinstance(session, bool) or not isinstance(session, (str, int))):
        raise source.error("session", session, "a session's number or name")
    source.finish()
    if session is None:
        return ExampleSet(), condition
    return sets.of_session(session, condition, sample), ""


def _named_set(table: TomlTable, name: str, folder: Path, sets: Sets) -> ExampleSet:
    path = folder / home_expanded(name)
    if path.suffix.lower() in _SUFFIXES:
        return read_examples(path)
    if name in shipped_example_sets():
        return shipped_example_set(name)
    examples = sets.named(name)
    if examples is None:
        near = did_you_mean(name, shipped_example_sets())
        raise table.error("set", name, "the name of an example set or a file", f" {near}".rstrip())
    return examples


def _embedder(table: TomlTable, folder: Path) -> str:
    name = table.text("embedder")
    if name and not (path := folder / home_expanded(name)).is_dir():
        raise table.error("embedder", name, "a folder with a sentence-transformers model")
    return str(path.resolve()) if name else ""


def _embedder_prompt(table: TomlTable) -> EmbedderPrompt | None:
    value = table.raw("embedder_prompt")
    if value is None:
        return None
    if isinstance(value, str):
        return EmbedderPrompt(value, value)
    if not isinstance(value, dict):
        raise table.error("embedder_prompt", value, 'a text or { query = "...", document = "..." }')
    parts = TomlTable(value, table.where, table.name("embedder_prompt"))
    prompt = EmbedderPrompt(parts.text("query"), parts.text("document"))
    parts.finish()
    return prompt


# Hints and prefills


def _hint(table: TomlTable | None, folder: Path) -> Hint | None:
    if table is None:
        return None
    level: Level | None = table.choice("level", Level, None)
    if level is None:
        raise InputError(f"{table.where}, field {table.name('level')}: missing; expected one of keywords to first.")
    text, maker = table.text("text").strip(), table.text("maker")
    condition, sample = _source(table)
    template = _text_or_file(table, "template", folder)
    if level == "first":
        if text or condition or template:
            raise InputError(
                f"{table.where}, hint: level first takes no key but maker: the model writes the hint of the query."
            )
    elif bool(text) == bool(condition):
        raise InputError(f"{table.where}, hint: expected either text or source.")
    elif text and template:
        raise InputError(f"{table.where}, hint: a text takes no template.")
    elif condition and level == "free" and not template:
        raise InputError(f"{table.where}, field {table.name('template')}: missing; level free has none of its own.")
    if condition:
        template = template or hint_template(level)
        maker = maker or condition
    table.finish()
    return Hint(level, text, condition, sample, maker, template)


def _prefill(table: TomlTable | None) -> Prefill | None:
    if table is None:
        return None
    text = table.text("text").strip()
    condition, sample = _source(table)
    tokens = table.integer("tokens", 0, bounds.MAX_TOKENS)
    if bool(text) == bool(condition) or bool(tokens) != bool(condition):
        raise InputError(f"{table.where}, prefill: expected either text, or source and tokens.")
    table.finish()
    return Prefill(text, condition, sample, tokens)


def _source(table: TomlTable) -> tuple[str, int]:
    source = table.table("source")
    if source is None:
        return "", 0
    condition, sample = source.text("condition"), source.integer("sample", 0, bounds.SAMPLE)
    if not condition:
        raise InputError(f"{table.where}, field {source.name('condition')}: missing; expected a condition's name.")
    source.finish()
    return condition, sample


def _folder() -> Path:
    return paths.shipped_prompts() / "contexts"
