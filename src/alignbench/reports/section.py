"""What tables of a report are made of: titled rows of texts, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS, SMALL_P, PairedDifference
from alignbench.reports.numbers import DIGITS, counted, digits_of, interval, number, p_value, percent, percents
from alignbench.scoring.score_tables import MatchedEstimate, WithinEstimate

_ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}  # which way is more diverse


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title; notes stand below it. Without columns it is notes alone."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> Iterator[tuple[str, ...]]:
        """The rows, one with cells of two lines as two."""
        for row in self.rows:
            yield from zip_longest(*(cell.split("\n") for cell in row), fillvalue="")


def metric_title(metric: str) -> str:
    """What a score is called, with an arrow to where it is more diverse."""
    known = METRICS.get(metric)
    return metric if known is None else known.title + _ARROWS[known.more_diverse]


def metric_digits(metric: str) -> int:
    """How many decimals a score is shown with, by its name."""
    return digits_of(METRICS.get(metric))


def shown_value(estimate: Estimate, digits: int = DIGITS, sd: float | None = None) -> str:
    """The value with its interval, or a dash and why there is none."""
    if estimate.value is None:
        return f"- ({estimate.reason})" if estimate.reason else "-"
    text = number(estimate.value, digits)
    if estimate.ci is not None:
        text += f" {interval(estimate.ci, digits)}"
    return text if sd is None else f"{text} sd {number(sd, digits)}"


def shown_difference(
    difference: PairedDifference | None,
    beside: tuple[float | None, float | None] | None = None,
    digits: int = DIGITS,
) -> str:
    """The difference with its interval and corrected p, starred where that is 0.05 or less; empty without one.

    Args:
        difference: of two conditions.
        beside: their means as they stand in the same table; where the difference is of other prompts or responses than
            these are, its own two means follow.
        digits: decimals.
    """
    if difference is None or difference.value is None:
        return ""
    text = number(difference.value, digits or 1, sign=True)
    if difference.ci is not None:
        text += f" {interval(difference.ci, digits)}"
    p = difference.p_holm if difference.n >= MIN_PROMPTS else None
    if p is not None:
        text += f" {p_value(p)}{' *' if p <= SMALL_P else ''}"
    return f"{text} ({own})" if (own := own_means(difference, beside, digits)) else text


def own_means(
    difference: PairedDifference, beside: tuple[float | None, float | None] | None, digits: int = DIGITS
) -> str:
    """The two means that a difference is of, and over how many prompts; empty where they are those that stand beside
    it. beside, digits: as of `shown_difference`."""
    if difference.means is None or beside is None:
        return ""
    shown = [None if value is None else number(value, digits) for value in beside]
    own = [number(value, digits) for value in difference.means]
    return "" if own == shown else f"{own[0]} and {own[1]} over {counted(difference.n, 'prompt')}"


def two_lines(
    score: WithinEstimate, reference: float | None, digits: int = DIGITS, matched: MatchedEstimate | None = None
) -> str:
    """The value, and below it the difference to the reference where there is one, at matched length too. reference:
    its value."""
    lines = [shown_value(score, digits, score.sd), shown_difference(score.difference, (score.value, reference), digits)]
    if matched is not None and matched.value is not None:
        lines.append(f"matched length: {shown_difference(matched.difference, digits=digits)}")
    return "\n".join(filter(None, lines))


HELD_OUT = (
    "held out: compared with the samples of the reference that its context is not made from, and so are its floor and "
    "null; with source: with all of them"
)


def shown_share(share: Estimate) -> str:
    """In percent with its interval, or a dash; and why there is none."""
    text = "-" if share.value is None else percent(share.value)
    if share.ci is not None:
        return f"{text} {percents(share.ci)}"
    return f"{text} ({share.reason})" if share.reason else text


def shown_number(value: float | None, digits: int = DIGITS) -> str:
    """So many decimals, one from 10 up, or a dash."""
    return "-" if value is None else number(value, digits)
