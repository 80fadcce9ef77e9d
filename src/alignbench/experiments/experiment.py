"""Experiment files: what is asked of which models, and what is made of the answers.

name = "quick"                     # the session's; left out: the file's
n = 5                              # samples a cell
seed = 0                           # sample i is drawn with seed + i
mode = "strict"                    # or fast
reference = "demo-aligned"         # the condition the others are compared with; left out: the first aligned one
floor = "demo-base"                # the zero-shot condition; left out: the only base model's

[prompts]
sets = ["open-ended"]              # names of sets that ship
files = ["my.csv"]                 # seen from this file
limit = 10                         # of all of them together
seed = 0                           # which ones the limit leaves, at random; left out: the first

[models]
base = "demo-base"                 # names for use below; a name or a reference works below without it too

[sampling]                         # for every condition
temperature = 0.7
max_tokens = 64

[[conditions]]
name = "greedy"                    # left out: the model's name
model = "demo-aligned"
seed = 100                         # in place of the file's
sampling = { temperature = 0 }     # beside and before the file's

[cross]                            # every model at every temperature
models = ["demo-base", "demo-aligned"]
temperatures = [0.3, 1.0]

[scores]
metrics = ["live"]                 # what `alignbench run` computes at its end; see `alignbench metrics`

[output]
report = "quick.md"                # written at the end, seen from the current folder: .json, .csv or .md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import numpy as np

from alignbench import paths
from alignbench.errors import InputError, did_you_mean
from alignbench.experiments.toml_table import Table, read_toml
from alignbench.models import resolve
from alignbench.prompts import load_prompts
from alignbench.spec import DEFAULT_SAMPLES, Condition, Mode, Model, Prompt, Sampling

_SAMPLING = tuple(field.name for field in fields(Sampling))
_MODES = ("strict", "fast")


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment file, checked and resolved.

    reference, floor: names of conditions, None without one. metrics: names as `alignbench score --metrics` takes them.
    report: where one is written at the end, None for nowhere.
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


def experiment_path(name_or_path: str) -> Path:
    """The file of a path, or of the name of an experiment that ships."""
    path = Path(name_or_path).expanduser()
    shipped = paths.shipped_prompts() / "experiments" / f"{name_or_path}.toml"
    return shipped if not path.exists() and shipped.is_file() else path


def read_experiment(path: Path) -> Experiment:
    """Read and check the whole file. InputError names file and field, and says what was expected."""
    top = read_toml(path)
    n = top.whole("n", DEFAULT_SAMPLES, least=1)
    prompts = _prompts(top.table("prompts"), path.parent)
    conditions = _conditions(top)
    reference = _known(top, "reference", conditions, [c for c in conditions if c.model.kind == "aligned"][:1])
    floor = _known(top, "floor", conditions, [c for c in conditions if c.model.kind == "base"])
    scores, output = top.table("scores"), top.table("output")
    experiment = Experiment(
        name=top.text("name", path.stem),
        path=path.resolve(),
        n=n,
        prompts=prompts,
        conditions=conditions,
        reference=reference,
        floor=floor,
        metrics=_metrics(scores),
        report=Path(output.text("report")) if "report" in output else None,
    )
    for table in (scores, output, top):
        table.done()
    return experiment


def _prompts(table: Table, folder: Path) -> tuple[Prompt, ...]:
    names = (*table.texts("sets"), *(str(folder / file) for file in table.texts("files")))
    limit = table.whole("limit", 0, least=1) if "limit" in table else None
    seed = table.whole("seed", 0, least=0) if "seed" in table else None
    table.done()
    if not names:
        raise InputError(f'{table.where}: no prompts; expected sets = ["open-ended"] or files = ["my.jsonl"].')
    found: dict[str, Prompt] = {}
    for name in names:
        for prompt in load_prompts(name):
            other = found.setdefault(prompt.id, prompt)
            if other.text != prompt.text:
                raise InputError(f"{table.where}: the id {prompt.id!r} comes in two sets; expected it in one.")
    prompts = list(found.values())
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(prompts))[:limit]
        prompts = [prompts[i] for i in sorted(order)]
    return tuple(prompts[:limit])


def _conditions(top: Table) -> tuple[Condition, ...]:
    """Those that are written out, then the cross product."""
    models = dict(top.table("models").items())
    shared = top.table("sampling")
    sampling = _sampling(shared, {})
    seed = top.whole("seed", 0, least=0)
    mode = cast(Mode, top.one_of("mode", _MODES, "strict"))
    common = sampling, seed, mode
    found = [_condition(table, models, common) for table in top.tables("conditions")]
    if "cross" in top:
        found += _cross(top.table("cross"), models, common)
    if not found:
        raise InputError(f"{top.where}: no conditions; expected [[conditions]] with a model, or [cross] with models.")
    names = [condition.name for condition in found]
    hashes = [condition.hash for condition in found]
    for i, condition in enumerate(found):
        if names.index(condition.name) != i:
            raise InputError(f"{top.where}: two conditions are called {condition.name!r}; give one a name of its own.")
        if (first := hashes.index(condition.hash)) != i:
            raise InputError(
                f"{top.where}: {names[first]!r} and {condition.name!r} are the same condition; change its model, "
                "seed or sampling, or leave one out."
            )
    return tuple(found)


_Common = tuple[dict[str, Any], int, Mode]  # sampling, seed, mode of the file


def _condition(table: Table, models: dict[str, str], common: _Common) -> Condition:
    sampling, seed, mode = common
    model = _model(table, table.text("model"), models)
    condition = Condition.zero_shot(
        model,
        name=table.text("name", model.name),
        sampling=_checked(table, _sampling(table.table("sampling"), sampling)),
        seed=table.whole("seed", seed, least=0),
        mode=mode,
    )
    table.done()
    return condition


def _cross(table: Table, models: dict[str, str], common: _Common) -> list[Condition]:
    sampling, seed, mode = common
    names, temperatures = table.texts("models"), table.numbers("temperatures")
    table.done()
    if not names:
        raise InputError(f"{table.where}: no models; expected a list of names or references.")
    return [
        Condition.zero_shot(
            model,
            name=model.name if temperature is None else f"{model.name}@temp{temperature:g}",
            sampling=_checked(table, sampling if temperature is None else {**sampling, "temperature": temperature}),
            seed=seed,
            mode=mode,
        )
        for model in (_model(table, name, models) for name in names)
        for temperature in temperatures or (None,)
    ]


def _model(table: Table, name: str, models: dict[str, str]) -> Model:
    """A model under the name that this file gives it, or as the rest of the program knows it."""
    try:
        found = resolve(models.get(name, name))
    except InputError as error:
        raise InputError(f"{table.where}, model: {error}") from None
    return Model(name, found.reference, found.kind, found.options) if name in models else found


def _sampling(table: Table, shared: dict[str, Any]) -> dict[str, Any]:
    found = {**shared, **table.rest(_SAMPLING)}
    table.done()
    return found


def _checked(table: Table, values: dict[str, Any]) -> Sampling:
    """Sampling parameters of the right types; `Sampling` itself checks their ranges."""
    default = Sampling()
    given = dict(values)
    for name, value in given.items():
        if name == "stop":
            if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
                raise InputError(f"{table.where}, sampling: stop is {value!r}; expected a list of texts.")
            given[name] = tuple(value)
        elif isinstance(getattr(default, name), int):
            if isinstance(value, bool) or not isinstance(value, int):
                raise InputError(f"{table.where}, sampling: {name} is {value!r}; expected a whole number.")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{table.where}, sampling: {name} is {value!r}; expected a number.")
        else:
            given[name] = float(value)
    try:
        return Sampling(**given)
    except InputError as error:
        raise InputError(f"{table.where}, sampling: {error}") from None


def _known(top: Table, key: str, conditions: Sequence[Condition], default: Sequence[Condition]) -> str | None:
    """The condition that the file names, else that of the default where it is exactly one."""
    names = [condition.name for condition in conditions]
    if key not in top:
        return default[0].name if len(default) == 1 else None
    name = top.text(key)
    if name not in names:
        raise InputError(f"{top.where}: {key} is {name!r}, which is no condition here. {did_you_mean(name, names)}")
    return name


def _metrics(scores: Table) -> tuple[str, ...]:
    from alignbench.scores.registry import METRICS

    names = scores.texts("metrics") or ("live",)
    for name in names:
        if name not in METRICS and name not in ("live", "all"):
            near = did_you_mean(name, [*METRICS, "live", "all"])
            raise InputError(f"{scores.where}: there is no score named {name!r}. {near}".rstrip())
    return names
