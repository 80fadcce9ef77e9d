"""What tables of a report are made of: titled rows of texts, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS, SMALL_P, PairedDifference
from alignbench.reports.numbers import interval, number, p_value
from alignbench.scoring.score_tables import CrossEstimate, MatchedEstimate, WithinEstimate

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


def shown_value(estimate: Estimate, digits: int = 3, sd: float | None = None) -> str:
    """The value with its interval, or a dash and why there is none."""
    if estimate.value is None:
        return f"- ({estimate.reason})" if estimate.reason else "-"
    text = number(estimate.value, digits)
    if estimate.ci is not None:
        text += f" {interval(estimate.ci, digits)}"
    return text if sd is None else f"{text} sd {sd:.1f}"


def shown_difference(difference: PairedDifference | None) -> str:
    """The difference with its interval and corrected p, starred where that is 0.05 or less; empty without one."""
    if difference is None or difference.value is None:
        return ""
    text = number(difference.value, sign=True)
    if difference.ci is not None:
        text += f" {interval(difference.ci)}"
    p = difference.p_holm if difference.n >= MIN_PROMPTS else None
    return text if p is None else f"{text} {p_value(p)}{' *' if p <= SMALL_P else ''}"


def two_lines(score: WithinEstimate, matched: MatchedEstimate | None = None) -> str:
    """The value, and below it the difference to the reference where there is one, at matched length too."""
    lines = [shown_value(score, sd=score.sd), shown_difference(score.difference)]
    if matched is not None and matched.value is not None:
        lines.append(f"matched length: {shown_difference(matched.difference)}")
    return "\n".join(filter(None, lines))


HELD_OUT = (
    "held out: compared with the samples of the reference that its context is not made from, and so are its floor and "
    "null; with source: with all of them"
)


def shown_recovery(score: CrossEstimate) -> str:
    """The recovery with its interval, or a dash and why there is none."""
    if score.recovery is None:
        return f"- ({score.recovery_reason})" if score.recovery_reason else "-"
    text = f"{score.recovery:.0%}"
    if score.recovery_ci is not None:
        text += " [{:.0%}, {:.0%}]".format(*score.recovery_ci)
    return f"{text} !" if score.warning else text


def shown_share(share: Estimate) -> str:
    """In percent with its interval, or a dash; and why there is none."""
    text = "-" if share.value is None else f"{share.value:.0%}"
    if share.ci is not None:
        return f"{text} [{share.ci[0]:.0%}, {share.ci[1]:.0%}]"
    return f"{text} ({share.reason})" if share.reason else text


def shown_number(value: float | None, digits: int = 3) -> str:
    """So many decimals, one from 10 up, or a dash."""
    return "-" if value is None else number(value, digits)
