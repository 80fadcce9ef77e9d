"""What is known of a score, and how it is computed where texts or embeddings are all that it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Literal, get_args

from alignbench.metrics.cut_texts import CutSimilarity, CutTexts
from alignbench.metrics.formula import CosineFormula, Formula, PairFormula
from alignbench.metrics.intervals import Bounds
from alignbench.metrics.values import WORKBENCH, WordMode

Scope = Literal["within", "cross"]
Direction = Literal["higher", "lower", ""]
Need = Literal[
    "text",
    "embeddings",
    "sentence embeddings",
    "token vectors",
    "log-probs",
    "entropies",
    "base model",
    "both models",
    "judge",
]
Family = Literal[
    "length",
    "overlap between responses",
    "vocabulary",
    "repetition",
    "meaning",
    "likelihood",
    "others",
    "your own",
]
FAMILIES: tuple[Family, ...] = get_args(Family)

COUNTS_WORDS = f"1+{WORKBENCH.version}"
"""`Metric.version` of a first formula that counts words."""

_PUBLIC = (
    "name",
    "title",
    "meaning",
    "scope",
    "low",
    "high",
    "more_diverse",
    "source",
    "version",
    "needs",
    "min_samples",
    "live",
    "lexical",
    "moves_with_n",
    "is_distance",
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One score. A module of this package that has some lists them as `METRICS`; `registry` finds them there.

    Attributes:
        name: in commands and JSON.
        title: in tables, for people.
        meaning: one or two sentences for the help.
        scope: of one set of responses (within), of two (cross), or both.
        low, high: its range, None where it is open.
        more_diverse: which way is more diverse, empty where the score does not say.
        source: the paper or package of its formula.
        version: changes with the formula and with the tokenizer, named after a plus sign where there is one; values of
            two versions never meet in one comparison.
        needs: what it is computed from.
        min_samples: fewest samples, of each side in a comparison, that a value needs.
        formula: how the cells compute it while samples arrive; None where that takes more than texts and embeddings.
        moves_with_n: it changes with the number of samples alone, so it is compared at equal n only.
        is_distance: of two sets, lowest where they are alike.
        is_count: a whole number of things in each set.
        has_sd: its standard deviation over the samples of a set stands beside it.
        counts_empty: empty responses are part of it; the others leave them out, but for paper mode.
        default: it runs where nothing else is asked for, and stands on the Bench.
        order: its place in every list; a score without one comes last.
        family: the heading of the scores screen that it stands under.
        place: before or after others of its family, where `order` does not tell.
        label: what the scores screen calls it, its title where empty.
        short: the same where there is little room.
        inverted: what 1 - value inside a set is called, where the app shows that, so that more is more diverse.
        inverted_short: the same where there is little room.
        origin: of a score that a user has written, its file or module and function; empty of those that ship.
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
    formula: Formula | None = None
    moves_with_n: bool = False
    is_distance: bool = False
    is_count: bool = False
    has_sd: bool = False
    counts_empty: bool = False
    default: bool = False
    order: int = 1_000
    family: Family = "others"
    place: int = 0
    label: str = ""
    short: str = ""
    inverted: str = ""
    inverted_short: str = ""
    origin: str = ""

    @property
    def live(self) -> bool:
        """Whether cells can run it while samples arrive."""
        return self.formula is not None and not self.origin

    @property
    def runs_outside(self) -> bool:
        """Whether cells can run it, by a function of a user that nobody knows the cost of."""
        return self.formula is not None and bool(self.origin)

    @property
    def stored(self) -> bool:
        """Whether it is read off what was stored of every token when it was drawn."""
        return bool(self.needs) and {*self.needs} <= {"log-probs", "entropies"}

    @property
    def cut(self) -> Callable[[CutTexts], CutSimilarity] | None:
        """How it compares responses that are cut to equal lengths; None where it does not."""
        return self.formula.cut if isinstance(self.formula, PairFormula) else None

    @property
    def lexical(self) -> bool:
        """Whether longer responses are more alike in it by chance, so that it is compared at matched length."""
        return self.cut is not None

    @property
    def compares_means(self) -> bool:
        """Whether its MMD^2 compares no more than the means of two sets: cosine is linear in the vectors, so sets that
        spread differently around one mean are 0 apart."""
        return isinstance(self.formula, CosineFormula)

    @property
    def bounds(self) -> Bounds:
        """Its range in numbers."""
        return -inf if self.low is None else self.low, inf if self.high is None else self.high

    @property
    def range(self) -> str:
        """Its range in words."""
        if self.low is None:
            return "any" if self.high is None else f"up to {self.high:g}"
        return f"{self.low:g} up" if self.high is None else f"{self.low:g} to {self.high:g}"

    def version_in(self, mode: WordMode) -> str:
        """Its version where words are counted in this mode."""
        formula, plus, _ = self.version.partition("+")
        return f"{formula}{plus}{mode.version}" if plus else formula

    def described(self) -> dict[str, Any]:
        """What `alignbench metrics --json` tells of it."""
        return {name: getattr(self, name) for name in _PUBLIC}
