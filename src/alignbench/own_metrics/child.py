"""The process that runs a user's scores: `python -P -m alignbench.own_metrics.child PIPE PARENT SOURCE`.

It reads a line of JSON from the pipe, {"load": function or ""} first and {"call": [arguments]} from then on, and
answers each with a line: what is known of the function, {"value": number}, {"reason": why there is none}, or
{"error": why it cannot be loaded}. What the user's code prints goes to where stdout and stderr lead, not into the pipe.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import math
import os
import signal
import socket
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Any

from alignbench.errors import did_you_mean
from alignbench.own_metrics.declaration import GROUP, Declaration, declaration_of, declared_names
from alignbench.parsing import parse_json

LONGEST_REASON = 240  # characters
_LOOK = 1.0  # seconds between two looks at whether the parent lives
_ROUNDING = 1e-9  # by which a value may miss its range


class NotLoaded(Exception):
    """Why a user's function cannot be had."""


class FunctionSource:
    """A file, or a module of an installed package.

    Attributes:
        module: Its names.
        version: Hash of its text; with the package's version.
    """

    def __init__(self, source: str) -> None:
        """source: the path of a file that ends in .py, or the name of a module. Raises NotLoaded."""
        self.shown = source if source.endswith(".py") else f"module {source}"
        try:
            self.module, self.version = _file(Path(source)) if source.endswith(".py") else _installed(source)
        except NotLoaded:
            raise
        except SyntaxError as error:
            where = f"line {error.lineno}: " if error.lineno else ""
            named = error.filename if error.filename and not error.filename.startswith("<") else self.shown
            raise NotLoaded(f"{named}, {where}{error.msg}") from None
        except ModuleNotFoundError as error:
            missing = f" {error.name!r}" if error.name else ""
            raise NotLoaded(
                f"{_place(error, self.shown)} imports{missing}, which is not installed in the environment of "
                f"alignbench ({sys.prefix})"
            ) from None
        except BaseException as error:
            raise NotLoaded(f"{_place(error, self.shown)}: {_said(error)}") from None

    def function(self, name: str) -> Callable[..., Any]:
        """NotLoaded, with the nearest names, where it has none of this name."""
        there = declared_names(self.module)
        if not name:
            has = f"; it has {', '.join(there)}" if there else ""
            raise NotLoaded(f"{self.shown} is given without a function, expected {Path(self.shown).name}:FUNCTION{has}")
        value: Any = types.SimpleNamespace(**{k: v for k, v in self.module.items() if k.isidentifier()})
        for part in name.split("."):
            if not hasattr(value, part):
                raise NotLoaded(f"{self.shown} has no function {name!r}. {did_you_mean(name, there)}".rstrip())
            value = getattr(value, part)
        found: Callable[..., Any] = value  # a name of no function is refused by what declares it
        return found


class GuardedFunction:
    """A function with what is declared of it."""

    def __init__(self, function: Callable[..., Any], declared: Declaration) -> None:
        self._function, self._declared = function, declared

    def answer(self, arguments: list[Any]) -> dict[str, Any]:
        """Its value for these arguments, or why there is none."""
        try:
            given = [_vectors(one) if isinstance(one, dict) else one for one in arguments]
            return self._read(self._function(*given))
        except BaseException as error:
            place = _line(error, self._function)
            return {"reason": _short(f"{_said(error)}{f' ({place})' if place else ''}")}

    def _read(self, value: object) -> dict[str, Any]:
        if value is None:
            return {"reason": "it returned None"}
        number = as_number(value)
        if number is None:
            return {"reason": _short(f"it returned {_kind(value)}; expected a number")}
        if math.isnan(number):
            return {"reason": "it returned NaN"}
        if math.isinf(number):
            return {"reason": f"it returned {number}"}
        low, high = self._declared.low, self._declared.high
        least, most = -math.inf if low is None else low, math.inf if high is None else high
        if not least - _ROUNDING <= number <= most + _ROUNDING:
            return {"reason": f"it returned {number:g}, outside its range {least:g} to {most:g}"}
        return {"value": min(most, max(least, number))}


def as_number(value: object) -> float | None:
    """A number of Python, numpy or torch as a float, infinite where it is too large for one; None for anything else."""
    if not isinstance(value, int | float | Decimal | Fraction):
        item = getattr(value, "item", None)
        if not callable(item):
            return None
        try:
            value = item()
        except Exception:  # of an array of several, whatever its library raises
            return None
        if not isinstance(value, int | float):
            return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _file(path: Path) -> tuple[dict[str, Any], str]:
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise NotLoaded(f"there is no file {path}") from None
    except OSError as error:
        raise NotLoaded(f"{path} cannot be read: {error.strerror or error}") from None
    sys.path.append(str(path.parent.resolve()))  # last, so that a file beside it hides no module
    name = f"own_{path.stem}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses and pickle look there
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except ValueError as error:  # NUL bytes
        raise NotLoaded(f"{path}: {error}") from None
    exec(code, module.__dict__)
    return module.__dict__, hashlib.sha256(source).hexdigest()[:12]


def _installed(name: str) -> tuple[dict[str, Any], str]:
    module = importlib.import_module(name)
    path = getattr(module, "__file__", None)
    text = Path(path).read_bytes() if path and Path(path).is_file() else name.encode()
    packages = {point.dist for point in metadata.entry_points(group=GROUP) if point.module == name and point.dist}
    versions = sorted(f"{package.name} {package.version}" for package in packages)
    return vars(module), hashlib.sha256("\n".join(versions).encode() + text).hexdigest()[:12]


def _vectors(packed: Mapping[str, Any]) -> Any:
    import numpy as np

    flat = np.frombuffer(base64.b64decode(packed["vectors"]), np.float64)
    return flat.reshape(packed["n"], -1).copy()


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called sys.exit({'' if error.code is None else error.code})"
    try:
        said = str(error)
    except Exception:  # the error is of the user's own making, and so is what it says of itself
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _line(error: BaseException, function: Callable[..., Any]) -> str:
    """Where in the user's file an error came up."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == code.co_filename]
    return f"{Path(code.co_filename).name}, line {lines[-1]}" if lines else ""


def _place(error: BaseException, shown: str) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == shown]
    return f"{shown}, line {lines[-1]}" if lines else shown


def _kind(value: object) -> str:
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    shape = getattr(value, "shape", None)
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return f"{name} of shape {tuple(shape)}" if isinstance(shape, tuple) else f"a value of type {name}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"


def _watch(parent: int) -> None:
    """End with the parent, whose end the pipe tells only between two calls."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(0)


def main() -> None:
    """Answer until the pipe is closed."""
    pipe, parent, source = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    os.set_inheritable(pipe, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the front end
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    own, scorer, loaded = os.getpid(), None, None
    channel = socket.socket(fileno=pipe)
    with channel, channel.makefile("rb") as requests:
        for line in requests:
            request = parse_json(line)
            if "load" in request:
                try:
                    loaded = loaded or FunctionSource(source)
                    function = loaded.function(request["load"])
                    declared = declaration_of(request["load"], function)
                    scorer = GuardedFunction(function, declared)
                    answer = {"facts": declared.facts(), "version": loaded.version}
                except (NotLoaded, TypeError) as error:
                    answer = {"error": str(error)}
            else:
                assert scorer is not None
                answer = scorer.answer(request["call"])
            if os.getpid() != own:  # the user's code has forked, and both come back here
                os._exit(0)
            channel.sendall(json.dumps(answer).encode("ascii") + b"\n")


if __name__ == "__main__":
    main()
