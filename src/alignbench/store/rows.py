"""What the store hands out: frozen values, one kind a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alignbench.engines.protocol import FinishReason

Status = Literal["done", "cancelled", "error"]


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session and what is in it. Times are ISO 8601 in UTC.

    reference: name of the condition that others are compared with. n_samples counts samples that are done.
    models: names, in order of first use.
    """

    id: int
    name: str
    created: str
    updated: str
    reference: str | None
    n_prompts: int
    n_conditions: int
    n_samples: int
    n_errors: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellInfo:
    """One prompt under one condition. n: how many samples were asked for, at most, so far."""

    id: int
    session: int
    prompt_id: str
    condition: str
    n: int


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample with what it belongs to.

    prompt: the prompt's text. condition, model: names. seed: the condition's seed + sample. For an error, text
    and raw_text are empty. n_prompt_tokens, n_tokens, seconds and logprob (nats) are None for an error and for an
    imported text. error: the message, for an error only.
    """

    id: int
    cell_id: int
    session: int
    prompt_id: str
    prompt: str
    condition: str
    model: str
    sample: int
    seed: int
    status: Status
    text: str
    raw_text: str
    finish_reason: FinishReason
    n_prompt_tokens: int | None
    n_tokens: int | None
    seconds: float | None
    logprob: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class PairScore:
    """A similarity of one sample of a condition to one sample of a reference, both of one prompt."""

    prompt_id: str
    reference: str
    condition: str
    reference_sample: int
    sample: int
    value: float


@dataclass(frozen=True, slots=True)
class Note:
    """A remark of the user on a session. created: ISO 8601 in UTC."""

    id: int
    session: int
    created: str
    text: str
