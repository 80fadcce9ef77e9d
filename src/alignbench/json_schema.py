"""Whether a value has the form that a JSON schema asks for; the part of JSON schema that replies are held to.

Engines that hold replies to a schema leave nothing to do here. Others write "4" for 4, {"score": 4, "reason": ...}
where 4 was asked for, or "N/A" in place of a grade; what is meant is plain, so that is taken.
"""

from __future__ import annotations

import json
import math
from typing import Any

from alignbench.textfiles import json_type

NOT_APPLICABLE = "N/A"  # may take the place of a grade


def conform(value: Any, schema: dict[str, Any], where: str = "the reply") -> Any:
    """The value as the schema has it: objects with its properties only. ValueError says what is wrong where."""
    if "enum" in schema:
        return _one_of(value, schema["enum"], where)
    match schema["type"]:
        case "object":
            if not isinstance(value, dict):
                raise ValueError(f"{where} is {json_type(value)}; expected an object")
            missing = [name for name in schema["required"] if name not in value]
            if missing:
                raise ValueError(f"{where} has no {', '.join(missing)}")
            properties = schema["properties"]
            return {name: conform(value[name], properties[name], name) for name in properties if name in value}
        case "array":
            if not isinstance(value, list):
                raise ValueError(f"{where} is {json_type(value)}; expected a list")
            least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
            if not least <= len(value) <= most:
                raise ValueError(
                    f"{where} has {len(value)} items; expected {least if least == most else f'{least} to {most}'}"
                )
            return [conform(item, schema["items"], f"{where}[{i}]") for i, item in enumerate(value)]
        case "string":
            if not isinstance(value, str):
                raise ValueError(f"{where} is {json_type(value)}; expected a text")
            if schema.get("minLength") and not value.strip():
                raise ValueError(f"{where} is empty; expected a text")
            return value
        case "number":
            return _number(value, schema, where)
        case "integer":
            number = _number(value, schema, where)
            if number != int(number):
                raise ValueError(f"{where} is {json.dumps(value)[:60]}; expected a whole number")
            return int(number)
        case "boolean":
            return _truth(value, where)
    raise ValueError(f"{where}: this form is not known: {schema['type']}")


def _one_of(value: Any, choices: list[Any], where: str) -> Any:
    meant = value.get("score") if isinstance(value, dict) else value
    word = meant.strip().lower() if isinstance(meant, str) else meant
    for choice in choices:
        if not isinstance(word, bool) and word in (choice, str(choice).lower()):
            return choice
    if word in ("n/a", "na") and 1 in choices:
        return NOT_APPLICABLE
    raise ValueError(f"{where} is {json.dumps(value)[:60]}; expected one of {', '.join(map(str, choices))}")


def _truth(value: Any, where: str) -> bool:
    word = value.strip().lower() if isinstance(value, str) else value
    for meant, words in ((True, ("true", "yes")), (False, ("false", "no"))):
        if word is meant or (isinstance(word, str) and word in words):
            return meant
    raise ValueError(f"{where} is {json.dumps(value)[:60]}; expected true or false")


def _number(value: Any, schema: dict[str, Any], where: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if not (least <= number <= most and math.isfinite(number)):
        between = "" if math.isinf(least) and math.isinf(most) else f" from {least} to {most}"
        raise ValueError(f"{where} is {json.dumps(value)[:60]}; expected a number{between}")
    return number
