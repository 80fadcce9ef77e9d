"""Verbalized sampling: one generation gives several answers, each with a probability (Zhang et al. 2025, 2510.01171).

Sample i of a cell is answer i mod m of generation i // m, where m is how many answers the context asks for. A
generation is drawn as the sample of its first answer is, with that seed, so what is missing of a cell says which
generations to draw; in strict mode one that is drawn again gives the answers that it gave before.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from alignbench.engines.protocol import SampleResult
from alignbench.json_reply import conforming
from alignbench.spec import Context

_SHOWN = 60  # characters of a reply in a message


@dataclass(frozen=True, slots=True)
class VerbalizedAnswer:
    """One answer of a reply."""

    text: str
    probability: float  # as the model says it, 0 to 1; those of a reply need not add up to 1


def drawn(context: Context, missing: Collection[int]) -> tuple[int, ...]:
    """What an engine draws for samples that are missing: themselves, or the first one of each generation."""
    m = max(1, context.verbalized)
    return tuple(sorted({sample // m * m for sample in missing}))


def given_by(context: Context, drawn: int, missing: Collection[int]) -> tuple[int, ...]:
    """The missing samples that a drawn one brings."""
    m = max(1, context.verbalized)
    return tuple(sorted(sample for sample in missing if sample // m * m == drawn))


def schema(m: int) -> str:
    """JSON schema, as text, of a reply with m answers."""
    return json.dumps(_schema({"minItems": m, "maxItems": m}))


def _schema(bounds: dict[str, int]) -> dict[str, Any]:
    answer = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": 1},
            "probability": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["text", "probability"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"answers": {"type": "array", "items": answer, **bounds}},
        "required": ["answers"],
        "additionalProperties": False,
    }


def answers(reply: str, m: int) -> list[VerbalizedAnswer]:
    """The m answers of a reply; thoughts and text around its JSON object are passed over (see json_reply).

    ValueError says what is wrong with it.
    """
    return _answers(reply, {"minItems": m, "maxItems": m})


def _answers(reply: str, bounds: dict[str, int]) -> list[VerbalizedAnswer]:
    value = conforming(reply, _schema(bounds))
    return [VerbalizedAnswer(each["text"].strip(), each["probability"]) for each in value["answers"]]


def stated_probabilities(reply: str) -> tuple[float, ...]:
    """Those of a reply's answers; none of a text that is no such reply."""
    try:
        return tuple(answer.probability for answer in _answers(reply, {}))
    except ValueError:
        return ()


def refusal(result: SampleResult, m: int, why: object) -> str:
    """What is said of a reply that cannot be taken apart."""
    cut = result.finish_reason == "length"
    text = " ".join(result.text.split())
    beginning = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return (
        f"Generation {result.sample // m + 1} gave no {m} answers with probabilities: {why}. "
        + (
            f"It was cut at {result.n_drawn} tokens: raise max tokens. "
            if cut
            else "Another seed gives another reply. "
        )
        + f"It began: {beginning!r}"
    )
