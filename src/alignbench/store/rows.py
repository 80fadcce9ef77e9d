"""What the store hands out: frozen values, one kind a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from alignbench.engines.protocol import FinishReason

SampleStatus = Literal["done", "cancelled", "error"]
JudgmentStatus = Literal["valid", "invalid", "na"]


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session and what is in it. Times are ISO 8601 in UTC."""

    id: int
    name: str
    created: str
    updated: str
    reference: str | None  # name of the condition that others are compared with
    n_prompts: int
    n_conditions: int
    n_samples: int  # that are done
    n_errors: int
    models: tuple[str, ...]  # names, in order of first use
    tags: tuple[str, ...] = ()  # sorted


@dataclass(frozen=True, slots=True)
class LastSession:
    """The session that was worked on last, and how many there are besides."""

    info: SessionInfo
    others: int


@dataclass(frozen=True, slots=True)
class CellInfo:
    """One prompt under one condition."""

    id: int
    session: int
    prompt_id: str
    condition: str
    n: int  # how many samples were asked for, at most, so far


@dataclass(frozen=True, slots=True)
class StoredCell:
    """What the session has of one prompt under one condition."""

    id: int
    n: int  # as of CellInfo
    there: frozenset[int]  # indices of samples


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample with what it belongs to.

    Attributes:
        prompt: the prompt's text
        condition, model: names
        seed: the condition's seed + sample, None where that is not recorded
        finish_reason: None where an import does not tell
        text, raw_text: for an error what had come of them, mostly nothing
        n_prompt_tokens, n_tokens, seconds: None for an error, and for an imported text whose file does not tell
        logprob: nats, None as these
        error: the message, for an error only
        thinking: what the model thought before its answer, which is no part of the text; None where it did not
        n_thinking_tokens: of that; the other counts and the log-prob are those of the answer. None as they
        refused: the server says that the text is a refusal
        note: what a reader should know about the sample, None where there is nothing
        probability: of an answer that the model gave among others, as it said, 0 to 1; such an answer has no tokens of
            its own, and the raw text is the whole reply
    """

    id: int
    cell_id: int
    session: int
    prompt_id: str
    prompt: str
    condition: str
    model: str
    sample: int
    seed: int | None
    status: SampleStatus
    text: str
    raw_text: str
    finish_reason: FinishReason | None
    n_prompt_tokens: int | None
    n_tokens: int | None
    seconds: float | None
    logprob: float | None
    error: str | None
    probability: float | None = None
    thinking: str | None = None
    n_thinking_tokens: int | None = None
    refused: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class GenerationFacts:
    """What is known of how a text from elsewhere was generated, as `SampleRow` has it; None where nobody recorded it.

    seed: its own, None for the condition's seed and its index
    """

    seed: int | None = None
    n_prompt_tokens: int | None = None
    n_tokens: int | None = None
    n_thinking_tokens: int | None = None
    seconds: float | None = None
    logprob: float | None = None


UNKNOWN_FACTS = GenerationFacts()


@dataclass(frozen=True, slots=True)
class GivenSample:
    """A response from elsewhere, before it is in the store.

    Attributes:
        cell_id, sample: where it goes
        error: why there is no response, or a broken one; empty where there is one
        others: as in `SampleRow`
    """

    cell_id: int
    sample: int
    text: str
    raw_text: str
    finish_reason: FinishReason | None = None
    error: str = ""
    thinking: str | None = None
    refused: bool = False
    note: str | None = None
    facts: GenerationFacts = UNKNOWN_FACTS


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A sample that a search found, and where."""

    session: int
    prompt_id: str
    condition: str
    sample: int
    snippet: str  # the words around the first match, with … where text is left out


@dataclass(frozen=True, slots=True)
class Counts:
    """What a condition holds."""

    condition: str
    samples: int  # that are done
    errors: int
    truncated: int | None  # those of them that were cut by length; None where nobody recorded it of all
    refused: int = 0  # those of them that are refusals, as their server says
    infinite: int = 0  # those of them with a token of log-prob -Infinity


@dataclass(frozen=True, slots=True)
class Pace:
    """How a model's finished samples went, all of them: the mean length, and how many tokens a second came together."""

    tokens_per_sample: float
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class PairScore:
    """A similarity of one sample of a condition to one sample of a reference, both of one prompt."""

    prompt_id: str
    reference: str
    condition: str
    reference_sample: int
    sample: int
    value: float
    version: str = ""  # of what computed it, as it calls itself


@dataclass(frozen=True, slots=True)
class CellScore:
    """What a user's function said of a cell, or of one and the reference's.

    Attributes:
        metric, version: Of the function.
        reference: Name of the other condition; None of a score of one.
        samples: Hash of the texts that it is of.
        n: Samples, or pairs of them.
        reason: Why there is no value, where there is none.
        beside: Further numbers, by name.
        facts: Of the metric, for when its function is gone; given when they are read.
        created: When it was computed; given when they are read.
    """

    metric: str
    version: str
    prompt_id: str
    condition: str
    reference: str | None
    samples: str
    value: float | None
    n: int
    reason: str = ""
    beside: Mapping[str, float | None] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark of the user on a session."""

    id: int
    session: int
    created: str  # ISO 8601 in UTC
    text: str


@dataclass(frozen=True, slots=True)
class Judgment:
    """What a judge says of one sample, or of one against a sample of the reference.

    Attributes:
        kind: quality, stance, ...
        judge: reference of the model, or who it was
        template_hash: of what was asked
        sample_id: the judged sample; in a pair it is B, and reference_sample_id is A
        flipped: the judge was shown B first
        status: invalid where no reply could be read, na where there is nothing to judge or the judge says so
        reason: why it is not valid, or which fields are not; empty else
        fields: what was judged, by kind, None for a field that is not applicable
        reply: the judge's last words, as they came
    """

    kind: str
    judge: str
    template_hash: str
    sample_id: int
    reference_sample_id: int | None
    status: JudgmentStatus
    fields: Mapping[str, Any]
    reason: str = ""
    reply: str = ""
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class JudgmentRow:
    """A judgment that is stored, with what it belongs to; see `Judgment`.

    Attributes:
        condition, sample: of the judged sample
        reference, reference_sample: of the other one of a pair, else None
        created: ISO 8601 in UTC
    """

    id: int
    session: int
    prompt_id: str
    condition: str
    sample: int
    reference: str | None
    reference_sample: int | None
    judgment: Judgment
    created: str
