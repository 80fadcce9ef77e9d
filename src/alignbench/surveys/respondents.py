"""From the answers of single respondents to the shares of groups."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from alignbench.answer_options import HumanGroup
from alignbench.errors import InputError

EVERYONE = "everyone"

_REFUSAL = re.compile(
    r"(?:dk|don't know|do not know|no answer|not answered|refused|refusal|prefer not to (?:say|answer)|missing|unknown|"
    r"na|n/a)(?:\b.*)?",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[\s/;,.()]+")


def is_refusal(text: str) -> bool:
    """Whether an option of an archive stands for no answer, such as "DK/Refused" or "No answer"."""
    words = _SPACE.sub(" ", text.replace("\u2019", "'")).strip()
    return len(words.split()) <= 6 and _REFUSAL.fullmatch(words) is not None


class Tally:
    """Weighted answers to one question, by group."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._weights: dict[str, list[float]] = defaultdict(lambda: [0.0] * k)
        self._people: dict[str, int] = defaultdict(int)

    def add(self, groups: Iterable[str], option: int, weight: float) -> None:
        """A respondent of these groups chose an option."""
        for group in groups:
            self._weights[group][option] += weight
            self._people[group] += 1

    def groups(self, answers: Sequence[int]) -> Iterator[HumanGroup]:
        """Those of which somebody gave an answer: everyone, then by name.

        answers: places of the options that are no refusals
        """
        for name, weights in sorted(self._weights.items(), key=lambda each: (each[0] != EVERYONE, each[0])):
            if any(weights[i] for i in answers):
                total = math.fsum(weights)
                yield HumanGroup(name, tuple(weight / total for weight in weights), self._people[name])


def weight_of(row: Mapping[str, str], column: str, where: str) -> float:
    """A respondent's weight; 1 where the table has none of it. InputError for what is no weight."""
    if not column or not (text := row.get(column, "")):
        return 1.0
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0.0 <= weight < math.inf:
        raise InputError(f'{where}, field "{column}": {text!r}; expected a weight, a number from 0.')
    return weight
