"""What the store hands out of contexts: example sets and hints."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.spec import Level


@dataclass(frozen=True, slots=True)
class ExampleSetInfo:
    """An example set and how many examples it has."""

    hash: str
    name: str  # may be empty
    origin: str
    n: int
    created: str  # ISO 8601 in UTC


@dataclass(frozen=True, slots=True)
class NewHint:
    """A hint to keep.

    Attributes:
        maker: a model's name, empty for one written by hand
        template: what the maker was asked with
        source_id, source_hash: the sample it was made from and the hash of its text; None and empty if written by hand
        n_tokens: its length, None where it is not known
        give_away: share of the source's content words that are in it, 0 to 1
        longest_quote: words of the longest run it shares with the source
    """

    level: Level
    text: str
    maker: str = ""
    template: str = ""
    source_id: int | None = None
    source_hash: str = ""
    n_tokens: int | None = None
    give_away: float | None = None
    longest_quote: int | None = None


@dataclass(frozen=True, slots=True)
class HintRow:
    """A hint that is kept; see NewHint.

    Attributes:
        prompt_id: of the session's prompt that it is of, None for a hint of an example from elsewhere
        source_condition, source_sample: where its source is, None where it is gone
    """

    id: int
    prompt_id: str | None
    prompt_hash: str
    level: Level
    text: str
    maker: str
    template: str
    source_id: int | None
    source_hash: str
    source_condition: str | None
    source_sample: int | None
    n_tokens: int | None
    give_away: float | None
    longest_quote: int | None
    created: str
