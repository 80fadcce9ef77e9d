"""Users' functions as scores beside those that ship: by `FILE.py:FUNCTION`, or by the name that a package gives one.

A package names its scores in the entry points of the group `alignbench.metrics`: NAME = "package.module:function".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from alignbench.errors import InputError, did_you_mean
from alignbench.metrics.metric import Metric
from alignbench.metrics.registry import METRICS
from alignbench.own_metrics.declaration import DIRECTIONS, GROUP, Declaration
from alignbench.own_metrics.formulas import formula_of
from alignbench.own_metrics.function import OwnFunction
from alignbench.own_metrics.named_files import is_named, remember
from alignbench.own_metrics.process import MetricProcess
from alignbench.textfiles import home_expanded

ORDER = 2_000  # after all that ship

_FUNCTIONS: dict[str, OwnFunction] = {}  # by score
_LOADING = threading.Lock()


def is_own(name: str) -> bool:
    """Whether a word of `--metrics` names a file's function."""
    file, colon, _ = name.rpartition(":")
    return name.endswith(".py") or (bool(colon) and file.endswith(".py"))


def registered(names: Iterable[str], folder: Path | None = None, where: str = "--metrics") -> list[str]:
    """The names of scores: of each function of a file the name under which it is registered from now on, every other
    word as it is. A function of a package is registered too.

    Args:
        names: As `--metrics` takes them, one each.
        folder: That files are looked for from; None for the current one.
        where: The names are from, for messages.

    Raises:
        InputError: For a file or a function that is not there or cannot be loaded, or that has the name of another
            score.
    """
    return [_registered(name, folder, where) for name in names]


def known_names() -> list[str]:
    """Of the scores that are registered and those that packages offer; no package is loaded."""
    return list(dict.fromkeys([*METRICS, *(point.name for point in _entry_points())]))


def register_installed() -> list[str]:
    """Register all that packages offer; why some could not be, a line each."""
    problems = []
    for point in _entry_points():
        where = f"entry point {point.name} of {GROUP}"
        if point.name in METRICS and not METRICS[point.name].origin:
            problems.append(f"{where}: there is a score of this name that ships; it stays")
            continue
        try:
            _registered(point.name, None, where)
        except InputError as error:
            problems.append(str(error))
    return problems


def failures(names: Iterable[str]) -> list[str]:
    """Of users' functions among these scores, how many calls gave no value, and why; a line each."""
    said = (_FUNCTIONS[name].failures().said(name) for name in names if name in _FUNCTIONS)
    return [line for line in said if line]


def load(name: str) -> str:
    """Have the function of a score that is registered, perhaps as a stand-in, at hand; the score's name.

    InputError where it cannot be had any more, or where a database alone names its file.
    """
    origin = METRICS[name].origin
    source, _, function = origin.rpartition(":")
    if source.endswith(".py"):
        if not is_named(Path(source)):
            raise InputError(f"{name}: {origin} was never named by you on this machine, and is not run before it is.")
        return _load(source, function, name)
    # A database may come from anywhere: of modules only what packages offer as a score is called.
    if (name, origin) not in {(point.name, point.value) for point in _entry_points()}:
        raise InputError(f"{name}: no installed package offers {origin} as a score.")
    return _load(source, function, name, name)


def declared(name: str) -> Declaration:
    """What is known of a user's function that is registered, by the name of its score."""
    return _FUNCTIONS[name].process.declaration


def add_stand_in(name: str, origin: str, version: str, declaration: Declaration) -> None:
    """Register a score whose function cannot be had, so that what is kept of it can be shown; nothing where there is
    one of this name."""
    if name not in METRICS:
        METRICS[name] = _metric(declaration, origin, version, None)


def _registered(name: str, folder: Path | None, where: str) -> str:
    if is_own(name):
        path, _, function = name.rpartition(":") if not name.endswith(".py") else (name, "", "")
        file = home_expanded(path)
        file = (folder / file if folder is not None else file).absolute()
        loaded = _load(str(file), function, where)
        remember(file)
        return loaded
    if name in METRICS and not METRICS[name].origin:
        return name
    for point in _entry_points():
        if point.name == name:
            module, _, function = point.value.partition(":")
            return _load(module.strip(), function.partition("[")[0].strip(), where, point.name)
    return name


def _load(source: str, function: str, where: str, called: str = "") -> str:
    """called: the name of the score where the function does not decide it."""
    origin = f"{source}:{function}"
    with _LOADING:
        for name, known in _FUNCTIONS.items():
            if name in METRICS and METRICS[name].origin == origin and called in ("", name) and _is_current(known):
                return name
        process = MetricProcess(source, function, where)
        declared = process.declaration
        name = called or declared.name
        _refuse_clash(name, origin, where)
        own = OwnFunction(process)
        METRICS[name] = _metric(declared, origin, process.version, own, name)
        if name in _FUNCTIONS:
            _FUNCTIONS[name].process.close()
        _FUNCTIONS[name] = own
    return name


def _is_current(function: OwnFunction) -> bool:
    source = function.process.source
    if not source.endswith(".py"):
        return True
    try:
        return hashlib.sha256(Path(source).read_bytes()).hexdigest()[:12] == function.process.version
    except OSError:
        return False


def _refuse_clash(name: str, origin: str, where: str) -> None:
    if not name.isidentifier():
        raise InputError(f"{where}: {origin}: its name is {name!r}; expected letters, digits and _.")
    other = METRICS.get(name)
    if other is None or other.origin == origin or (other.origin and not other.formula):
        return
    whose = f"one of {other.origin}" if other.origin else "one that ships"
    raise InputError(
        f"{where}: {origin}: there is a score named {name!r} already, {whose}; give this one another name, with "
        f'@alignbench.metric(name="...").'
    )


def _metric(declared: Declaration, origin: str, version: str, own: OwnFunction | None, called: str = "") -> Metric:
    pair = declared.of == "pair"
    shown = origin if ".py:" not in origin else f"{Path(origin.rpartition(':')[0]).name}:{origin.rpartition(':')[2]}"
    embeddings = "embeddings" in declared.needs
    return Metric(
        name=called or declared.name,
        title=declared.title,
        meaning=declared.meaning or f"A score of your own, {declared.name}.",
        scope=("within", "cross") if pair else ("within",),
        low=declared.low,
        high=declared.high,
        more_diverse=DIRECTIONS[declared.direction],
        source=f"{shown}, version {version}",
        version=version,
        needs=("embeddings",) if embeddings else ("text",),
        min_samples=1,
        formula=None if own is None else formula_of(own),
        moves_with_n=not pair and declared.moves_with_n,
        is_distance=pair and DIRECTIONS[declared.direction] == "higher",
        order=ORDER,
        family="your own",
        origin=origin,
    )


def _entry_points() -> Sequence[metadata.EntryPoint]:
    return tuple(metadata.entry_points(group=GROUP))


def unknown(name: str, also: Iterable[str] = (), where: str = "--metrics") -> InputError:
    """For a word that is no score's name."""
    near = "" if ":" in name else did_you_mean(name, [*known_names(), *also])
    near = near or "A function of your own is FILE.py:FUNCTION."
    return InputError(f"{where}: there is no score named {name!r}. {near}")


def forget() -> None:
    """Register none of them any more, and end their processes."""
    with _LOADING:
        for function in _FUNCTIONS.values():
            function.process.close()
        _FUNCTIONS.clear()
        for name in [name for name, metric in METRICS.items() if metric.origin]:
            del METRICS[name]
