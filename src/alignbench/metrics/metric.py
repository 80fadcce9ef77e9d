"""What is known of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alignbench.metrics.values import WordMode

Scope = Literal["within", "cross"]
Direction = Literal["higher", "lower", ""]
Need = Literal[
    "text",
    "embeddings",
    "sentence embeddings",
    "token vectors",
    "log-probs",
    "base model",
    "both models",
    "judge",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """One score.

    meaning: one or two sentences for the help. scope: of one set of responses (within), of two (cross), or both.
    low, high: its range, None where it is open. more_diverse: which way is more diverse, empty where the score does
    not say. version: changes with the formula and with the tokenizer, named after a plus sign where there is one;
    values of two versions never meet in one comparison. min_samples: fewest samples, of each side in a comparison,
    that a value needs. live: the scoreboard can run it while samples arrive. moves_with_n: it changes with the number
    of samples alone, so it is compared at equal n only. is_distance: of two sets, 0 where they are alike.
    """

    name: str
    title: str
    meaning: str
    scope: tuple[Scope, ...]
    low: float | None
    high: float | None
    more_diverse: Direction
    source: str
    version: str
    needs: tuple[Need, ...]
    min_samples: int
    live: bool = True
    moves_with_n: bool = False
    is_distance: bool = False

    def version_in(self, mode: WordMode) -> str:
        """Its version where words are counted in this mode."""
        formula, plus, _ = self.version.partition("+")
        return f"{formula}{plus}{mode.version}" if plus else formula
