"""A prompt as it stands in a file or a data set."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench import answer_fields, prompt_fields
from alignbench.prompt_files.source import PromptSource

TEXT_FIELDS = ("prompt", "text")
OBJECT = 'an object like {"prompt": "..."}'
OTHER_FIELD = "Name one: --prompt-field NAME, or FILE?field=NAME."


@dataclass(frozen=True, slots=True)
class Record:
    """What a prompt is made of.

    Attributes:
        place: `line 7`, `item 3 (line 7)` or `row 7`, each from 1
        values: by field, as JSON has them
    """

    place: str
    values: dict[str, object]


def wanted_columns(source: PromptSource) -> tuple[str, ...]:
    """The columns of a table that tell something of a prompt."""
    named = (name for name in (source.field, source.id) if name)
    return tuple(dict.fromkeys((*TEXT_FIELDS, "id", *answer_fields.FIELDS, *prompt_fields.FIELDS, *named)))


def needed_columns(source: PromptSource) -> list[tuple[str, ...]]:
    """Groups of columns, of each of which a table has to have one."""
    return [(source.field,) if source.field else (*TEXT_FIELDS, "messages"), *([(source.id,)] if source.id else [])]
