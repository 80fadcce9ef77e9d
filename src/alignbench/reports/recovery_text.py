"""A recovery in words: a share only where there is a gap to take a share of, and marked where it is of too few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alignbench.metrics.recovery import no_gap
from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.numbers import percent, percents
from alignbench.scoring.score_tables import CrossEstimate

MARK = "!"  # of too few, or over 1
FEW = f"{MARK} n is small: a recovery over fewer than {MIN_PROMPTS} prompts has no interval, and is a number, no result"
NO_SHARE = "no gap"
NO_GAP_NOTE = (
    f"{NO_SHARE}: the 95% interval of ceiling minus floor holds 0, so that a recovery would be a share of what may be "
    "chance"
)


def is_marked(score: CrossEstimate) -> bool:
    """Whether a recovery is not to be read alone: it has no interval, or is over 1."""
    return score.recovery is not None and (score.recovery_ci is None or bool(score.warning))


def has_no_gap(score: CrossEstimate) -> bool:
    """Whether there is no share to take: ceiling and floor are not told apart, or the ceiling is not over it."""
    upside_down = score.ceiling is not None and score.floor is not None and score.ceiling <= score.floor
    return no_gap(score.gap_ci) or upside_down


def share(score: CrossEstimate) -> str:
    """The recovery in short: 58%, 87% ! of too few or over 1, or no gap; empty where there is none."""
    if score.value is not None and has_no_gap(score):
        return NO_SHARE
    if score.recovery is None:
        return ""
    return f"{percent(score.recovery)}{f' {MARK}' if is_marked(score) else ''}"


def shown_recovery(score: CrossEstimate) -> str:
    """The same with its interval, or a dash and why there is none."""
    if score.recovery is None:
        return f"- ({score.recovery_reason})" if score.recovery_reason else "-"
    if score.recovery_ci is None:
        return share(score)
    return f"{percent(score.recovery)} {percents(score.recovery_ci)}{f' {MARK}' if score.warning else ''}"


def recovery_remarks(scores: Iterable[CrossEstimate]) -> Iterator[str]:
    """What has to be said beside recoveries, each thing once."""
    shown = [score for score in scores if score.recovery is not None]
    told = [score for score in shown if not no_gap(score.gap_ci)]
    for warning in dict.fromkeys(score.warning for score in told if score.warning):
        yield f"{MARK} recovery {warning}"
    if any(score.recovery_ci is None for score in told):
        yield FEW
    if len(told) < len(shown):
        yield NO_GAP_NOTE
