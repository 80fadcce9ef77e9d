"""A new experiment file: what is to be decided stands in it, with a word about each."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from alignbench.errors import InputError
from alignbench.experiments.experiment import parse_experiment
from alignbench.models.catalog import resolve
from alignbench.prompts import prompt_source, set_path, shipped_sets
from alignbench.scoring.floor import zero_shot_floor
from alignbench.spec import DEFAULT_SAMPLES, Condition, Sampling
from alignbench.textfiles import home_expanded

_COLUMN = 34  # where comments begin


def experiment_text(path: Path, models: Sequence[str], prompts: str) -> str:
    """The text of an experiment file that `read_experiment` takes. InputError for a name that means nothing.

    Args:
        path: Where it is going to be; paths in it start there.
        models: Names or references, a condition each.
        prompts: A set that ships, a file or a data set, perhaps with its fields.
    """
    references = {}
    conditions: list[Condition] = []
    for written in models:
        model = resolve(written)
        if any(model.name == each.name for each in conditions):
            raise InputError(f"Two conditions would be called {model.name!r}; expected each model once.")
        if ":" in written or "/" in written:
            references[model.name] = model.reference
        conditions.append(Condition.zero_shot(model))
    text = "\n".join(_lines(path, conditions, references, _prompts(path, prompts))) + "\n"
    parse_experiment(text, path)
    return text


def _lines(path: Path, conditions: Sequence[Condition], references: dict[str, str], prompts: str) -> Iterator[str]:
    default = Sampling()
    reference = next((each.name for each in conditions if each.model.kind == "aligned"), None)
    floor = zero_shot_floor(conditions, reference).name
    base = next((each.name for each in conditions if each.model.kind == "base"), None)
    yield from (
        "# An experiment of alignbench. What would be drawn, and about how long it takes:",
        "#",
        f"#   alignbench run {shlex.quote(path.name)} --dry-run",
        "#",
        "# Without --dry-run it is drawn; again is to resume. `alignbench schema experiment` has every key.",
        "",
        _with(f"name = {_toml(path.stem)}", "of the session"),
        _with(f"n = {DEFAULT_SAMPLES}", "samples of each prompt under each condition"),
        _with("seed = 0", "sample i is drawn with seed + i"),
        _of_condition("reference", reference, "the condition that the others are compared with"),
        _of_condition("floor", floor, "the zero-shot condition, from which recovery is measured"),
        "",
        "[prompts]",
        prompts,
        _with("# limit = 10", "only the first, of all together"),
        "",
    )
    if references:
        yield _with("[models]", "names for use below")
        yield from (f"{_toml(name)} = {_toml(reference)}" for name, reference in references.items())
        yield ""
    yield from (
        _with("[sampling]", "of every condition"),
        _with(f"temperature = {default.temperature}", "0 is greedy"),
        _with(f"max_tokens = {default.max_tokens}", "longer responses are cut, and say so"),
        _with(f"# repetition_penalty = {default.repetition_penalty}", "over 1, small base models go round less"),
        "",
    )
    for each in conditions:
        yield from (f"[[conditions]]  # {each.model.kind}", f"model = {_toml(each.name)}", "")
    if base is not None:
        yield from (
            "# The base model with three examples before each prompt. A context is one that ships, or a file.",
            "# [[conditions]]",
            f"# model = {_toml(base)}",
            '# context = "fixed-3"',
            "",
        )
    yield from (
        "# Scores of the report: `alignbench metrics` lists them. Left out, those that are computed while sampling.",
        "# [scores]",
        '# metrics = ["words", "jaccard", "embedding_similarity"]',
        "",
        "# A report at the end, in the form that its ending says: .html, .md, .tex, .csv or .json.",
        "# [output]",
        f"# report = {_toml(f'{path.stem}.html')}",
    )


def _prompts(path: Path, prompts: str) -> str:
    if prompts in shipped_sets():
        return _with(f"sets = [{_toml(prompts)}]", 'sets that ship; files = ["my.csv"] are your own')
    source = prompt_source(prompts)
    if source.is_local:
        file = home_expanded(source.location) if source.is_dataset else set_path(source.location)
        seen = os.path.relpath(file.resolve(), path.resolve().parent)
        source = replace(source, location=f"./{seen}" if source.is_dataset else seen)
    return _with(f"files = [{_toml(str(source))}]", 'seen from this file; sets = ["open-ended"] ship')


def _of_condition(key: str, name: str | None, about: str) -> str:
    return _with(f'# {key} = "..."' if name is None else f"{key} = {_toml(name)}", about)


def _with(line: str, about: str) -> str:
    return f"{line:<{_COLUMN}}# {about}" if len(line) < _COLUMN else f"{line}  # {about}"


def _toml(text: str) -> str:
    """A text in TOML's quotes, which are those of JSON."""
    return json.dumps(text).replace("\x7f", "\\u007f")
