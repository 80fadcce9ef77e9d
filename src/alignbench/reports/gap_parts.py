"""Where the bits of an alignment gap are, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alignbench.metrics.gap_parts import OPENING_TOKENS
from alignbench.scoring.score_tables import CrossEstimate


def gap_parts(scores: Mapping[str, CrossEstimate]) -> Iterator[str]:
    """A sentence for each condition whose gap is told from none and whose bits are all told apart; none for scores that
    are no gap in bits. Shares are of a mean response."""
    for condition, score in scores.items():
        extra, ci = score.extra, score.ci
        whole = extra.get("bits")
        if extra.get("in_parts") != 1.0 or not whole or ci is None or ci[0] <= 0.0 <= ci[1]:
            continue
        opening, form, rest = ((extra[f"{part}_bits"] or 0.0) / whole for part in ("opening", "format", "rest"))
        yield (
            f"Of the gap of {condition} {opening:z.0%} is in the first {OPENING_TOKENS} tokens of a response, "
            f"{form:z.0%} in its format, {1.0 - opening - form - rest:z.0%} in its end, {rest:z.0%} in the rest."
        )
