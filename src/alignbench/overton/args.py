"""The settings an args.json of the release records, as sampling parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignbench.errors import InputError
from alignbench.spec import SETTINGS, Sampling

_TGI = ("temperature", "top_k", "top_p", "typical_p", "repetition_penalty")
_OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0, "repetition_penalty": 1.0, "stop": ()}
"""What a text server takes where a parameter is left out."""


def settings_of(args: Mapping[str, Any], *, greedy: bool) -> dict[str, Any]:
    """The settings that an args.json of either kind of server records, by name; None for those that it does not.

    greedy: of a folder outputs-temp0. Raises InputError for a value that no parameter can have.
    """
    values: dict[str, Any] = {}
    if isinstance(args.get("openai_params"), dict):
        params = args["openai_params"]
        values = {"temperature": params.get("temperature"), "max_tokens": params.get("max_tokens")}
        if isinstance(params.get("top_p"), int | float):
            values["top_p"] = params["top_p"]
    elif isinstance(args.get("params"), dict):
        params = args["params"]
        given = {name: params[name] for name in _TGI if params.get(name) is not None}
        values = {**_OFF, **given, "max_tokens": params.get("max_new_tokens"), "stop": tuple(params.get("stop") or ())}
        if params.get("do_sample") is False:
            values["temperature"] = 0.0
    if greedy and values.get("temperature") is None:
        values["temperature"] = 0.0
    recorded = {name: value for name, value in values.items() if value is not None}
    for name, value in recorded.items():
        wanted: type | tuple[type, ...] = tuple if name == "stop" else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise InputError(f"{name} is {value!r}; expected {'texts' if name == 'stop' else 'a number'}.")
    Sampling(**recorded)
    return {name: recorded.get(name) for name in SETTINGS}


def facts_of(args: Mapping[str, Any]) -> dict[str, Any]:
    """What else is worth keeping: the model, and how many neighbours were shown."""
    server = args.get("server") if isinstance(args.get("server"), dict) else {}
    params = args.get("openai_params") if isinstance(args.get("openai_params"), dict) else {}
    facts: dict[str, Any] = {}
    if model := (server or {}).get("model_id") or (params or {}).get("model"):
        facts["model"] = model
    if (k := neighbours(args)) is not None:
        facts["examples"] = k
    return facts


def neighbours(args: Mapping[str, Any]) -> int | None:
    """How many examples each prompt was given: `embedding_args.top_k` in older files, `side_info_args.k` since."""
    for section, key in (("side_info_args", "k"), ("embedding_args", "top_k")):
        table = args.get(section)
        if isinstance(table, dict) and isinstance(table.get(key), int):
            return int(table[key])
    return None
