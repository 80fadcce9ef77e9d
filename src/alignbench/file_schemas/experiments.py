"""The JSON Schema of an experiment file: what `experiments.experiment` reads."""

from __future__ import annotations

import re

from alignbench import bounds
from alignbench.experiments.experiment import REPORTS
from alignbench.file_schemas.contexts import context_table
from alignbench.file_schemas.parts import (
    Schema,
    choice,
    has,
    none_of,
    number,
    numbers,
    table,
    text,
    texts,
    where,
    whole,
)
from alignbench.own_metrics.registration import known_names
from alignbench.spec import SAMPLING_BOUNDS, Mode


def experiment_schema() -> Schema:
    """The schema of an experiment file."""
    seed = number(bounds.SEED, "Sample i is drawn with seed + i.")
    return whole(
        "alignbench: experiment",
        table(
            {
                "name": text("The session's; the file's where it is left out."),
                "n": number(bounds.SAMPLES, "Samples a cell."),
                "seed": seed,
                "mode": choice(Mode, "strict: the same seed gives the same text; fast: wider batches."),
                "reference": text("The condition the others are compared with; the first aligned one by default."),
                "floor": text("The zero-shot condition; the only base model's by default."),
                "prompts": _prompts(),
                "models": {
                    "description": "Names for use below, each with a name or reference of a model.",
                    "type": "object",
                    "additionalProperties": text(blank=False),
                },
                "sampling": _sampling("For every condition."),
                "conditions": {"type": "array", "items": _condition(seed)},
                "cross": table(
                    {
                        "models": texts("Names or references.", at_least=1),
                        "contexts": texts("Contexts that ship, or files; for base models."),
                        "temperatures": numbers(bounds.TEMPERATURE, "In place of that of sampling."),
                    },
                    required=["models"],
                    about="Every model, base ones in every context, at every temperature.",
                ),
                "scores": table(
                    {
                        "metrics": {
                            "description": "Of the report; `alignbench metrics` lists them. Or FILE.py:FUNCTION.",
                            "type": "array",
                            "items": {
                                "anyOf": [{"enum": [*known_names(), "live", "all"]}, {"pattern": r"\.py(:[^:]*)?$"}]
                            },
                        }
                    }
                ),
                "output": table(
                    {
                        "report": {
                            "description": f"A file that ends in {', '.join(REPORTS)}.",
                            "type": "string",
                            "pattern": rf"({'|'.join(map(re.escape, REPORTS))})$",
                        }
                    },
                    required=["report"],
                ),
            },
            {"anyOf": [has("conditions", {"minItems": 1}), has("cross")]},
            required=["prompts"],
        ),
    )


def _prompts() -> Schema:
    return table(
        {
            "sets": texts("Sets that ship."),
            "files": texts("Files, seen from this one."),
            "limit": number(bounds.LIMIT, "Most prompts, of all together."),
            "seed": number(bounds.SEED, "Which ones the limit leaves, at random; the first where it is left out."),
        },
        {"anyOf": [has("sets", {"minItems": 1}), has("files", {"minItems": 1})]},
    )


def _condition(seed: Schema) -> Schema:
    some = {"minItems": 1}
    return table(
        {
            "name": text("The names of model and context where it is left out."),
            "model": text("A name of models, or as the rest of the program knows it.", blank=False),
            "revisions": texts("Stages of the model, a condition each."),
            "models": texts("Or stages that are models of their own."),
            "context": {
                "description": "A context that ships, a file seen from this one, or written here.",
                "anyOf": [text(), context_table()],
            },
            "seed": seed,
            "sampling": _sampling("Beside and before the file's."),
        },
        where(has("models", some), none_of(has("model"), has("revisions", some)), has("model")),
    )


def _sampling(about: str) -> Schema:
    stop = texts("Texts that end a response, beside those of the layout.")
    return table({**{name: number(bound) for name, bound in SAMPLING_BOUNDS.items()}, "stop": stop}, about=about)
