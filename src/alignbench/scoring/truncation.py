"""How many responses the limit on tokens cut, and what does not compare for it.

A response that was cut has the length of the limit, and its text is an opening: openings of a condition are more alike
than its whole texts, at equal length too, and leave out what comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.store import Store

MOST_CUT = 0.1  # share of a condition's responses that may be cut where its lengths and texts are compared


@dataclass(frozen=True, slots=True)
class Truncation:
    """Of one condition.

    Attributes:
        cut: responses that ended at the limit on tokens; None where nobody recorded how they ended.
        n: finished responses.
    """

    cut: int | None
    n: int

    @property
    def share(self) -> float | None:
        """Of the finished responses, 0 to 1; None where it is not known."""
        return None if self.cut is None or not self.n else self.cut / self.n

    @property
    def too_many(self) -> bool:
        return self.share is not None and self.share > MOST_CUT


Truncations = Mapping[str, Truncation]  # by condition


def session_truncations(store: Store, session: int) -> dict[str, Truncation]:
    """Of every condition of a session; an import may not tell how responses ended."""
    return {of.condition: Truncation(of.truncated, of.samples) for of in store.counts(session)}


def too_many_cut(truncations: Truncations, *conditions: str) -> str:
    """Why these conditions do not compare, in length or in what they say; empty where few enough were cut."""
    cut = [
        f"{of.cut} of {of.n} responses of {name} ({of.share:.0%})"
        for name, of in ((name, truncations[name]) for name in conditions if name in truncations)
        if of.too_many
    ]
    why = f"were cut by length, and over {MOST_CUT:.0%} neither lengths nor texts compare"
    return f"{' and '.join(cut)} {why}" if cut else ""


def not_recorded(truncations: Truncations, *conditions: str) -> str:
    """Of which of these conditions nobody recorded how responses ended; empty where it is known of all."""
    unknown = [name for name in conditions if name in truncations and truncations[name].cut is None]
    return f"how responses of {' and '.join(unknown)} ended was not recorded" if unknown else ""
