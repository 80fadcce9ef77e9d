"""How responses ended: whether their end was drawn from the model, and so is a part of what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, Self

from alignbench.contexts.rendering import stops
from alignbench.models.reference import is_served
from alignbench.scoring.draws import is_draw
from alignbench.spec import Condition
from alignbench.store import SampleRow, Store

# end: an end token was drawn, or what ends a response in the layout; cut: at max tokens, or at a stop string that the
# sampling parameters add; unknown: the sample does not tell.
Ending = Literal["end", "cut", "unknown"]


def ending(row: SampleRow, condition: Condition) -> Ending:
    """How a finished sample of a condition ended."""
    if condition.model.is_imported or row.finish_reason is None:
        return "unknown"
    if row.finish_reason != "stop":
        return "cut"
    whole = row.thinking is None and row.raw_text.startswith(row.text)
    after = row.raw_text[len(row.text) :] if whole else row.raw_text.rpartition(row.text)[2]
    own, added = stops(condition.context), condition.sampling.stop
    if not after and added and is_served(condition.model.reference):
        return "unknown"  # a server takes the string that it stopped at away
    if not after or after.startswith(own):
        return "end"
    if after.startswith(added):
        return "cut"
    after = after.lstrip()  # thoughts were cut off before the response, and white space around it
    return "end" if not after or after.startswith(own) else "cut"


def ended_shares(store: Store, session: int, conditions: Collection[str]) -> dict[str, dict[str, float | None]]:
    """By condition and prompt, what share of the finished responses ended by themselves, 0 to 1.

    None where it is not recorded how one of them ended; a prompt without a response is missing.
    """
    known = {condition.name: condition for condition in store.conditions(session)}
    shares: dict[str, dict[str, float | None]] = {name: {} for name in conditions}
    for cell in store.cells(session):
        if cell.condition not in shares:
            continue
        rows = [row for row in store.samples(session, cell_id=cell.id) if row.status == "done" and is_draw(row)]
        ends = [ending(row, known[cell.condition]) for row in rows]
        if ends:
            shares[cell.condition][cell.prompt_id] = None if "unknown" in ends else ends.count("end") / len(ends)
    return shares


@dataclass(frozen=True, slots=True)
class EndCounts:
    """Of how many responses the end is counted, and why it is not of the others.

    Attributes:
        counted: both models say how likely the end is.
        cut: the response has none.
        unknown: it is not recorded how it ended.
        untold: it ended, but a model does not tell how likely that was.
    """

    counted: int = 0
    cut: int = 0
    unknown: int = 0
    untold: int = 0

    @classmethod
    def of(cls, responses: Iterable[tuple[Ending, bool]]) -> Self:
        """responses: how each ended, and whether its end is counted."""
        kinds = Counter("counted" if counted else "untold" if how == "end" else how for how, counted in responses)
        return cls(**kinds)

    @property
    def n(self) -> int:
        """Of all responses."""
        return self.counted + self.cut + self.unknown + self.untold

    @property
    def so_far(self) -> str:
        """Of which responses only the text so far is counted; empty where none is."""
        reasons = [
            *([f"{self.cut} cut"] if self.cut else []),
            *([f"{self.unknown} whose end is not recorded"] if self.unknown else []),
            *([f"{self.untold} whose end a model does not tell"] if self.untold else []),
        ]
        if not reasons:
            return ""
        return f"of the text so far in {self.n - self.counted} of {self.n} responses: {', '.join(reasons)}"
