"""Experiment files: which prompts, models and contexts, and what is made of the responses. See `prompts/README.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from alignbench import bounds, paths
from alignbench.contexts.files import Sets, load_context, read_context
from alignbench.contexts.source_samples import unknown_conditions
from alignbench.errors import InputError, did_you_mean
from alignbench.experiments.revisions import at_revision, with_revision_in_name
from alignbench.metrics.registry import METRICS
from alignbench.models.catalog import resolve
from alignbench.own_metrics.registration import is_own, known_names, registered
from alignbench.parsing import parse_toml
from alignbench.prompt_files.source import PromptSource, source_in
from alignbench.prompts import each_once, load_prompts
from alignbench.scoring.floor import zero_shot_floor
from alignbench.spec import (
    DEFAULT_SAMPLES,
    SAMPLING_BOUNDS,
    Condition,
    Context,
    Mode,
    Model,
    Prompt,
    Sampling,
    default_context,
)
from alignbench.textfiles import home_expanded, read_utf8
from alignbench.toml_table import TomlTable

REPORTS = (".json", ".csv", ".md", ".tex", ".html")  # kinds of files a report can be

_SAMPLING = tuple(field.name for field in fields(Sampling))


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment file, checked and resolved.

    Attributes:
        reference, floor: names of conditions, None without one
        metrics: names of scores, or live, or all; empty for a report's own
        report: where one is written at the end, None for nowhere
        ladders: names of conditions that are stages of one model, from the first on
    """

    name: str
    path: Path
    n: int
    prompts: tuple[Prompt, ...]
    conditions: tuple[Condition, ...]
    reference: str | None
    floor: str | None
    metrics: tuple[str, ...]
    report: Path | None
    ladders: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the conditions of a file have in common."""

    models: dict[str, str]  # names that the file gives
    sampling: dict[str, Any]
    seed: int
    mode: Mode
    folder: Path  # the file's
    sets: Sets | None


def experiment_path(name_or_path: str) -> Path:
    """The file of a path, or of the name of an experiment that ships."""
    path = home_expanded(name_or_path)
    shipped = paths.shipped_prompts() / "experiments" / f"{name_or_path}.toml"
    return shipped if not path.exists() and shipped.is_file() else path


def read_experiment(path: Path, sets: Sets | None = None) -> Experiment:
    """Read and check the whole file. InputError names file and field, and says what was expected.

    sets: of the database, for contexts that name an example set or a session in it.
    """
    return parse_experiment(read_utf8(path), path, sets)


def parse_experiment(text: str, path: Path, sets: Sets | None = None) -> Experiment:
    """The experiment of a text that is, or will be, in a file; as `read_experiment`."""
    try:
        top = TomlTable(parse_toml(text), str(path))
    except ValueError as error:
        raise InputError(f"{path}: not TOML: {error}.") from None
    conditions, ladders = _conditions(top, path, sets)
    reference = _known(top, "reference", conditions, [c for c in conditions if c.model.kind == "aligned"][:1])
    scores, output = top.table("scores"), top.table("output")
    experiment = Experiment(
        name=top.text("name", path.stem),
        path=path.resolve(),
        n=top.integer("n", DEFAULT_SAMPLES, bounds.SAMPLES),
        prompts=_prompts(top, path.parent),
        conditions=conditions,
        reference=reference,
        floor=_known(top, "floor", conditions, ()) or zero_shot_floor(conditions, reference).name,
        metrics=_metrics(scores, path),
        report=_report(output),
        ladders=ladders,
    )
    for table in (scores, output, top):
        if table is not None:
            table.finish()
    known = [condition.name for condition in conditions]
    if unknown := unknown_conditions([c.context for c in conditions], experiment.reference, known):
        raise InputError(
            f"{path}: a context is made of samples of {unknown[0]!r}, which is no condition here. "
            f"{did_you_mean(unknown[0], known)}".rstrip()
        )
    return experiment


def _prompts(top: TomlTable, folder: Path) -> tuple[Prompt, ...]:
    table = top.table("prompts")
    names: tuple[str | PromptSource, ...] = ()
    if table is not None:
        names = (*table.texts("sets"), *(source_in(folder, file) for file in table.texts("files")))
    if table is None or not names:
        raise InputError(f'{top.where}: no prompts; expected [prompts] with sets = ["open-ended"] or files.')
    limit = table.integer("limit", 1, bounds.LIMIT) if "limit" in table else None
    seed = table.integer("seed", 0, bounds.SEED) if "seed" in table else None
    table.finish(("limit", "seed"))
    loaded = [prompt for name in names for prompt in load_prompts(name)]
    try:
        prompts = each_once(loaded)
    except InputError as error:
        raise InputError(f"{top.where}: {error}") from None
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(prompts))[:limit]
        prompts = [prompts[i] for i in sorted(order)]
    return tuple(prompts[:limit])


def _conditions(
    top: TomlTable, path: Path, sets: Sets | None
) -> tuple[tuple[Condition, ...], tuple[tuple[str, ...], ...]]:
    """Those that are written out, then the cross product; and which of them are ladders."""
    called = top.table("models")
    models = {} if called is None else {name: called.required(name) for name in called.names()}
    shared = _Shared(
        models,
        _sampling(top, {}),
        top.integer("seed", 0, bounds.SEED),
        top.choice("mode", Mode, "strict"),
        path.parent,
        sets,
    )
    tables = [
        TomlTable(values, str(path), f"conditions[{i}]") for i, values in enumerate(top.tables("conditions") or ())
    ]
    written = [_stages(table, shared) for table in tables]
    conditions = [condition for stages in written for condition in stages]
    if (cross := top.table("cross")) is not None:
        conditions += _cross(cross, shared)
    if not conditions:
        raise InputError(f"{path}: no conditions; expected [[conditions]] with a model, or [cross] with models.")
    _refuse_repeated(path, conditions)
    return tuple(conditions), tuple(tuple(each.name for each in stages) for stages in written if len(stages) > 1)


def _stages(table: TomlTable, shared: _Shared) -> list[Condition]:
    """A condition, or one for each stage of a ladder: `revisions` of a model, or `models` in place of it."""
    names, revisions = table.texts("models"), table.texts("revisions")
    if names and ("model" in table or revisions):
        raise table.error("models", list(names), "either models, or one model with revisions")
    if names:
        models = [with_revision_in_name(_model(table, "models", name, shared)) for name in names]
    else:
        name = table.required("model")
        models = [_model(table, "model", name, shared)]
        if revisions:
            bare = ":" in shared.models.get(name, name)
            try:
                models = [at_revision(models[0], each, kind_is_said=not bare) for each in revisions]
            except InputError as error:
                raise InputError(f"{table.where}, field {table.name('revisions')}: {error}") from None
    stages = [_condition(table, model, shared) for model in models]
    table.finish()
    if len(stages) > 1 and (prefix := table.text("name")):
        stages = [replace(each, name=f"{prefix}: {each.model.name}") for each in stages]
    return stages


def _condition(table: TomlTable, model: Model, shared: _Shared) -> Condition:
    written = table.raw("context")
    if isinstance(written, dict):
        context = _written_context(table, written, shared)
    else:
        context = _context(table, "context", table.text("context"), model, shared)
    return Condition(
        name=table.text("name") or _name(model, context),
        model=model,
        context=context,
        sampling=_checked(table, _sampling(table, shared.sampling)),
        seed=table.integer("seed", shared.seed, bounds.SEED),
        mode=shared.mode,
    )


def _cross(table: TomlTable, shared: _Shared) -> list[Condition]:
    """Every model in every context at every temperature; contexts are for base models, an aligned one has its own."""
    names, contexts, temperatures = (
        table.texts("models"),
        table.texts("contexts"),
        table.numbers("temperatures", bounds.TEMPERATURE),
    )
    table.finish()
    if not names:
        raise table.error("models", list(names), "names or references of models")
    conditions = []
    for model in (_model(table, "models", name, shared) for name in names):
        for wanted in contexts if model.kind == "base" and contexts else ("",):
            context = _context(table, "contexts", wanted, model, shared)
            for temperature in temperatures or (None,):
                name, sampling = _name(model, context), dict(shared.sampling)
                if temperature is not None:
                    name, sampling["temperature"] = f"{name}@temp{temperature:g}", temperature
                conditions.append(Condition(name, model, context, _checked(table, sampling), shared.seed, shared.mode))
    return conditions


def _name(model: Model, context: Context) -> str:
    return model.name if context.zero_shot else f"{model.name} + {context.name}"


def _model(table: TomlTable, key: str, name: str, shared: _Shared) -> Model:
    """A model under the name that this file gives it, or as the rest of the program knows it."""
    try:
        model = resolve(shared.models.get(name, name))
    except InputError as error:
        raise InputError(f"{table.where}, field {table.name(key)}: {error}") from None
    return replace(model, name=name) if name in shared.models else model


def _context(table: TomlTable, key: str, wanted: str, model: Model, shared: _Shared) -> Context:
    """A context that ships, or of a file that is looked for beside this one; without one the model's own."""
    if not wanted:
        return default_context(model)
    beside = shared.folder / wanted
    try:
        return load_context(str(beside) if beside.is_file() else wanted, shared.sets)
    except InputError as error:
        raise InputError(f"{table.where}, field {table.name(key)}: {error}") from None


def _written_context(table: TomlTable, written: dict[str, Any], shared: _Shared) -> Context:
    """A context that is written in the file itself. Its maker may have a name that only this file gives."""
    where = f"{table.where}, {table.name('context')}"
    context = read_context(written, where, shared.folder, shared.sets, name=table.text("name"))
    if context.hint is None or context.hint.maker not in shared.models:
        return context
    return replace(context, hint=replace(context.hint, maker=shared.models[context.hint.maker]))


def _sampling(table: TomlTable, shared: dict[str, Any]) -> dict[str, Any]:
    """A table `sampling` beside and before what is shared; a value may be of any type yet."""
    own = table.table("sampling")
    if own is None:
        return shared
    given = {name: own.raw(name) for name in _SAMPLING}
    own.finish()
    return {**shared, **{name: value for name, value in given.items() if value is not None}}


def _checked(table: TomlTable, values: dict[str, Any]) -> Sampling:
    """Sampling parameters of the right types; `Sampling` itself checks their ranges."""
    default = Sampling()
    given = dict(values)
    for name, value in values.items():
        whole = isinstance(getattr(default, name), int)
        if name == "stop":
            if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
                raise table.error("sampling.stop", value, "a list of texts")
            given[name] = tuple(value)
        elif isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise table.error(f"sampling.{name}", value, SAMPLING_BOUNDS[name].expected(value))
        elif not whole:
            given[name] = float(value)
    try:
        return Sampling(**given)
    except InputError as error:
        raise InputError(f"{table.where}, field {table.name('sampling')}: {error}") from None


def _refuse_repeated(path: Path, conditions: Sequence[Condition]) -> None:
    names, hashes = [c.name for c in conditions], [c.hash for c in conditions]
    for i, condition in enumerate(conditions):
        if names.index(condition.name) != i:
            raise InputError(f"{path}: two conditions are called {condition.name!r}; give one a name of its own.")
        if (first := hashes.index(condition.hash)) != i:
            raise InputError(
                f"{path}: {names[first]!r} and {condition.name!r} are the same condition; change its model, context, "
                "seed or sampling, or leave one out."
            )


def _known(top: TomlTable, key: str, conditions: Sequence[Condition], default: Sequence[Condition]) -> str | None:
    """The condition that the file names, else that of the default where it is exactly one."""
    name = top.text(key)
    if not name:
        return default[0].name if len(default) == 1 else None
    names = [condition.name for condition in conditions]
    if name not in names:
        raise top.error(key, name, "the name of a condition", f" {did_you_mean(name, names)}".rstrip())
    return name


def _metrics(scores: TomlTable | None, path: Path) -> tuple[str, ...]:
    """Files of functions are looked for from the experiment's folder, and named by their whole path."""
    names, folder = scores.texts("metrics") if scores is not None else (), path.parent
    for name, known in zip(names, registered(names, folder, f"{path}: scores.metrics"), strict=True):
        if scores is not None and known not in METRICS and known not in ("live", "all"):
            near = f" {did_you_mean(name, [*known_names(), 'live', 'all'])}".rstrip()
            raise scores.error("metrics", name, "names of scores, or live, or all", near)
    return tuple(str((folder / home_expanded(name)).absolute()) if is_own(name) else name for name in names)


def _report(output: TomlTable | None) -> Path | None:
    if output is None:
        return None
    path = Path(output.required("report"))
    if path.suffix not in REPORTS:
        raise output.error("report", str(path), f"a name that ends in {', '.join(REPORTS)}")
    return path
